import { createHash } from 'node:crypto';
import { createReadStream, existsSync, mkdirSync, readFileSync, readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { ClusterProblem } from './problem';
import { run } from './run';

export const KUBERNETES_VERSION = 'v1.34.4';

/** A program that is built from sources in this package. */
export interface Program<Name extends string = string> {
  readonly name: Name;
  /** Where its sources are. Default: in a folder of its name. */
  readonly folder?: string;
  /** Another main package than the folder's own, by its import path; the folder's go.mod says in which version. */
  readonly package?: string;
  readonly ldflags: string;
  /** For a person who waits. */
  readonly firstTime: string;
}

/** What the embedded cluster runs. */
export type ProgramName = 'kubernetes' | 'coredns' | 'pause';

const VERSION = 'k8s.io/component-base/version';
const [MAJOR, MINOR] = KUBERNETES_VERSION.slice(1).split('.');

export const PROGRAMS: { readonly [Name in ProgramName]: Program<Name> } = {
  kubernetes: {
    name: 'kubernetes',
    // Without these it calls itself v0.0.0-master, and clients that compare versions refuse it.
    ldflags: `-s -w -X ${VERSION}.gitVersion=${KUBERNETES_VERSION} -X ${VERSION}.gitMajor=${MAJOR} -X ${VERSION}.gitMinor=${MINOR} -X ${VERSION}.gitTreeState=clean`,
    firstTime: 'about 4 min',
  },
  coredns: { name: 'coredns', ldflags: '-s -w', firstTime: 'about 1 min' },
  pause: { name: 'pause', ldflags: '-s -w', firstTime: 'some seconds' },
};

/** Go, found and asked for its version. */
export interface Go {
  readonly command: string;
  readonly version: string;
}

const OLDEST_GO_MINOR = 24;

export async function findGo(): Promise<Go> {
  for (const command of ['go', '/usr/local/go/bin/go', '/usr/lib/go/bin/go']) {
    const { status, stdout } = await run([command, 'env', 'GOVERSION', 'GOARCH'], { env: goEnv() });
    if (status !== 0) continue;
    const [goVersion = '', arch = ''] = stdout.trim().split('\n');
    const minor = Number(/^go1\.(\d+)/.exec(goVersion)?.[1] ?? NaN);
    if (minor < OLDEST_GO_MINOR) {
      throw new ClusterProblem(
        `Go ${goVersion.replace(/^go/, '')} is too old: the embedded cluster is built with Go 1.${OLDEST_GO_MINOR} or later`,
        'Install a newer Go from go.dev/dl and have it on PATH.',
      );
    }
    return { command, version: `${goVersion}/${arch}` };
  }
  throw new ClusterProblem(
    'Go is not on PATH, and the embedded cluster is built with it',
    'Install Go 1.24 or later from go.dev/dl; or install kind and Docker; or name a cluster of your own with --context.',
  );
}

function goEnv(): NodeJS.ProcessEnv {
  // A workspace file above this folder would change what is built.
  return { ...process.env, CGO_ENABLED: '0', GOWORK: 'off', GOOS: 'linux' };
}

/** What a built program depends on: its sources, how it is built, and the Go that builds it. */
export function keyOf(sources: Readonly<Record<string, string>>, ldflags: string, goVersion: string): string {
  const hash = createHash('sha256');
  for (const name of Object.keys(sources).sort()) hash.update(`${name}\0${sources[name]}\0`);
  return hash.update(`${ldflags}\0${goVersion}`).digest('hex').slice(0, 16);
}

/** `kubernetes-<key>-<digest of the file>`: a file that does not hold what its name says was cut short or changed, and is built anew. */
export function parseCachedName(fileName: string): { readonly name: string; readonly key: string; readonly digest: string } | undefined {
  const match = /^([a-z]+)-([0-9a-f]{16})-([0-9a-f]{16})$/.exec(fileName);
  return match === null ? undefined : { name: match[1] ?? '', key: match[2] ?? '', digest: match[3] ?? '' };
}

export interface Built {
  readonly path: string;
  readonly fromCache: boolean;
}

/** Builds a program, or takes it from the cache when it was built from these very sources before. */
export async function build(
  program: Program,
  {
    go,
    sourceFolder,
    cacheFolder,
    logFile,
  }: { readonly go: Go; readonly sourceFolder: string; readonly cacheFolder: string; readonly logFile: string },
): Promise<Built> {
  const folder = join(sourceFolder, program.folder ?? program.name);
  const sources = Object.fromEntries(
    readdirSync(folder)
      .filter((file) => /\.go$|^go\.(mod|sum)$/.test(file))
      .map((file) => [file, readFileSync(join(folder, file), 'utf8')]),
  );
  const key = keyOf(sources, program.ldflags, go.version);
  mkdirSync(cacheFolder, { recursive: true });
  const cached = await findCached(cacheFolder, program.name, key);
  if (cached !== undefined) return { path: cached, fromCache: true };

  removeAbandoned(cacheFolder);
  const temporary = join(cacheFolder, `.${program.name}.${process.pid}`);
  const command = [
    go.command,
    'build',
    '-trimpath',
    '-buildvcs=false',
    '-mod=readonly',
    '-ldflags',
    program.ldflags,
    '-o',
    temporary,
    program.package ?? '.',
  ] as const;
  const { status, stderr } = await run(['nice', '-n', '5', ...command], { cwd: folder, env: goEnv(), logFile });
  if (status !== 0) {
    rmSync(temporary, { force: true });
    throw new ClusterProblem(
      `building ${program.name} with Go failed: ${stderr.trim().split('\n').at(-1) ?? ''}`,
      'Go fetches its modules through GOPROXY; check that it can be reached.',
      { log: `build-${program.name}` },
    );
  }
  const path = join(cacheFolder, `${program.name}-${key}-${(await digestOf(temporary)).slice(0, 16)}`);
  renameSync(temporary, path);
  return { path, fromCache: false };
}

async function findCached(cacheFolder: string, name: string, key: string): Promise<string | undefined> {
  for (const fileName of readdirSync(cacheFolder)) {
    const parsed = parseCachedName(fileName);
    if (parsed?.name !== name || parsed.key !== key) continue;
    const path = join(cacheFolder, fileName);
    if ((await digestOf(path)).startsWith(parsed.digest)) return path;
    rmSync(path, { force: true });
  }
  return undefined;
}

/** Removes what builds left that were killed: their files carry the number of a process that is no more. */
function removeAbandoned(cacheFolder: string): void {
  for (const fileName of readdirSync(cacheFolder)) {
    const pid = /^\.[a-z]+\.(\d+)$/.exec(fileName)?.[1];
    if (pid !== undefined && !existsSync(`/proc/${pid}`)) rmSync(join(cacheFolder, fileName), { force: true });
  }
}

function digestOf(path: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const hash = createHash('sha256');
    createReadStream(path, { highWaterMark: 1 << 20 })
      .on('data', (chunk) => hash.update(chunk))
      .on('error', reject)
      .on('end', () => resolve(hash.digest('hex')));
  });
}
