import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { EventEmitter, once } from 'node:events';
import { cpSync, mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { emptyDir, fileEntry, withEntries, type Event, type SeenContainer } from '../model';
import { NodeWatch } from './nodeWatch';

const seen: SeenContainer = {
  id: 'c1',
  artifact: 'api',
  namespace: 'n',
  pod: 'api-1',
  podUid: 'u',
  container: 'api',
  running: true,
  inputsHash: '',
  restarts: 0,
  snapshot: undefined,
};
const file = fileEntry({ digest: 'a', size: 1, mode: 0o644 });

// Others have no /proc, and no containers of their own.
const suite = process.platform === 'linux' ? describe : describe.skip;

suite('a real `node --watch`, beside which files are written', () => {
  let folder: string;
  let watcher: ChildProcess;
  let printed = '';
  const reports = new EventEmitter<{ readonly told: [Event] }>();
  const nodeWatch = new NodeWatch((event) => reports.emit('told', event));
  const run = async ([, ...args]: readonly string[]) => (await promisify(execFile)(process.execPath, args)).stdout;
  const at = (path: string) => join(folder, path);
  const prints = async (text: string): Promise<void> => {
    while (!printed.includes(text)) await once(watcher.stdout ?? watcher, 'data');
    printed = '';
  };
  /** As they arrive in a container that has the others. */
  const written = (...paths: readonly string[]) =>
    nodeWatch.written(
      { seen, files: withEntries(emptyDir, [[at('src/other.js'), file]]) },
      paths.map((path) => [at(path), file]),
      run,
    );

  beforeAll(async () => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'slipway-node-watch-')));
    mkdirSync(at('src/parts'), { recursive: true });
    writeFileSync(at('src/parts/one.js'), '');
    writeFileSync(at('src/server.js'), `require('./parts/one'); console.log('listens'); setInterval(() => undefined, 1000);`);
    cpSync(at('src'), at('kept'), { recursive: true });
    watcher = spawn(process.execPath, ['--watch', 'src/server.js'], { cwd: folder, stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [watcher.stdout, watcher.stderr]) stream?.on('data', (chunk: Buffer) => (printed += chunk.toString()));
    await prints('listens');
  });
  afterAll(() => {
    nodeWatch.close();
    watcher.kill('SIGKILL');
    rmSync(folder, { recursive: true });
  });

  it('starts again when a file that its process lacked has come', async () => {
    rmSync(at('src/parts'), { recursive: true });
    await prints('Failed running');
    cpSync(at('kept/parts'), at('src/parts'), { recursive: true });
    const told = once(reports, 'told');
    written('src/parts/one.js');
    await prints('listens');
    const message = `node --watch did not notice that ${at('src/parts/one.js')} has come, and was made to look again`;
    expect(await told).toEqual([{ kind: 'notice', subject: 'api', message }]);
  });

  it('ends, and its container with it, when what it was started with is back', async () => {
    rmSync(at('src'), { recursive: true });
    await prints('Failed running');
    cpSync(at('kept'), at('src'), { recursive: true });
    const [ended, told] = [once(watcher, 'exit'), once(reports, 'told')];
    written('src/parts/one.js', 'src/server.js');
    expect(await ended).toEqual([0, null]);
    const message = `node --watch did not notice that ${at('src/server.js')} is back, so its container starts again`;
    expect(await told).toEqual([{ kind: 'notice', subject: 'api', message }]);
  });
});
