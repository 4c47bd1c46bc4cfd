import { spawn } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { Writable } from 'node:stream';
import fc from 'fast-check';
import {
  contentDigest,
  diffTrees,
  dirEntry,
  emptyDir,
  fileEntry,
  linkEntry,
  succeeded,
  withEntries,
  type DirEntry,
  type Entry,
  type Problem,
  type Result,
  type SyncChange,
  type WriteMode,
} from '../model';
import { localContainer, programPath, type LocalContainer } from '../testkit/localContainer';
import type { Agent, Applied } from './agent';
import { openAgent, type OpenAgentOptions } from './openAgent';
import { sourceReader, type Content, type ReadSource } from './sourceReader';

const needed = ['sh', 'dd', 'tar', 'cat', 'chmod', 'ln', 'mkdir', 'mv', 'rm', 'sleep'];
const busybox = programPath('busybox');
const dash = programPath('dash');
const all = (program: (name: string) => string | undefined): Record<string, string> =>
  Object.fromEntries(needed.flatMap((name) => ((path) => (path === undefined ? [] : [[name, path]]))(program(name))));
const gnu = all((name) => (name === 'sh' ? (dash ?? programPath('sh')) : programPath(name)));

interface Tools {
  readonly name: string;
  readonly agent: 'node' | 'sh';
  readonly programs: Readonly<Record<string, string>>;
}

const node: Tools = { name: 'node', agent: 'node', programs: { ...gnu, node: process.execPath } };
const kinds: readonly Tools[] = [
  node,
  { name: 'dash and the GNU tools', agent: 'sh', programs: gnu },
  ...(busybox === undefined ? [] : [{ name: 'busybox', agent: 'sh', programs: all(() => busybox) } as const]),
];

/** A container with one root, the agent in it, and the problems that it was lost with. */
interface Place {
  readonly folder: string;
  readonly app: string;
  readonly container: LocalContainer;
  readonly losses: Problem[];
  /** Resolves at the first loss. */
  readonly lost: Promise<void>;
  open(id?: string, roots?: readonly string[], more?: Partial<OpenAgentOptions>): Promise<Result<Agent>>;
}

const places: Place[] = [];

