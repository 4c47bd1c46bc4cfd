import { createHash, randomUUID } from 'node:crypto';
import {
  copyFileSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  readlinkSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { text } from 'node:stream/consumers';
import { type Kube, type KubeObject, connectKube } from '../clients';
import { valueOf } from './localRegistry';
import { objectsIn } from './objectsIn';
import { type Ended, type Env, runCommand, userEnv } from './runCommand';
import { addTurboConfig, turboVersion, turnIntoPackages } from './packageShop';
import { RunningDev, type DevRequest } from './runningDev';
import { until } from './until';

/** Longer than any single wait of a test, so that it is the wait that tells what is missing. */
jest.setTimeout(300_000);

/** One container of a pod that is not being deleted. */
export interface Running {
  readonly pod: string;
  readonly podUid: string;
  readonly containerId: string;
  readonly restarts: number;
  readonly ready: boolean;
}

export interface RunOptions {
  /** Default: the workspace. */
  readonly cwd?: string;
  readonly env?: Env;
  /** What it must end with; 0 when nothing is said. */
  readonly exitCode?: number;
}

/** A copy of examples/shop with the packed package installed, and a namespace of its own. */
export class Shop {
  readonly namespace = `e2e-${randomUUID().slice(0, 8)}`;
  private readonly folder = join(realpathSync(tmpdir()), `slipway-${this.namespace}`);
  private readonly devs: RunningDev[] = [];
  private connected: Kube | undefined;
  /** What every `dev` that it starts gets besides what a user has. */
  devEnv: Env = {};

  /** Its files alone, for what needs no cluster. */
  unpack(): void {
    const packed = process.env['SLIPWAY_E2E_SHOP'];
    if (packed === undefined) throw new Error('there is no packed shop: jest runs packShop before these tests');
    mkdirSync(this.folder);
    copyWorkspace(packed, this.root);
  }

  async open(): Promise<void> {
    this.unpack();
    const context = process.env['SLIPWAY_CONTEXT'];
    const kube = valueOf(await connectKube(context === undefined ? {} : { context }));
    valueOf(await kube.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: this.namespace } }));
    this.connected = kube;
  }

  /** Ends what runs, and has the namespace deleted without waiting for it. */
  async close(): Promise<void> {
    await Promise.all(this.devs.map((dev) => dev.abandon()));
    rmSync(this.folder, { recursive: true, force: true });
    if (this.connected) valueOf(await this.connected.delete({ apiVersion: 'v1', kind: 'Namespace', name: this.namespace }));
  }

  get kube(): Kube {
    if (!this.connected) throw new Error('the shop is not open');
    return this.connected;
  }

  get root(): string {
    return join(this.folder, 'shop');
  }

  // ---- its files -----------------------------------------------------------------------------------------------

  path(path: string): string {
    return join(this.root, path);
  }

  read(path: string): string {
    return readFileSync(this.path(path), 'utf8');
  }

  write(path: string, content: string): void {
    mkdirSync(dirname(this.path(path)), { recursive: true });
    writeFileSync(this.path(path), content);
  }

  remove(path: string): void {
    rmSync(this.path(path), { recursive: true });
  }

  /** Replaces a text in a file that must have it; gives back what undoes it. */
  edit(path: string, from: string, to: string): () => void {
    const before = this.read(path);
    if (!before.includes(from)) throw new Error(`${path} has no ${JSON.stringify(from)}`);
    this.write(
      path,
      before.replace(from, () => to),
    );
    return () => this.write(path, before);
  }

  /** All below folders of the workspace, by where each is in a container: `d PATH` or `SHA-256 PATH`, sorted. */
  listing(folders: Readonly<Record<string, string>>): readonly string[] {
    return Object.entries(folders)
      .flatMap(([at, folder]) => [`d ${at}`, ...listed(this.path(folder), at)])
      .sort();
  }

  /** Adds a project whose target `e2e` runs a check of what the target `dev` of another answers. */
  addChecks(of: string, { command, waitFor }: { readonly command: string; readonly waitFor?: 'ready' }): void {
    const [namespace, context] = this.where.map((flag) => flag.replace(/^.*=/, ''));
    const dev = { options: { namespace, ...(context !== undefined && { context }) } };
    this.write('nx.json', JSON.stringify({ ...(JSON.parse(this.read('nx.json')) as object), targetDefaults: { dev } }));
    const dependsOn = [{ projects: [of], target: 'dev', ...(waitFor && { waitFor }) }];
    this.write('apps/checks/project.json', JSON.stringify({ name: 'checks', targets: { e2e: { command, dependsOn } } }));
  }

  // ---- the command ---------------------------------------------------------------------------------------------

  /** Runs `slipway` to its end, in the workspace's folder. Another exit code than the wanted one fails the test, with all that was printed. */
  slipway(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
    return this.run('slipway', args, options);
  }

  /** Runs `nx` as `slipway` is run. */
  nx(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
    return this.run('nx', args, options);
  }

  turbo(args: readonly string[], options: RunOptions = {}): Promise<Ended> {
    return this.run('turbo', args, options);
  }

  /** Makes a workspace of npm's of it, with the same sources and without Nx. */
  becomePackages(): void {
    turnIntoPackages(this.root);
  }

  /** Makes a Turborepo of it, with the same sources and without Nx, and installs turbo. */
  async becomeTurborepo(): Promise<void> {
    turnIntoPackages(this.root);
    addTurboConfig(this.root);
    await this.install(`turbo@${turboVersion}`);
    // turbo asks git what belongs to a package. Without a commit it takes the output of a build for its input, and its cache has nothing.
    const git = (...args: readonly string[]) => runCommand({ command: 'git', args, cwd: this.root });
    await git('init', '--quiet');
    await git('add', '.');
    await git('-c', 'user.name=e2e', '-c', 'user.email=e2e@localhost', 'commit', '--quiet', '--message=The shop');
  }

  /** Installs packages into the workspace, as a user would. */
  async install(...packages: readonly string[]): Promise<void> {
    const args = ['install', '--silent', '--no-audit', '--no-fund', '-D', ...packages];
    await runCommand({ command: 'npm', args, cwd: this.root });
  }

  /** Starts `slipway dev` and gives it back at once. */
  dev(...args: readonly string[]): RunningDev {
    return this.start('slipway', ['dev', ...args, ...this.where]);
  }

  /** Starts `slipway dev` at a terminal of its own, made by script(1) of util-linux, and gives it back at once. */
  devAtTerminal(...args: readonly string[]): RunningDev {
    const eventsFile = this.nextEventsFile();
    const words = [this.bin('slipway'), 'dev', ...args, ...this.where, `--events=${eventsFile}`];
    const command = `stty columns 100 rows 30; exec ${words.map((word) => `'${word}'`).join(' ')}`;
    return this.begin({ command: 'script', args: ['-qefc', command, '/dev/null'], eventsFile, takesKeys: true });
  }

  /** Starts `slipway sync` and gives it back at once. */
  sync(...args: readonly string[]): RunningDev {
    return this.goesOn('sync', ...args);
  }

  /** Starts a command of `slipway` that goes on, and gives it back at once. */
  goesOn(...args: readonly string[]): RunningDev {
    return this.start('slipway', [...args, '--json', ...this.where], true);
  }

  nxDev(project: string): RunningDev {
    return this.start('nx', ['run', `${project}:dev`, ...this.where]);
  }

  /** Several in one command of Nx: one process for each, all of which print, and write the same events file. */
  nxDevs(...projects: readonly string[]): RunningDev {
    return this.start('nx', ['run-many', '-t', 'dev', '-p', projects.join(','), '--output-style=stream', ...this.where]);
  }

  /** By the script of a package, which turbo runs. */
  turboDev(packageName: string): RunningDev {
    return this.start('turbo', ['run', 'dev', `--filter=${packageName}`, '--', ...this.where]);
  }

  /** By the script of a package, which npm runs. */
  npmDev(packageName: string): RunningDev {
    return this.start('npm', ['run', 'dev', `--workspace=${packageName}`, '--', ...this.where]);
  }

  /** Flags that say where everything is deployed. */
  get where(): readonly string[] {
    const context = process.env['SLIPWAY_CONTEXT'];
    return [`--namespace=${this.namespace}`, ...(context === undefined ? [] : [`--context=${context}`])];
  }

  private start(bin: string, args: readonly string[], printsEvents = false): RunningDev {
    const eventsFile = this.nextEventsFile();
    return this.begin({
      command: this.bin(bin),
      args: printsEvents ? args : [...args, `--events=${eventsFile}`],
      printsEvents,
      eventsFile,
    });
  }

  private nextEventsFile(): string {
    return join(this.folder, `events-${this.devs.length}.jsonl`);
  }

  private begin(request: Omit<DevRequest, 'cwd' | 'env'>): RunningDev {
    // Who takes keys is a person, wherever the tests run.
    const env = request.takesKeys === true ? { ...userEnv(), CI: undefined, TERM: 'xterm-256color' } : userEnv();
    const dev = new RunningDev({ ...request, cwd: this.root, env: { ...env, ...this.devEnv } });
    this.devs.push(dev);
    return dev;
  }

  private run(bin: string, args: readonly string[], options: RunOptions): Promise<Ended> {
    return runCommand({ command: this.bin(bin), args, cwd: this.root, ...options });
  }

  /** Of what is installed in the workspace; npm is that of the machine. */
  private bin(name: string): string {
    if (name === 'npm') return name;
    return this.path(join('node_modules', '.bin', process.platform === 'win32' ? `${name}.cmd` : name));
  }

  // ---- the cluster ---------------------------------------------------------------------------------------------

  /** The running containers of an application, by the names of their pods. */
  async running(app: string): Promise<readonly Running[]> {
    const pods = valueOf(
      await this.kube.list({ apiVersion: 'v1', kind: 'Pod' }, { namespace: this.namespace, labelSelector: `app=${app}` }),
    );
    return pods.flatMap(runningIn).sort((a, b) => (a.pod < b.pod ? -1 : 1));
  }

  /** The one running container of an application; rejects when there are more, or none. */
  async onlyOne(app: string): Promise<Running> {
    const [first, ...others] = await this.running(app);
    if (!first || others.length > 0) throw new Error(`${app} has ${others.length + (first ? 1 : 0)} containers instead of one`);
    return first;
  }

  /** Asks the first process of a container to end. It may end the asking with it. */
  async endInside(app: string, pod: string): Promise<void> {
    await this.inside(app, pod, ['sh', '-c', 'kill -TERM 1']).catch(() => undefined);
  }

  /** What a command in an application's container prints. */
  async inside(app: string, pod: string, command: readonly string[]): Promise<string> {
    const { stdin, stdout, stderr, ended } = valueOf(await this.kube.exec({ namespace: this.namespace, pod, container: app, command }));
    stdin.end();
    const [printed, complained] = await Promise.all([text(stdout), text(stderr)]);
    const { exitCode, problem } = await ended;
    if (exitCode !== 0) throw new Error(`${command.join(' ')} in ${pod}: ${problem?.message ?? complained}`);
    return printed;
  }

  /** All below a folder of a container, in the words of `listing`. */
  async listingInside(app: string, pod: string, folder: string): Promise<readonly string[]> {
    const script = 'find "$0" -type d | while read -r each; do echo "d $each"; done; find "$0" -type f -exec sha256sum {} +';
    const printed = await this.inside(app, pod, ['sh', '-c', script, folder]);
    return printed
      .split('\n')
      .filter((line) => line !== '')
      .map((line) => line.replace(/^([0-9a-f]{64})  /, '$1 '))
      .sort();
  }

  /** By which a `dev` says that it works on something. */
  async leases(): Promise<readonly string[]> {
    const leases = valueOf(await this.kube.list({ apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' }, { namespace: this.namespace }));
    return leases.map(({ metadata }) => metadata.name ?? '');
  }

  /** Waits until nothing is there any more that a `dev` makes: objects, leases, and processes of its own. */
  async nothingIsLeft(): Promise<void> {
    let left: readonly string[] = [];
    const look = async (): Promise<true | undefined> => {
      const leases = (await this.leases()).map((name) => `Lease/${name}`);
      left = [...(await this.objects()), ...leases, ...processesIn(this.root)];
      return left.length === 0 ? true : undefined;
    };
    await until('nothing is left', look, () => left.join('\n'));
  }

  /** Everything in the namespace but what every namespace has, as `Kind/name`. */
  objects(): Promise<readonly string[]> {
    return objectsIn(this.kube, this.namespace);
  }
}

/** The command lines of processes that run in a folder, or below it. Only Linux tells of all of them. */
function processesIn(folder: string): readonly string[] {
  if (process.platform !== 'linux') return [];
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const cwd = readlinkSync(`/proc/${pid}/cwd`);
        if (cwd !== folder && !cwd.startsWith(`${folder}/`)) return [];
        return [`${pid}: ${readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ')}`];
      } catch {
        // It has ended meanwhile, or is another user's.
        return [];
      }
    });
}

