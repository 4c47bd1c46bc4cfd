import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import {
  contentDigest,
  dirEntry,
  emptyDir,
  fileEntry,
  linkEntry,
  succeeded,
  type DirEntry,
  type Entry,
  type Problem,
  type Result,
  type SyncChange,
  type WriteMode,
} from '../model';
import { openAgent, type Agent, type Applied, type OpenAgentOptions, type ReadSource } from '../sync';
import { localContainer, programPath, type LocalContainer } from './localContainer';

const needed = ['sh', 'dd', 'tar', 'cat', 'chmod', 'ln', 'mkdir', 'mv', 'rm', 'sleep', 'stat'];
const busybox = programPath('busybox');
const dash = programPath('dash');
const all = (program: (name: string) => string | undefined): Record<string, string> =>
  Object.fromEntries(needed.flatMap((name) => ((path) => (path === undefined ? [] : [[name, path]]))(program(name))));
export const gnu = all((name) => (name === 'sh' ? (dash ?? programPath('sh')) : programPath(name)));

export interface Tools {
  readonly name: string;
  readonly agent: 'node' | 'sh';
  readonly programs: Readonly<Record<string, string>>;
}

export const node: Tools = { name: 'node', agent: 'node', programs: { ...gnu, node: process.execPath } };
export const kinds: readonly Tools[] = [
  node,
  { name: 'dash and the GNU tools', agent: 'sh', programs: gnu },
  ...(busybox === undefined ? [] : [{ name: 'busybox', agent: 'sh', programs: all(() => busybox) } as const]),
];

/** A container with one root, the agent in it, and the problems that it was lost with. */
export interface Place {
  readonly folder: string;
  readonly app: string;
  readonly container: LocalContainer;
  readonly losses: Problem[];
  /** Resolves at the first loss. */
  readonly lost: Promise<void>;
  open(id?: string, roots?: readonly string[], more?: Partial<OpenAgentOptions>): Promise<Result<Agent>>;
}

const places: Place[] = [];

export function place({ programs }: Tools, user?: number): Place {
  const folder = mkdtempSync(join(tmpdir(), 'slipway agent '));
  chmodSync(folder, 0o755);
  const app = join(folder, 'app');
  mkdirSync(app);
  mkdirSync(join(folder, 'ledgers'));
  chmodSync(join(folder, 'ledgers'), 0o777);
  const container = localContainer(folder, programs, user);
  const losses: Problem[] = [];
  let loss: () => void = () => undefined;
  const lost = new Promise<void>((resolve) => (loss = resolve));
  const made: Place = {
    folder,
    app,
    container,
    losses,
    lost,
    open: (id = 'containerd://1', roots = [app], more = {}) =>
      openAgent({
        kube: container.kube,
        container: { namespace: 'shop', pod: 'api-1', container: 'api', id },
        roots,
        onLost(problem) {
          losses.push(problem);
          loss();
        },
        ledgerFolders: `${join(folder, 'missing')}:${join(folder, 'ledgers')}`,
        ...more,
      }),
  };
  places.push(made);
  return made;
}
/** After each test: ends every container that it had, and removes its files. */
export async function closePlaces(): Promise<void> {
  for (const { container, folder } of places.splice(0)) {
    await container.kill();
    rmSync(folder, { recursive: true });
  }
}

export async function opened(at: Place, id?: string, roots?: readonly string[]): Promise<Agent> {
  return valueOf(await at.open(id, roots));
}

export function valueOf<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.problem.code}: ${result.problem.message}\n${result.problem.detail ?? ''}`);
  return result.value;
}

export const directory = Symbol('directory');

/** What a change asks for, as text, a mode, a link or nothing. */
export type Wanted =
  string | Buffer | { readonly text: string; readonly mode: number } | { readonly link: string } | typeof directory | undefined;

export function change(path: string, wanted: Wanted, contents: Map<string, Buffer>): SyncChange {
  if (wanted === undefined) return { path, after: undefined };
  if (wanted === directory) return { path, after: emptyDir };
  if (typeof wanted === 'object' && 'link' in wanted) return { path, source: path, after: linkEntry(wanted.link) };
  const [text, mode] = typeof wanted === 'object' && 'text' in wanted ? [wanted.text, wanted.mode] : [wanted, 0o644];
  const bytes = Buffer.from(text);
  contents.set(path, bytes);
  return { path, source: path, after: fileEntry({ digest: contentDigest(bytes), size: bytes.length, mode }) };
}

export function reading(contents: ReadonlyMap<string, Buffer>): ReadSource {
  return ({ path }) => {
    const bytes = contents.get(path);
    return succeeded(bytes && { kind: 'bytes', bytes });
  };
}

export function apply(agent: Agent, wanted: readonly (readonly [string, Wanted])[], write?: WriteMode): Promise<Result<Applied>> {
  const contents = new Map<string, Buffer>();
  const changes = wanted.map(([path, each]) => ({ ...change(path, each, contents), ...(write && { write }) }));
  return agent.apply({ changes, read: reading(contents) });
}
/** A container whose connection is cut when so much of a text was sent to a process in it. */
export function cutAfter({ kube }: LocalContainer, text: string): LocalContainer['kube'] {
  return {
    async exec(request) {
      const exec = await kube.exec(request);
      if (!exec.ok) return exec;
      const { stdin } = exec.value;
      const write = (chunk: Buffer, _encoding: unknown, taken: () => void): void => {
        const at = chunk.indexOf(text);
        if (at >= 0) stdin.end(chunk.subarray(0, at + text.length));
        else if (stdin.writable) stdin.write(chunk);
        taken();
      };
      return succeeded({ ...exec.value, stdin: new Writable({ write }) });
    },
  };
}
/** What stands on the disk. */
export function treeOf(folder: string): DirEntry {
  const entries = new Map<string, Entry>();
  for (const child of readdirSync(folder, { withFileTypes: true })) {
    const path = join(folder, child.name);
    if (child.isDirectory()) entries.set(child.name, treeOf(path));
    else if (child.isSymbolicLink()) entries.set(child.name, linkEntry(readlinkSync(path)));
    else
      entries.set(
        child.name,
        fileEntry({ digest: contentDigest(readFileSync(path)), size: statSync(path).size, mode: statSync(path).mode }),
      );
  }
  return dirEntry(entries);
}

export const oddNames = [
  'a',
  'b',
  'b c',
  ' x ',
  '-rf',
  `q'"`,
  'ünï ā Ă ą Ć',
  '*',
  '?',
  '日本',
  'new\nline',
  '\n',
  'tab\tx',
  '%41',
  '#5',
  '$HOME',
  'a\\b',
  '=',
  '..a',
  '[x]',
  '\u0001\u0007',
];