function place({ programs }: Tools, user?: number): Place {
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

afterEach(async () => {
  for (const { container, folder } of places.splice(0)) {
    await container.kill();
    rmSync(folder, { recursive: true });
  }
});

async function opened(at: Place, id?: string, roots?: readonly string[]): Promise<Agent> {
  return valueOf(await at.open(id, roots));
}

function valueOf<T>(result: Result<T>): T {
  if (!result.ok) throw new Error(`${result.problem.code}: ${result.problem.message}\n${result.problem.detail ?? ''}`);
  return result.value;
}

const directory = Symbol('directory');

/** What a change asks for, as text, a mode, a link or nothing. */
type Wanted = string | Buffer | { readonly text: string; readonly mode: number } | { readonly link: string } | typeof directory | undefined;

function change(path: string, wanted: Wanted, contents: Map<string, Buffer>): SyncChange {
  if (wanted === undefined) return { path, after: undefined };
  if (wanted === directory) return { path, after: emptyDir };
  if (typeof wanted === 'object' && 'link' in wanted) return { path, source: path, after: linkEntry(wanted.link) };
  const [text, mode] = typeof wanted === 'object' && 'text' in wanted ? [wanted.text, wanted.mode] : [wanted, 0o644];
  const bytes = Buffer.from(text);
  contents.set(path, bytes);
  return { path, source: path, after: fileEntry({ digest: contentDigest(bytes), size: bytes.length, mode }) };
}

function reading(contents: ReadonlyMap<string, Buffer>): ReadSource {
  return ({ path }) => {
    const bytes = contents.get(path);
    return succeeded(bytes && { kind: 'bytes', bytes });
  };
}

function apply(agent: Agent, wanted: readonly (readonly [string, Wanted])[], write?: WriteMode): Promise<Result<Applied>> {
  const contents = new Map<string, Buffer>();
  const changes = wanted.map(([path, each]) => ({ ...change(path, each, contents), ...(write && { write }) }));
  return agent.apply({ changes, read: reading(contents) });
}

/** Passes on what is written in pieces, each when the one before has been taken; archives and the agent's source, which are long, as they are. */
function inPieces(stdin: NodeJS.WritableStream, pieces: RegExp): Writable {
  return new Writable({
    write(chunk: Buffer, _encoding, taken) {
      const rest =
        chunk.length > 5000 ? [chunk] : (chunk.toString('latin1').match(pieces) ?? []).map((piece) => Buffer.from(piece, 'latin1'));
      const next = (): void => {
        const piece = rest.shift();
        if (piece) stdin.write(piece, () => setTimeout(next, 1));
        else taken();
      };
      next();
    },
    final(done) {
      stdin.end(done);
    },
  });
}

/** A container whose connection is cut when so much of a text was sent to a process in it. */
function cutAfter({ kube }: LocalContainer, text: string): LocalContainer['kube'] {
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

/**
 * A process that reads a file again and again, as fast as it can, until it is ended: then it tells each kind of thing that it saw, once. A text of
 * one letter is told as the letter and its length, `empty` and `missing` as such, anything else as the letters in it.
 */
function readerOf(file: string): { readonly reads: Promise<void>; end(): Promise<ReadonlySet<string>> } {
  const script = `
    const fs = require('fs'), seen = new Set();
    process.stdin.on('end', () => { console.log(JSON.stringify([...seen])); process.exit(0); }).resume();
    (function look() {
      for (let time = 0; time < 20; time++) {
        let text;
        try { text = fs.readFileSync(process.argv[1], 'latin1'); } catch { seen.add('missing'); continue; }
        const letters = [...new Set(text)];
        seen.add(text === '' ? 'empty' : letters.length === 1 ? letters[0] + text.length : letters.sort().join(''));
      }
      if (seen.size > 0 && !look.told) { look.told = true; console.log('reading'); }
      setImmediate(look);
    })();`;
  const child = spawn(process.execPath, ['-e', script, file], { stdio: ['pipe', 'pipe', 'inherit'] });
  const lines: string[] = [];
  const told = new Promise<string[]>((resolve) => child.stdout.once('close', () => resolve(lines)));
  const reads = new Promise<void>((resolve) =>
    child.stdout.on('data', (text: Buffer) => {
      lines.push(text.toString());
      resolve();
    }),
  );
  return {
    reads,
    async end() {
      child.stdin.end();
      return new Set(JSON.parse((await told).join('').replace('reading\n', '')) as readonly string[]);
    },
  };
}

/** What stands on the disk. */
function treeOf(folder: string): DirEntry {
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

const oddNames = [
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

describe.each(kinds)('the agent on $name', (tools) => {
  it('says who it is, which user, and that nothing was done yet', async () => {
    const agent = await opened(place(tools));
    expect(agent.name).toBe(tools.agent);
    expect(agent.hello).toMatchObject({ user: String(process.geteuid?.()), ledger: [] });
  });

  it('writes files, directories and links, with their modes', async () => {
    const at = place(tools);
    const agent = await opened(at);
    const applied = valueOf(
      await apply(agent, [
        [`${at.app}/new/deep/a.txt`, 'hello'],
        [`${at.app}/run`, { text: '#!/bin/sh\n', mode: 0o755 }],
        [`${at.app}/secret`, { text: 's', mode: 0o600 }],
        [`${at.app}/empty`, ''],
        [`${at.app}/folder`, directory],
        [`${at.app}/link`, { link: '-n ../elsewhere' }],
      ]),
    );
    expect(applied.holds.map(([path, entry]) => [path, entry?.hash])).toEqual([
      [`${at.app}/new/deep/a.txt`, fileEntry({ digest: contentDigest('hello'), size: 5, mode: 0o644 }).hash],
      [`${at.app}/run`, fileEntry({ digest: contentDigest('#!/bin/sh\n'), size: 10, mode: 0o755 }).hash],
      [`${at.app}/secret`, fileEntry({ digest: contentDigest('s'), size: 1, mode: 0o600 }).hash],
      [`${at.app}/empty`, fileEntry({ digest: contentDigest(''), size: 0, mode: 0o644 }).hash],
      [`${at.app}/folder`, emptyDir.hash],
      [`${at.app}/link`, linkEntry('-n ../elsewhere').hash],
    ]);
    expect(applied.bytes).toBe(16);
    expect(readFileSync(`${at.app}/new/deep/a.txt`, 'utf8')).toBe('hello');
    expect(statSync(`${at.app}/run`).mode & 0o777).toBe(0o755);
    expect(statSync(`${at.app}/secret`).mode & 0o777).toBe(0o600);
    expect(readdirSync(at.app).sort()).toEqual(['empty', 'folder', 'link', 'new', 'run', 'secret']);
    expect(readlinkSync(`${at.app}/link`)).toBe('-n ../elsewhere');
  });

  it('passes every byte unchanged', async () => {
    const at = place(tools);
    const agent = await opened(at);
    const bytes = Buffer.concat([Buffer.from(Array.from({ length: 256 }, (_, byte) => byte)), Buffer.from('\n.\nk\t1\n\0\r\n')]);
    const sizes = [0, 1, 511, 512, 65535, 65536, 65537, 200_000, 1048576, 1048577, 3_000_001];
    const contents = sizes.map((size) => Buffer.alloc(size, bytes));
    valueOf(
      await apply(
        agent,
        contents.map((content) => [`${at.app}/${content.length}`, content] as const),
      ),
    );
    for (const content of contents) expect(readFileSync(`${at.app}/${content.length}`).equals(content)).toBe(true);
  });

  it.each([
    ['in small pieces', /[^]{1,7}/g],
    ['right before and after contents', /[^]+?(?=(?:(?<=\t\.\n)f )|\.\ne |$)/g],
  ])('understands what comes %s', async (_, pieces) => {
    const at = place(tools);
    const { exec } = at.container.kube;
    at.container.kube.exec = async (request) => {
      const started = await exec(request);
      return started.ok ? succeeded({ ...started.value, stdin: inPieces(started.value.stdin, pieces) }) : started;
    };
    const agent = await opened(at);
    for (const text of ['abc', 'dé', '', 'x'.repeat(300)]) {
      valueOf(await apply(agent, [[`${at.app}/a`, text]]));
      expect(readFileSync(`${at.app}/a`, 'utf8')).toBe(text);
    }
    valueOf(
      await apply(
        agent,
        Array.from({ length: 12 }, (_, index) => [`${at.app}/${index}`, 'many'] as const),
      ),
    );
    expect(readdirSync(at.app)).toHaveLength(13);
    expect(valueOf(await agent.run(['sh', '-c', 'echo "$1"', 'sh', 'an argument'])).output).toBe('an argument\n');
  });

  it('writes an existing file in place, never leaving it empty, and cuts it to its length', async () => {
    const at = place(tools);
    const agent = await opened(at);
    const file = `${at.app}/a`;
    writeFileSync(file, 'x'.repeat(3000));
    chmodSync(file, 0o664);
    const { ino } = statSync(file);
    for (let size = 50; size > 0; size--) {
      const applying = apply(agent, [[file, 'y'.repeat(size * 40)]]);
      const state = { over: false };
      void applying.then(() => (state.over = true));
      while (!state.over) {
        expect(readFileSync(file).length).toBeGreaterThan(0);
        await new Promise((resolve) => setImmediate(resolve));
      }
      expect(readFileSync(file, 'utf8')).toBe('y'.repeat(size * 40));
    }
    expect(statSync(file).ino).toBe(ino);
    valueOf(await apply(agent, [[file, { text: 'z', mode: 0o755 }]]));
    expect(statSync(file)).toMatchObject({ ino, size: 1 });
    expect(statSync(file).mode & 0o755).toBe(0o755);
  });

  it.each(['in-place', 'atomic'] as const)('shows somebody who reads while it writes %s what it says it shows', async (write) => {
    const at = place(tools);
    const agent = await opened(at);
    const [file, made] = [`${at.app}/a`, `${at.app}/made`];
    const texts = Array.from('abcdefghijklmnopqrst').map((letter, index) => letter.repeat(index % 2 === 0 ? 40_000 : 300_000));
    const [first = '', ...others] = texts;
    writeFileSync(file, first);
    const readers = [readerOf(file), readerOf(made)];
    await Promise.all(readers.map(({ reads }) => reads));
    for (const text of others) valueOf(await apply(agent, [[file, text]], write));
    for (let time = 0; time < 5; time++) {
      valueOf(await apply(agent, [[made, first]], write));
      valueOf(await apply(agent, [[made, undefined]]));
    }
    // Ten and more at once.
    for (const text of texts.slice(0, 6))
      if (write === 'atomic')
        valueOf(await apply(agent, [[file, text], ...[...Array(15).keys()].map((each) => [`${at.app}/${each}`, text] as const)], write));
    const [sawFile, sawMade] = await Promise.all(readers.map((each) => each.end()));
    const whole = new Set(texts.map((text) => `${text.slice(0, 1)}${String(text.length)}`));
    const halves = [...(sawFile ?? [])].filter((each) => !whole.has(each));
    expect(write === 'atomic' ? halves : halves.filter((each) => each === 'empty' || each === 'missing')).toEqual([]);
    // Of two neighbours, at that.
    for (const each of halves) expect('abcdefghijklmnopqrst').toContain(each.replace(/\d+$/, ''));
    expect([...(sawMade ?? [])].filter((each) => each !== 'missing' && each !== 'a40000')).toEqual([]);
  });

  it('replaces by a rename what is to be atomic: the file, its mode, a link or a directory in its place', async () => {
    const at = place(tools);
    const agent = await opened(at);
    writeFileSync(`${at.app}/file`, 'before, and longer', { mode: 0o755 });
    mkdirSync(`${at.app}/dir/below`, { recursive: true });
    mkdirSync(`${at.folder}/elsewhere`);
    symlinkSync(`${at.folder}/elsewhere`, `${at.app}/link`);
    const { ino } = statSync(`${at.app}/file`);
    const wanted = ['file', 'dir', 'link', 'new'].map((name) => [`${at.app}/${name}`, { text: name, mode: 0o600 }] as const);
    expect(valueOf(await apply(agent, wanted, 'atomic')).notWritten).toEqual([]);
    expect(statSync(`${at.app}/file`).ino).not.toBe(ino);
    for (const [path, { text }] of wanted) {
      expect(readFileSync(path, 'utf8')).toBe(text);
      expect(statSync(path).mode & 0o777).toBe(0o600);
    }
    expect(readdirSync(`${at.folder}/elsewhere`)).toEqual([]);
    expect(readdirSync(at.app).sort()).toEqual(['dir', 'file', 'link', 'new']);
  });

  it('keeps existing files where they are when many come at once', async () => {
    const at = place(tools);
    const agent = await opened(at);
    const files = Array.from({ length: 30 }, (_, index) => `${at.app}/${index}`);
    for (const file of files) writeFileSync(file, 'before, and longer');
    const before = files.map((file) => statSync(file).ino);
    valueOf(
      await apply(
        agent,
        files.map((file) => [file, 'after'] as const),
      ),
    );
    expect(files.map((file) => statSync(file).ino)).toEqual(before);
    expect(files.map((file) => readFileSync(file, 'utf8'))).toEqual(files.map(() => 'after'));
  });

  it('gives existing files their new modes when many come at once, to whoever the container runs as', async () => {
    const at = place(tools, process.geteuid?.() === 0 ? 65534 : undefined);
    chmodSync(at.app, 0o777);
    const agent = await opened(at);
    const many = (mode: number) => [...Array(30).keys()].map((index) => [`${at.app}/${index}`, { text: String(mode), mode }] as const);
    for (const mode of [0o644, 0o755, 0o600, 0o700, 0o644]) {
      valueOf(await apply(agent, many(mode)));
      expect(new Set(many(mode).map(([path]) => statSync(path).mode & 0o777))).toEqual(new Set([mode]));
    }
  });

  it.each(oddNames)('takes the name %j', async (name) => {
    const at = place(tools);
    const agent = await opened(at);
    valueOf(
      await apply(agent, [
        [`${at.app}/${name}/${name}`, name],
        [`${at.app}/l`, { link: name }],
        [`${at.app}/${name}.old`, 'x'],
      ]),
    );
    valueOf(await apply(agent, [[`${at.app}/${name}.old`, undefined]]));
    expect(readFileSync(`${at.app}/${name}/${name}`, 'utf8')).toBe(name);
    expect(readlinkSync(`${at.app}/l`)).toBe(name);
    expect(readdirSync(at.app).sort()).toEqual([name, 'l'].sort());
    await agent.close();
    expect((await opened(at)).hello.ledger.map(([path]) => path)).toEqual(
      [`${at.app}/${name}.old`, `${at.app}/${name}/${name}`, `${at.app}/l`].sort(),
    );
  });

  it('takes long paths and long links, alone and among many', async () => {
    const at = place(tools);
    const agent = await opened(at);
    const folder = `${at.app}/${'d'.repeat(120)}`;
    const target = '../'.repeat(60);
    const many = [...Array(15).keys()].map((index) => [`${folder}/many/${'f'.repeat(200)}${index}`, String(index)] as const);
    valueOf(
      await apply(agent, [
        [`${folder}/a/file`, 'x'],
        [`${folder}/a/link`, { link: target }],
      ]),
    );
    valueOf(await apply(agent, [[`${folder}/many/link`, { link: target }], ...many]));
    expect([readlinkSync(`${folder}/a/link`), readlinkSync(`${folder}/many/link`)]).toEqual([target, target]);
    expect(many.map(([path]) => readFileSync(path, 'utf8'))).toEqual(many.map(([, text]) => text));
  });

  it('removes what is there, and finds nothing wrong with what is not', async () => {
    const at = place(tools);
    const agent = await opened(at);
    mkdirSync(`${at.app}/d/e`, { recursive: true });
    writeFileSync(`${at.app}/d/e/f`, '');
    writeFileSync(`${at.folder}/kept`, '');
    symlinkSync(at.folder, `${at.app}/d/out`);
    valueOf(
      await apply(agent, [
        [`${at.app}/d`, undefined],
        [`${at.app}/none`, undefined],
        [`${at.app}/no/such/place`, undefined],
      ]),
    );
    expect(readdirSync(at.app)).toEqual([]);
    expect(existsSync(`${at.folder}/kept`)).toBe(true);
    writeFileSync(`${at.app}/file`, '');
    valueOf(
      await apply(
        agent,
        [...Array(150).keys()].map((index) => [`${at.app}/file/${index}`, undefined] as const),
      ),
    );
    expect(readdirSync(at.app)).toEqual(['file']);
  });

  it('never writes through a link that leads out of the roots', async () => {
    const at = place(tools);
    mkdirSync(`${at.folder}/elsewhere`);
    writeFileSync(`${at.folder}/elsewhere/f`, 'theirs');
    symlinkSync('../elsewhere', `${at.app}/out`);
    symlinkSync('../elsewhere/f', `${at.app}/f`);
    const agent = await opened(at);
    const refused = async (...changes: Parameters<typeof apply>[1]) => valueOf(await apply(agent, changes)).notWritten;
    const [first, ...others] = await refused([`${at.app}/out/f`, 'ours'], [`${at.app}/fine`, 'x']);
    expect(first).toMatchObject({ path: `${at.app}/out/f`, problem: { code: 'syncRefused' } });
    expect(first?.problem?.message).toContain(
      `${at.app}/out/f cannot be changed in container api of pod api-1: it is reached through a link to`,
    );
    expect(others).toEqual([]);
    expect(await refused([`${at.app}/out/new/f`, 'ours'])).toHaveLength(1);
    expect(await refused([`${at.app}/out/f`, undefined])).toHaveLength(1);
    expect(await refused(...[...Array(20).keys()].map((index) => [`${at.app}/out/${index}`, 'ours'] as const))).toHaveLength(20);
    expect(await refused(...[...Array(20).keys()].map((index) => [`${at.app}/out/f${index}`, undefined] as const))).toHaveLength(20);
    // A link at the path itself is replaced.
    valueOf(await apply(agent, [[`${at.app}/f`, 'ours']]));
    valueOf(
      await apply(agent, [
        [`${at.app}/out`, directory],
        ...[...Array(20).keys()].map((index) => [`${at.app}/out/${index}`, 'ours'] as const),
      ]),
    );
    expect(treeOf(`${at.folder}/elsewhere`)).toEqual(
      dirEntry(new Map([['f', fileEntry({ digest: contentDigest('theirs'), size: 6, mode: 0o644 })]])),
    );
    expect(readFileSync(`${at.app}/f`, 'utf8')).toBe('ours');
    expect(readFileSync(`${at.app}/fine`, 'utf8')).toBe('x');
  });

  it('does write through a link that leads to a place within a root, or to a root', async () => {
    const at = place(tools);
    mkdirSync(`${at.app}/real`);
    symlinkSync('real', `${at.app}/alias`);
    symlinkSync('app', `${at.folder}/current`);
    const agent = await opened(at, 'containerd://1', [`${at.folder}/current`]);
    valueOf(
      await apply(agent, [
        [`${at.folder}/current/alias/f`, 'x'],
        [`${at.folder}/current/alias/new/f`, 'x'],
      ]),
    );
    expect(readFileSync(`${at.app}/real/f`, 'utf8')).toBe('x');
    expect(readFileSync(`${at.app}/real/new/f`, 'utf8')).toBe('x');
  });

  it('sends what a file holds when it is read, and says so', async () => {
    const at = place(tools);
    const agent = await opened(at);
    const contents = new Map<string, Buffer>();
    const asked = [
      change(`${at.app}/newer`, 'seen', contents),
      change(`${at.app}/gone`, 'seen', contents),
      change(`${at.app}/same`, 'same', contents),
    ];
    contents.set(`${at.app}/newer`, Buffer.from('newer'));
    contents.delete(`${at.app}/gone`);
    const applied = valueOf(await agent.apply({ changes: asked, read: reading(contents) }));
    expect(applied.skipped).toEqual([`${at.app}/gone`]);
    expect(applied.holds).toEqual([
      [`${at.app}/newer`, fileEntry({ digest: contentDigest('newer'), size: 5, mode: 0o644 })],
      [`${at.app}/same`, asked[2]?.after],
    ]);
    expect(readFileSync(`${at.app}/newer`, 'utf8')).toBe('newer');
    expect(existsSync(`${at.app}/gone`)).toBe(false);
  });

  it.each([
    ['shrinks', 90_000],
    ['grows', 110_000],
  ])('keeps in step with a streamed file that %s while it is read', async (_, really) => {
    const at = place(tools);
    const agent = await opened(at);
    async function* chunks(): AsyncGenerator<Buffer> {
      for (let sent = 0; sent < really; sent += 10_000) yield await Promise.resolve(Buffer.alloc(10_000, 'x'));
    }
    const contents = new Map<string, Buffer>();
    const asked = [change(`${at.app}/streamed`, 'seen', contents), change(`${at.app}/after`, 'after', contents)];
    const read: ReadSource = (asked) =>
      asked.path.endsWith('streamed') ? succeeded<Content>({ kind: 'stream', size: 100_000, chunks: chunks() }) : reading(contents)(asked);
    const applied = valueOf(await agent.apply({ changes: asked, read }));
    const held = applied.holds.find(([path]) => path.endsWith('streamed'))?.[1];
    const stands = readFileSync(`${at.app}/streamed`);
    expect(held).toEqual(fileEntry({ digest: contentDigest(stands), size: stands.length, mode: 0o644 }));
    expect(stands.length).toBe(100_000);
    expect(readFileSync(`${at.app}/after`, 'utf8')).toBe('after');
  });

  it('streams a file of 100 MB with little memory on either side', async () => {
    const at = place(tools);
    const agent = await opened(at);
    writeFileSync(`${at.folder}/large`, 'start');
    truncateSync(`${at.folder}/large`, 100 * 1024 * 1024);
    const after = fileEntry({ digest: '', size: 100 * 1024 * 1024, mode: 0o644 });
    const read = sourceReader(at.folder);
    let waiting = 0;
    async function* watched(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
      for await (const chunk of chunks) {
        waiting = Math.max(waiting, at.container.processes[0]?.stdin?.writableLength ?? Infinity);
        yield chunk;
      }
    }
    // Once it is new, then it is written in place.
    for (let time = 0; time < 2; time++) {
      const applied = valueOf(
        await agent.apply({
          changes: [{ path: `${at.app}/large`, source: 'large', after }],
          read(asked) {
            const content = valueOf(read(asked));
            if (content?.kind !== 'stream') throw new Error('it is too large to be held');
            return succeeded({ ...content, chunks: watched(content.chunks) });
          },
        }),
      );
      expect(applied.bytes).toBe(after.size);
      expect(statSync(`${at.app}/large`).size).toBe(after.size);
    }
    expect(waiting).toBeLessThan(1024 * 1024);
    const peak = /VmHWM:\s*(\d+) kB/.exec(readFileSync(`/proc/${at.container.processes[0]?.pid ?? 0}/status`, 'utf8'));
    expect(Number(peak?.[1])).toBeLessThan(100 * 1024);
  });

  it('takes several batches at once, and ends them in order', async () => {
    const at = place(tools);
    const agent = await opened(at);
    const ended: number[] = [];
    const batches = Array.from({ length: 20 }, async (_, number) => {
      valueOf(
        await apply(agent, [
          [`${at.app}/same`, `batch ${number}`],
          [`${at.app}/${number}`, 'x'],
        ]),
      );
      ended.push(number);
    });
    const ran = agent.run(['sh', '-c', 'echo in between']);
    await Promise.all(batches);
    expect(valueOf(await ran)).toEqual({ exitCode: 0, output: 'in between\n' });
    expect(ended).toEqual(Array.from({ length: 20 }, (_, number) => number));
    expect(readFileSync(`${at.app}/same`, 'utf8')).toBe('batch 19');
  });

  it('gives a file the mode that was asked for last, also when the one before is still on its way', async () => {
    const at = place(tools);
    const agent = await opened(at);
    valueOf(await apply(agent, [[`${at.app}/a`, { text: '0', mode: 0o644 }]]));
    const modes = [0o700, 0o644, 0o755, 0o755, 0o644];
    await Promise.all(modes.map((mode, index) => apply(agent, [[`${at.app}/a`, { text: String(index), mode }]])));
    expect(statSync(`${at.app}/a`).mode & 0o777).toBe(0o644);
    expect(readFileSync(`${at.app}/a`, 'utf8')).toBe('4');
  });

  it('remembers in the container what it did there, for who comes after', async () => {
    const at = place(tools);
    const agent = await opened(at);
    writeFileSync(`${at.app}/old`, '');
    const many = [...Array(40).keys()].map((index) => [`${at.app}/many/${index}`, 'x'] as const);
    valueOf(
      await apply(agent, [
        [`${at.app}/a`, 'a'],
        [`${at.app}/old`, undefined],
        [`${at.app}/l`, { link: 'a' }],
        [`${at.app}/d`, directory],
      ]),
    );
    const { holds } = valueOf(await apply(agent, many));
    await agent.close();
    const next = await opened(at);
    expect(new Map(next.hello.ledger)).toEqual(
      new Map<string, Entry | undefined>([
        [`${at.app}/a`, fileEntry({ digest: contentDigest('a'), size: 1, mode: 0o644 })],
        [`${at.app}/old`, undefined],
        [`${at.app}/l`, linkEntry('a')],
        [`${at.app}/d`, emptyDir],
        ...holds,
      ]),
    );
    await next.close();
    expect(at.losses).toEqual([]);
  });

  it('takes what another container brought there for no more than a hint, which does not get lost', async () => {
    const at = place(tools);
    const agent = await opened(at);
    const brought = ['a', 'd/b', 'gone'].map((name) => [`${at.app}/${name}`, name] as const);
    valueOf(await apply(agent, [[`${at.app}/d`, directory], [`${at.app}/empty`, directory], ...brought]));
    valueOf(await apply(agent, [[`${at.app}/gone`, undefined]]));
    await agent.close();
    const hint = ['a', 'd/b', 'empty'].map((name) => [`${at.app}/${name}`, null]);
    // Started again, and again before anything was brought; the last stream is lost.
    for (const id of ['containerd://2', 'containerd://3', 'containerd://3']) {
      const next = await opened(at, id);
      expect(next.hello.ledger).toEqual(hint);
      await next.close();
    }
    const next = await opened(at, 'containerd://3');
    valueOf(await apply(next, [[`${at.app}/a`, 'new']]));
    await next.close();
    const known = fileEntry({ digest: contentDigest('new'), size: 3, mode: 0o644 });
    expect((await opened(at, 'containerd://3')).hello.ledger).toEqual([[`${at.app}/a`, known], ...hint.slice(1)]);
  });

  it('rewrites a long ledger that repeats itself', async () => {
    const at = place(tools);
    const agent = await opened(at);
    const longName = `${at.app}/${'n'.repeat(200)}`;
    const many = [...Array(400).keys()].map((index) => [`${longName}${index}`, 'x'] as const);
    for (let time = 0; time < 3; time++) valueOf(await apply(agent, many));
    await agent.close();
    const [ledger = ''] = readdirSync(`${at.folder}/ledgers`);
    const before = statSync(`${at.folder}/ledgers/${ledger}`).size;
    const next = await opened(at);
    valueOf(await apply(next, [[`${at.app}/one`, 'x']]));
    expect(statSync(`${at.folder}/ledgers/${ledger}`).size).toBeLessThan(before / 3);
    await next.close();
    expect((await opened(at)).hello.ledger).toHaveLength(401);
  });

  it('does nothing with half of what it was sent', async () => {
    const at = place(tools);
    const [kept, made] = [`${at.app}/kept`, `${at.app}/made`];
    mkdirSync(kept);
    writeFileSync(`${kept}/file`, 'x');
    const removals = (name: string) => Array.from('abcdefgh').map((each) => [`${at.app}/${name}${each}`, undefined] as const);
    const half: readonly (readonly [string, (agent: Agent) => Promise<unknown>])[] = [
      [` 0 0 -\n${kept}`, (agent) => apply(agent, [[`${kept}\n`, undefined]])],
      // Two bytes more than the name: that many end an intention.
      [`${kept}ab`, (agent) => apply(agent, removals('keptab'))],
      [`mkdir.\n${String(made.length + 3)}\n${made}`, (agent) => agent.run(['mkdir', `${made}/up`])],
      [`l 0 9 777 -\n/no`, (agent) => apply(agent, [[kept, { link: '/nowhere!' }]])],
    ];
    for (const [text, ask] of half) {
      const agent = valueOf(await at.open(undefined, undefined, { kube: cutAfter(at.container, text) }));
      expect(await ask(agent)).toMatchObject({ ok: false, problem: { code: 'agentLost' } });
    }
    expect(readdirSync(at.app)).toEqual(['kept']);
    expect(readdirSync(kept)).toEqual(['file']);
  });

  it('keeps its ledger when it is cut off while it rewrites it', async () => {
    const at = place(tools);
    const longName = `${at.app}/${'n'.repeat(200)}`;
    const many = [...Array(400).keys()].map((index) => [`${longName}${index}`, 'x'] as const);
    const agent = await opened(at);
    for (let time = 0; time < 3; time++) valueOf(await apply(agent, many));
    await agent.close();
    const cut = valueOf(await at.open(undefined, undefined, { kube: cutAfter(at.container, `${longName}200\t.\n`) }));
    expect(await apply(cut, [[`${at.app}/one`, 'x']])).toMatchObject({ ok: false, problem: { code: 'agentLost' } });
    expect((await opened(at)).hello.ledger).toHaveLength(400);
  });

  it.each(['killed', 'cut off'])(
    'knows that a write was never acknowledged when it was %s, and leaves no half of it behind',
    async (how) => {
      const at = place(tools);
      const agent = await opened(at);
      valueOf(await apply(agent, [[`${at.app}/before`, 'x']]));
      let sent: (value: unknown) => void = () => undefined;
      const underWay = new Promise((resolve) => (sent = resolve));
      async function* chunks(): AsyncGenerator<Buffer> {
        yield Buffer.alloc(2_000_000);
        while (!existsSync(`${at.app}/.slipway-new`)) await new Promise((resolve) => setImmediate(resolve));
        sent(undefined);
        await new Promise(() => undefined);
      }
      const after = fileEntry({ digest: '', size: 100_000_000, mode: 0o644 });
      const applying = agent.apply({
        changes: [{ path: `${at.app}/large`, source: 'x', after }],
        read: () => succeeded<Content>({ kind: 'stream', size: after.size, chunks: chunks() }),
      });
      await underWay;
      const waiting = apply(agent, [[`${at.app}/later`, 'x']]);
      void applying;
      void waiting;
      const former = at.container.processes[0];
      const ended = new Promise((resolve) => former?.once('exit', resolve));
      if (how === 'killed') await at.container.kill();
      else at.container.cut();
      await ended;
      const next = await opened(at);
      expect(at.losses).toMatchObject([{ code: 'agentLost', retry: 'afterDelay' }]);
      expect(next.hello.ledger).toEqual([
        [`${at.app}/before`, fileEntry({ digest: contentDigest('x'), size: 1, mode: 0o644 })],
        [`${at.app}/large`, null],
      ]);
      expect(existsSync(`${at.app}/large`)).toBe(false);
      valueOf(await apply(next, [[`${at.app}/large`, undefined]]));
      expect(readdirSync(at.app)).toEqual(['before']);
    },
  );

  it('ends one that is still busy though its stream was lost, before it reads what that one did', async () => {
    const at = place(tools);
    const agent = await opened(at);
    valueOf(await apply(agent, [[`${at.app}/a`, 'first']]));
    const former = at.container.processes[0];
    const ended = new Promise((resolve) => former?.once('exit', (_, signal) => resolve(signal)));
    // It holds what it was sent, and would write it when it goes on.
    former?.kill('SIGSTOP');
    const pending = apply(agent, [[`${at.app}/a`, 'second']]);
    at.container.cut();
    expect((await pending).ok).toBe(false);
    const next = await opened(at);
    expect(await ended).toBe('SIGKILL');
    valueOf(await apply(next, [[`${at.app}/a`, 'third']]));
    expect(readFileSync(`${at.app}/a`, 'utf8')).toBe('third');
    await next.close();
    expect(readdirSync(join(at.folder, 'ledgers'))).toHaveLength(1);
  });

  it('does nothing more when another has taken over, and leaves that one in peace', async () => {
    const at = place(tools);
    const agent = await opened(at);
    valueOf(await apply(agent, [[`${at.app}/a`, 'a']]));
    const [pid = ''] = readdirSync(`${at.folder}/ledgers`).filter((name) => name.endsWith('.pid'));
    writeFileSync(`${at.folder}/ledgers/${pid}`, '1 1\n');
    expect(await apply(agent, [[`${at.app}/b`, 'b']])).toMatchObject({ ok: false, problem: { code: 'agentLost' } });
    expect(readdirSync(at.app)).toEqual(['a']);
    expect(readFileSync(`${at.folder}/ledgers/${pid}`, 'utf8')).toBe('1 1\n');
    expect((await opened(at)).hello.ledger.map(([path]) => path)).toEqual([`${at.app}/a`]);
  });

  it('is given up when it does not answer, and the next one goes on', async () => {
    const at = place(tools);
    const agent = valueOf(await at.open(undefined, undefined, { unansweredMs: 300 }));
    valueOf(await apply(agent, [[`${at.app}/a`, 'first']]));
    at.container.processes[0]?.kill('SIGSTOP');
    // More than a pipe takes: it is the writing that gets no further.
    const [small, large] = [apply(agent, [[`${at.app}/a`, 'second']]), apply(agent, [[`${at.app}/b`, Buffer.alloc(1_000_000)]])];
    expect([await small, await large]).toMatchObject(
      [0, 1].map(() => ({ ok: false, problem: { code: 'agentLost', retry: 'afterDelay' } })),
    );
    expect(at.losses.map(({ message }) => message)).toEqual([expect.stringContaining('it did not answer for 0.3 s')]);
    const next = await opened(at);
    valueOf(await apply(next, [[`${at.app}/a`, 'third']]));
    expect(readFileSync(`${at.app}/a`, 'utf8')).toBe('third');
  });

  it('clears a directory whose removal was not acknowledged when it is made again', async () => {
    const at = place(tools);
    const agent = await opened(at);
    await agent.close();
    const [name = ''] = readdirSync(`${at.folder}/ledgers`);
    writeFileSync(`${at.folder}/ledgers/${name}`, `?\t-\t${at.app}/d\t.\n?\tf\t${at.app}/torn`, { flag: 'a' });
    mkdirSync(`${at.app}/d`);
    writeFileSync(`${at.app}/d/left`, '');
    const next = await opened(at);
    expect(next.hello.ledger).toEqual([[`${at.app}/d`, null]]);
    valueOf(
      await apply(next, [[`${at.app}/d`, directory], ...[...Array(20).keys()].map((index) => [`${at.app}/d/${index}`, 'x'] as const)]),
    );
    expect(readdirSync(`${at.app}/d`)).toHaveLength(20);
    await next.close();
    expect((await opened(at)).hello.ledger).toHaveLength(21);
  });

  it('fails what was on its way when the stream is lost, and says so once', async () => {
    const at = place(tools);
    const agent = await opened(at);
    at.container.processes[0]?.kill('SIGSTOP');
    const pending = [apply(agent, [[`${at.app}/a`, 'a']]), apply(agent, [[`${at.app}/b`, 'b']]), agent.run(['sh', '-c', 'true'])];
    await at.container.kill();
    for (const result of await Promise.all(pending))
      expect(result).toMatchObject({ ok: false, problem: { code: 'agentLost', retry: 'afterDelay' } });
    expect(await apply(agent, [[`${at.app}/c`, 'c']])).toMatchObject({ ok: false, problem: { code: 'agentLost' } });
    expect(at.losses).toHaveLength(1);
    await agent.close();
    expect(at.losses).toHaveLength(1);
  });

  it('ends when its input ends, and leaves only its ledger', async () => {
    const at = place(tools);
    const agent = await opened(at);
    valueOf(
      await apply(agent, [
        [`${at.app}/a`, 'a'],
        [`${at.app}/a/b`, 'not possible'],
      ]).then(() => apply(agent, [[`${at.app}/c`, 'c']])),
    );
    const [child] = at.container.processes;
    const ended = new Promise((resolve) => child?.once('exit', resolve));
    child?.stdin?.end();
    expect(await ended).toBe(0);
    expect(readdirSync(at.app).sort()).toEqual(['a', 'c']);
    expect(readdirSync(join(at.folder, 'ledgers'))).toHaveLength(1);
    await at.lost;
    expect(at.losses).toMatchObject([{ code: 'agentLost' }]);
  });

  it('runs commands where the container works, and brings back what they say', async () => {
    const at = place(tools);
    const agent = await opened(at);
    valueOf(await apply(agent, [[`${at.app}/a`, 'a']]));
    expect(valueOf(await agent.run(['sh', '-c', 'pwd; echo "$1" >&2; exit 3', 'sh', `it's "odd"\n*`]))).toEqual({
      exitCode: 3,
      output: `${at.folder}\nit's "odd"\n*\n`,
    });
    expect(valueOf(await agent.run(['no-such-program'])).exitCode).toBe(127);
    expect(valueOf(await agent.run(['sh', '-c', 'cat; sleep 1000 & echo started'])).output).toBe('started\n');
    const target = spawn('sleep', ['1000']);
    const ended = new Promise((resolve) => target.once('exit', (_, signal) => resolve(signal)));
    expect(valueOf(await agent.run(['kill', '-HUP', String(target.pid)]))).toEqual({ exitCode: 0, output: '' });
    expect(await ended).toBe('SIGHUP');
    expect(valueOf(await agent.run(['kill', '-0', '99999999'])).exitCode).not.toBe(0);
    expect(readdirSync(join(at.folder, 'ledgers')).filter((name) => name.endsWith('.out'))).toEqual([]);
  });

  it('says before the first edit which place cannot be written, by whom, and what to do', async () => {
    const at = place(tools, process.geteuid?.() === 0 ? 65534 : undefined);
    chmodSync(at.app, 0o555);
    mkdirSync(`${at.folder}/free`);
    chmodSync(`${at.folder}/free`, 0o777);
    const result = await at.open('containerd://1', [`${at.folder}/free`, at.app, `${at.folder}/free/not/yet`]);
    const user = process.geteuid?.() === 0 ? 65534 : process.geteuid?.();
    expect(result).toMatchObject({
      ok: false,
      problem: {
        code: 'containerNotWritable',
        exitCode: 1,
        message: `${at.app} cannot be written in container api of pod api-1 by user ${user ?? ''}`,
      },
    });
    expect(result.ok ? '' : result.problem.hint).toContain('securityContext.runAsUser');
    expect(at.losses).toEqual([]);
  });

  it('leaves in peace an agent that brings something else there, and what it has written down', async () => {
    const at = place(tools);
    mkdirSync(`${at.app}/docs`);
    const [app, docs] = [await opened(at), valueOf(await at.open(undefined, [`${at.app}/docs`], { part: 'docs' }))];
    valueOf(await apply(docs, [[`${at.app}/docs/a`, 'a']]));
    valueOf(await apply(app, [[`${at.app}/b`, 'b']]));
    await app.close();
    await docs.close();
    expect(at.losses).toEqual([]);
    expect((await opened(at)).hello.ledger.map(([path]) => path)).toEqual([`${at.app}/b`]);
  });

  it('says which path was refused, goes on with the others, and remembers neither too much nor too little', async () => {
    const at = place(tools, process.geteuid?.() === 0 ? 65534 : undefined);
    chmodSync(at.app, 0o777);
    mkdirSync(`${at.app}/theirs`, { mode: 0o555 });
    const agent = await opened(at);
    const result = await apply(agent, [
      [`${at.app}/theirs/a`, 'a'],
      [`${at.app}/b`, 'b'],
    ]);
    expect(valueOf(result).holds.map(([path]) => path)).toEqual([`${at.app}/b`]);
    expect(valueOf(result).notWritten).toMatchObject([{ path: `${at.app}/theirs/a`, problem: { code: 'syncRefused' } }]);
    expect(valueOf(result).notWritten[0]?.problem?.message).toContain('permission denied for user');
    const many = [...[...Array(20).keys()].map((index) => `${at.app}/free${index}`), `${at.app}/theirs/7`].map(
      (path) => [path, 'x'.repeat(5000)] as const,
    );
    // An archive fails as a whole; what is sent again is told one by one.
    const { notWritten } = valueOf(await apply(agent, many));
    const again = valueOf(
      await apply(
        agent,
        many.filter(([path]) => notWritten.some((each) => each.path === path)),
      ),
    );
    expect(again.notWritten).toMatchObject([{ path: `${at.app}/theirs/7`, problem: { code: 'syncRefused' } }]);
    expect(readdirSync(at.app)).toHaveLength(22);
    valueOf(await apply(agent, [[`${at.app}/c`, 'c']]));
    await agent.close();
    const known = new Map((await opened(at)).hello.ledger);
    expect(known.get(`${at.app}/theirs/a`)).toBeNull();
    expect(known.get(`${at.app}/theirs/7`)).toBeNull();
    expect(known.get(`${at.app}/b`)?.kind).toBe('file');
    expect(known.get(`${at.app}/c`)?.kind).toBe('file');
  });

  it('makes any tree into any other', async () => {
    const at = place(tools);
    const agent = await opened(at);
    let count = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(treeArbitrary, { minLength: 2, maxLength: 4 }), async (trees) => {
        const root = `${at.app}/${count++}`;
        mkdirSync(root);
        let before: DirEntry = emptyDir;
        for (const wanted of trees) {
          const contents = new Map<string, Buffer>();
          const after = entryOf(wanted, root, contents);
          if (after.kind !== 'dir') throw new Error('a tree is a directory');
          const changes = diffTrees(before, after).map(({ path, after: entry }) => ({
            path: `${root}/${path}`,
            source: path,
            after: entry,
          }));
          const applied = valueOf(await agent.apply({ changes, read: reading(contents) }));
          expect(applied.holds).toHaveLength(changes.length);
          expect(treeOf(root)).toEqual(after);
          before = after;
        }
      }),
      { numRuns: 25 },
    );
    await agent.close();
    const known = new Map((await opened(at)).hello.ledger);
    for (const [path, entry] of known) {
      if (entry?.kind === 'file') expect(contentDigest(readFileSync(path))).toBe(entry.digest);
      if (entry === undefined) expect(existsSync(path)).toBe(false);
    }
  }, 60_000);

  it('brings any tree about, whenever it is killed or cut off on the way', async () => {
    // As the loop takes what is not known: different from everything that can be wanted.
    const notKnown: Entry = { kind: 'file', digest: '', size: 0, mode: 0, hash: 'f?' };
    await fc.assert(
      fc.asyncProperty(fc.array(fc.tuple(treeArbitrary, fc.nat(60), fc.boolean()), { minLength: 2, maxLength: 4 }), async (turns) => {
        const at = place(tools);
        for (const [wanted, turnsToLive, isKilled] of turns) {
          const contents = new Map<string, Buffer>();
          const after = entryOf(wanted, at.app, contents);
          if (after.kind !== 'dir') throw new Error('a tree is a directory');
          const bring = async (agent: Agent): Promise<void> => {
            const known = agent.hello.ledger.map(
              ([path, entry]) => [path.slice(at.app.length), entry === null ? notKnown : entry] as const,
            );
            const changes = diffTrees(withEntries(emptyDir, known), after).map(({ path, after: entry }) => ({
              path: `${at.app}/${path}`,
              source: path,
              after: entry,
            }));
            await Promise.all(
              [0, 1].map((half) =>
                agent.apply({ changes: half === 0 ? changes.slice(0, 12) : changes.slice(12), read: reading(contents) }),
              ),
            );
          };
          const bringing = bring(await opened(at));
          for (let turn = 0; turn < turnsToLive; turn++) await new Promise((resolve) => setImmediate(resolve));
          if (isKilled) await at.container.kill();
          else at.container.cut();
          await bringing;
          const next = await opened(at);
          await bring(next);
          expect(treeOf(at.app)).toEqual(after);
          await next.close();
        }
      }),
      { numRuns: 8 },
    );
  }, 60_000);
});

type Tree =
  | { readonly kind: 'dir'; readonly children: Readonly<Record<string, Tree>> }
  | { readonly kind: 'file'; readonly text: string; readonly mode: number }
  | { readonly kind: 'link'; readonly target: string };

/** Trees of few names, so that two of them often have different things under one name. */
const treeArbitrary = fc.letrec<{ dir: Tree; any: Tree }>((tie) => ({
  dir: fc.record({
    kind: fc.constant('dir'),
    children: fc.dictionary(fc.constantFrom(...oddNames, ...Array.from('cdefghijklmno')), tie('any'), {
      maxKeys: 16,
      noNullPrototype: true,
    }),
  }),
  any: fc.oneof(
    { maxDepth: 3, withCrossShrink: true },
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('file'),
        text: fc.oneof(
          fc.string({ unit: 'binary' }),
          fc.string().map((text) => text.repeat(3000)),
        ),
        mode: fc.constantFrom(0o644, 0o755, 0o600),
      }),
    },
    { weight: 1, arbitrary: fc.record({ kind: fc.constant('link'), target: fc.constantFrom('../b', '/nowhere', ...oddNames) }) },
    { weight: 2, arbitrary: tie('dir') },
  ),
})).dir;

