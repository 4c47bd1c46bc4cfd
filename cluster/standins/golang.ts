import { cpSync, mkdirSync, readdirSync } from 'node:fs';
import { basename, join } from 'node:path';
import { findGo } from '../gobuild';
import { ClusterProblem } from '../problem';
import { run } from '../run';
import { busybox, fillBusybox } from './busybox';
import { placeSurroundings } from './place';
import type { StandIn } from './standIn';

const HOME = '/usr/local/go';

// By this Go keeps the compiled standard library beside its sources, as it did until 1.20, instead of compiling it again in every new container.
const KEEPS_ARCHIVES = 'installgoroot=all';

/** What services import, with all that it imports itself: compiled once, when the image is made. */
const COMPILED = ['net/http', 'encoding/json', 'log/slog', 'os/exec', 'os/signal', 'embed'];

/** The machine's Go: what `go build` needs without C, and no tests, documents or sources of Go's own commands. */
export const golang: StandIn = {
  madeFrom: async () => {
    const { root, version } = await goOnMachine();
    return [...(await busybox.madeFrom()), root, version];
  },
  fill: async (root) => {
    const { root: from, platform } = await goOnMachine();
    await fillBusybox(root);
    placeSurroundings(root);
    const to = join(root, HOME);
    for (const path of [
      'VERSION',
      'go.env',
      'bin/go',
      'pkg/include',
      ...['asm', 'compile', 'link'].map((tool) => `pkg/tool/${platform}/${tool}`),
    ])
      cpSync(join(from, path), join(to, path), { recursive: true, dereference: true });
    for (const name of readdirSync(join(from, 'src')).filter((each) => each !== 'cmd'))
      cpSync(join(from, 'src', name), join(to, 'src', name), { recursive: true, dereference: true, filter: isNoTest });
    mkdirSync(join(root, 'go/bin'), { recursive: true });
    await compileLibrary(to);
  },
  changes: [
    'ENV PATH=/go/bin:/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin',
    'ENV GOPATH=/go',
    'ENV GOTOOLCHAIN=local',
    `ENV GODEBUG=${KEEPS_ARCHIVES}`,
    'WORKDIR /go',
    'CMD ["sh"]',
  ],
};

function isNoTest(path: string): boolean {
  return basename(path) !== 'testdata' && !path.endsWith('_test.go');
}

async function goOnMachine(): Promise<{ readonly root: string; readonly version: string; readonly platform: string }> {
  const { command, version } = await findGo();
  const { stdout } = await run([command, 'env', 'GOROOT', 'GOHOSTOS', 'GOHOSTARCH']);
  const [root = '', os = '', arch = ''] = stdout.trim().split('\n');
  return { root, version, platform: `${os}_${arch}` };
}

async function compileLibrary(goroot: string): Promise<void> {
  const env = {
    ...process.env,
    GOROOT: goroot,
    GOTOOLCHAIN: 'local',
    GOWORK: 'off',
    GOFLAGS: '',
    CGO_ENABLED: '0',
    GODEBUG: KEEPS_ARCHIVES,
  };
  const go = join(goroot, 'bin/go');
  const imported = await run([go, 'list', '-deps', ...COMPILED], { env, cwd: goroot });
  const packages = imported.stdout.split('\n').filter((name) => name !== '' && name !== 'unsafe');
  const { status, stderr } = await run(['nice', '-n', '5', go, 'install', ...packages], { env, cwd: goroot });
  if (status !== 0) throw new ClusterProblem(`Go did not compile its standard library: ${stderr.trim().split('\n').at(-1) ?? ''}`);
}