function runningIn(pod: KubeObject): readonly Running[] {
  const { name = '', uid = '', deletionTimestamp } = pod.metadata;
  const status = pod['status'] as { readonly containerStatuses?: readonly ContainerStatus[] } | undefined;
  if (deletionTimestamp !== undefined) return [];
  return (status?.containerStatuses ?? []).flatMap(({ containerID = '', restartCount, ready, state }) =>
    state.running ? [{ pod: name, podUid: uid, containerId: containerID, restarts: restartCount, ready }] : [],
  );
}

interface ContainerStatus {
  readonly containerID?: string;
  readonly restartCount: number;
  readonly ready: boolean;
  readonly state: { readonly running?: object };
}

function listed(folder: string, at: string): readonly string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const [path, inside] = [join(folder, entry.name), `${at}/${entry.name}`];
    if (entry.isDirectory()) return [`d ${inside}`, ...listed(path, inside)];
    return [`${createHash('sha256').update(readFileSync(path)).digest('hex')} ${inside}`];
  });
}

/** npm's own record of what is installed, which it writes anew when it installs more. */
const installRecord = '.package-lock.json';

/** Installed packages are linked and not copied: nothing writes into them, and there are thousands of files. */
function copyWorkspace(from: string, to: string, installed = false): void {
  mkdirSync(to);
  for (const entry of readdirSync(from, { withFileTypes: true })) {
    const [source, target] = [join(from, entry.name), join(to, entry.name)];
    if (entry.isSymbolicLink()) symlinkSync(readlinkSync(source), target);
    else if (entry.isDirectory()) copyWorkspace(source, target, installed || basename(source) === 'node_modules');
    else if (installed && entry.name !== installRecord) linkSync(source, target);
    else copyFileSync(source, target);
  }
}