function entryOf(tree: Tree, path: string, contents: Map<string, Buffer>): Entry {
  switch (tree.kind) {
    case 'file': {
      const bytes = Buffer.from(tree.text);
      contents.set(path, bytes);
      return fileEntry({ digest: contentDigest(bytes), size: bytes.length, mode: tree.mode });
    }
    case 'link':
      return linkEntry(tree.target);
    case 'dir':
      return dirEntry(new Map(Object.entries(tree.children).map(([name, child]) => [name, entryOf(child, `${path}/${name}`, contents)])));
  }
}

describe('the choice of an agent', () => {
  it('is Node where there is no shell', async () => {
    const agent = await opened(place({ ...node, programs: { node: process.execPath } }));
    expect(agent.name).toBe('node');
    expect(valueOf(await agent.run(['kill', '-0', String(process.pid)])).exitCode).toBe(0);
  });

  it('is the shell where Node does not start, or is too old', async () => {
    for (const script of ['#!/bin/sh\nexit 90\n', '#!/bin/sh\necho "libatomic.so.1: cannot open" >&2\nexit 127\n']) {
      const at = place({ ...node, programs: gnu });
      writeFileSync(join(at.folder, 'bin', 'node'), script, { mode: 0o755 });
      expect((await opened(at)).name).toBe('sh');
    }
  });

  it('is impossible without either, and says what is missing', async () => {
    expect(await place({ ...node, programs: {} }).open()).toMatchObject({
      ok: false,
      problem: { code: 'noAgentPossible', exitCode: 1, retry: 'whenInputChanges' },
    });
    const others = Object.fromEntries(Object.entries(gnu).filter(([name]) => name !== 'dd' && name !== 'tar'));
    const result = await place({ ...node, programs: others }).open();
    expect(result).toMatchObject({ ok: false, problem: { code: 'noAgentPossible', exitCode: 1 } });
    expect(result.ok ? '' : result.problem.message).toContain('missing: dd tar');
  });

  it('does not let the options of the app reach the agent, but its commands', async () => {
    const at = place(node);
    at.container.env.NODE_OPTIONS = '--require /no/such/module';
    const agent = await opened(at);
    expect(agent.name).toBe('node');
    expect(valueOf(await agent.run(['sh', '-c', 'echo "$NODE_OPTIONS$SLIPWAY_NODE_OPTIONS"'])).output).toBe('--require /no/such/module\n');
  });

  it('is not waited for when what was started says nothing', async () => {
    const at = place({ ...node, programs: gnu });
    writeFileSync(join(at.folder, 'bin', 'node'), '#!/bin/sh\nexec sleep 60\n', { mode: 0o755 });
    const answer = await at.open(undefined, undefined, { silenceMs: 200 });
    expect(answer).toMatchObject({ ok: false, problem: { code: 'agentFailed', retry: 'afterDelay' } });
  });

  it('passes on what an exec failed with', async () => {
    const problem: Problem = { code: 'clusterUnreachable', message: 'no answer', retry: 'afterDelay', exitCode: 3 };
    const at = place(node);
    const kube = { exec: () => Promise.resolve({ ok: false, problem } as const) };
    const container = { namespace: 'shop', pod: 'api-1', container: 'api', id: 'containerd://1' };
    expect(await openAgent({ kube, container, roots: [at.app], onLost: () => undefined })).toEqual({ ok: false, problem });
  });

  it('keeps no ledger where nothing can be written, and says so', async () => {
    const at = place(node);
    rmSync(join(at.folder, 'ledgers'), { recursive: true });
    const agent = await opened(at);
    expect(agent.hello.ledgerFile).toBeUndefined();
    valueOf(await apply(agent, [[`${at.app}/a`, 'a']]));
    expect(readFileSync(join(dirname(at.app), 'app/a'), 'utf8')).toBe('a');
  });
});
