import { randomUUID } from 'node:crypto';
import { mkdirSync, readFileSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { type Kube, connectKube } from '../clients';
import { valueOf } from './localRegistry';
import { objectsIn } from './objectsIn';
import { type Env, runCommand, userEnv } from './runCommand';
import { RunningDev } from './runningDev';
import { until } from './until';

/** Installing takes its time on a slow machine; longer than any single wait of a test. */
jest.setTimeout(600_000);

export interface FreshOptions {
  readonly packageManager: 'npm' | 'pnpm';
  readonly nx: string;
}

/** The pnpm that is installed for a test: the newest major that the oldest supported Node can run. */
const pnpm = 'pnpm@10';

/**
 * A folder with the least that makes an Nx workspace, and what a user types in it. Whatever a command needs to keep is kept in
 * the folder; only npm has its own cache.
 */
export class FreshWorkspace {
  readonly namespace = `fresh-${randomUUID().slice(0, 8)}`;
  private readonly folder = join(realpathSync(tmpdir()), `slipway-${this.namespace}`);
  private readonly root = join(this.folder, 'acme');
  private readonly typed: string[] = [];
  private readonly startedAt = performance.now();
  private readonly devs: RunningDev[] = [];
  private connected: Kube | undefined;

  constructor(private readonly options: FreshOptions) {}

  /** Makes the folder, and sees to it that the package manager is there; neither is what a user would have to do here. */
  async open(): Promise<void> {
    const folders = ['apps/*', 'libs/*'];
    const ofNpm = this.options.packageManager === 'npm' && { workspaces: folders };
    this.write('package.json', { name: 'acme', version: '0.0.0', private: true, ...ofNpm });
    this.write('nx.json', { analytics: false, neverConnectToCloud: true });
    if (this.options.packageManager === 'pnpm') {
      // pnpm asks who may run scripts when it installs.
      this.write('pnpm-workspace.yaml', `packages: ${JSON.stringify(folders)}\nonlyBuiltDependencies: [esbuild, nx]\n`);
      const args = ['install', '--silent', '--no-audit', '--no-fund', '--prefix', join(this.folder, 'tools'), pnpm];
      await runCommand({ command: 'npm', args, cwd: this.folder });
    }
    const context = process.env['SLIPWAY_CONTEXT'];
    this.connected = valueOf(await connectKube(context === undefined ? {} : { context }));
    valueOf(await this.connected.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: this.namespace } }));
  }

  /** Ends what runs, and has the namespace deleted without waiting for it. */
  async close(): Promise<void> {
    await Promise.all(this.devs.map((dev) => dev.abandon()));
    rmSync(this.folder, { recursive: true, force: true });
    if (this.connected) valueOf(await this.connected.delete({ apiVersion: 'v1', kind: 'Namespace', name: this.namespace }));
  }

  /** Installs Nx and the packed package. A published one would come by `nx add`, which installs it and runs init. */
  async install(): Promise<void> {
    const packed = process.env['SLIPWAY_E2E_PACKAGE'];
    if (packed === undefined) throw new Error('there is no packed package: jest runs packShop before these tests');
    const { packageManager, nx } = this.options;
    const wanted = `nx@${nx} ${packed}`;
    await this.type(packageManager === 'npm' ? `npm install -D --no-audit --no-fund ${wanted}` : `pnpm add -w -D ${wanted}`);
  }

  /** Runs a command line to its end; gives what it printed. */
  async type(line: string): Promise<string> {
    this.typed.push(line);
    const [command = '', ...args] = line.split(' ');
    const { stdout } = await runCommand({ command, args, cwd: this.root, env: this.env });
    return stdout;
  }

  /** Starts a command line that runs a dev, in this workspace's namespace. */
  start(line: string): RunningDev {
    this.typed.push(line);
    const context = process.env['SLIPWAY_CONTEXT'];
    const eventsFile = join(this.folder, `events-${this.devs.length}.jsonl`);
    const where = [`--namespace=${this.namespace}`, ...(context === undefined ? [] : [`--context=${context}`])];
    const [command = '', ...args] = line.split(' ');
    const dev = new RunningDev({
      command,
      args: [...args, ...where, `--events=${eventsFile}`],
      cwd: this.root,
      env: userEnv(this.env),
      eventsFile,
    });
    this.devs.push(dev);
    return dev;
  }

  /** By way of the package manager, as the generators print it. */
  get exec(): string {
    return this.options.packageManager === 'npm' ? 'npx' : 'pnpm exec';
  }

  /** Replaces a text in a file that must have it. */
  edit(path: string, from: string, to: string): void {
    const file = join(this.root, path);
    const before = readFileSync(file, 'utf8');
    if (!before.includes(from)) throw new Error(`${path} has no ${JSON.stringify(from)}`);
    writeFileSync(
      file,
      before.replace(from, () => to),
    );
  }

  /** Waits until the namespace is empty, after a dev that ended. */
  nothingLeft(dev: RunningDev): Promise<true> {
    let left: readonly string[] = [];
    return until(
      'nothing is left',
      async () => {
        if (!this.connected) throw new Error('the workspace is not open');
        left = await objectsIn(this.connected, this.namespace);
        return left.length === 0 ? true : undefined;
      },
      () => `left: ${left.join(', ')}\n${dev.told()}`,
    );
  }

  /** What it took so far, for people who read the output of a run. */
  tell(): void {
    const { packageManager, nx } = this.options;
    const seconds = ((performance.now() - this.startedAt) / 1000).toFixed(0);
    const lines = this.typed.map((line) => `  $ ${line.replace(/\S+\/(?=nx-slipway-)/, '')}`);
    process.stdout.write([`${packageManager}, Nx ${nx}: ${this.typed.length} commands, ${seconds} s`, ...lines, ''].join('\n'));
  }

  private write(path: string, content: string | object): void {
    const file = join(this.root, path);
    mkdirSync(dirname(file), { recursive: true });
    writeFileSync(file, typeof content === 'string' ? content : JSON.stringify(content));
  }

  private get env(): Env {
    if (this.options.packageManager === 'npm') return {};
    const [tools, kept] = [join(this.folder, 'tools', 'node_modules', '.bin'), join(this.folder, 'pnpm')];
    return {
      PATH: `${tools}${process.platform === 'win32' ? ';' : ':'}${process.env['PATH'] ?? ''}`,
      PNPM_HOME: kept,
      XDG_CACHE_HOME: join(kept, 'cache'),
      XDG_DATA_HOME: join(kept, 'data'),
      XDG_STATE_HOME: join(kept, 'state'),
      npm_config_store_dir: join(kept, 'store'),
    };
  }
}

/** The command that a generator prints as the next one. */
export function nextCommand(printed: string): string {
  const found = /(?:^Next:|To have one made:)\n {2}(\S.*)$/m.exec(printed)?.[1];
  if (found === undefined) throw new Error(`no next command in:\n${printed}`);
  return found;
}
