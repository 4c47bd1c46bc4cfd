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
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { contentDigest, dirEntry, emptyDir, fileEntry, linkEntry, succeeded } from '../model';
import { kinds, place, closePlaces, opened, valueOf, directory, change, reading, apply, treeOf, oddNames } from '../testkit/agentPlace';
import { sourceReader, type Content, type ReadSource } from './sourceReader';

afterEach(closePlaces);

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
const shells = mkdtempSync(join(tmpdir(), 'slipway shells '));
afterAll(() => rmSync(shells, { recursive: true }));

/** A shell below which no file can have more than 100 KB: to what writes, that is a full disk. */
function withSmallFiles(shell: string): string {
  const folder = mkdtempSync(join(shells, 'shell '));
  symlinkSync(shell, join(folder, 'sh'));
  writeFileSync(join(folder, 'small'), `#!/bin/sh\ntrap '' XFSZ\nulimit -f 200\nexec '${folder}/sh' "$@"\n`, { mode: 0o755 });
  return join(folder, 'small');
}

describe.each(kinds)('the agent on $name', (tools) => {
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
    expect(statSync(file).mode & 0o7777).toBe(0o755);
  });

  it.each([
    ['a file', 1],
    ['many files', 30],
  ])('takes away what others may do to %s that is there, and nobody may here', async (_what, count) => {
    const at = place(tools);
    const agent = await opened(at);
    const files = [...Array(count).keys()].map((index) => `${at.app}/${String(index)}`);
    for (const [index, file] of files.entries()) {
      writeFileSync(file, 'before');
      chmodSync(file, index % 2 === 0 ? 0o664 : 0o666);
    }
    const before = files.map((file) => statSync(file).ino);
    const applied = valueOf(
      await apply(
        agent,
        files.map((file) => [file, { text: 'after', mode: 0o644 }] as const),
      ),
    );
    expect(applied.notWritten).toEqual([]);
    expect(files.map((file) => statSync(file).mode & 0o7777)).toEqual(files.map(() => 0o644));
    expect(files.map((file) => statSync(file).ino)).toEqual(before);
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

  it('tells what a file system has no room for, leaves nothing beside it, and goes on', async () => {
    const at = place({ ...tools, programs: { ...tools.programs, sh: withSmallFiles(tools.programs['sh'] ?? '') } });
    const agent = await opened(at);
    const room = [
      [`${at.app}/large`, 'a'.repeat(3_000_000)],
      [`${at.app}/smaller`, 'b'.repeat(900_000)],
      [`${at.app}/after`, 'after'],
    ] as const;
    for (const how of ['new', 'in place']) {
      if (how === 'in place') for (const name of ['large', 'smaller']) writeFileSync(`${at.app}/${name}`, 'before');
      const { holds, notWritten } = valueOf(await apply(agent, room));
      expect(holds.map(([path]) => path)).toEqual([`${at.app}/after`]);
      expect(notWritten.map(({ path }) => path)).toEqual([`${at.app}/large`, `${at.app}/smaller`]);
      for (const { problem } of notWritten) expect(problem?.message).toMatch(/: .*(EFBIG|File too large)/);
    }
    expect(valueOf(await apply(agent, [[`${at.app}/large`, 'has room']])).notWritten).toEqual([]);
    expect(readdirSync(at.app).sort()).toEqual(['after', 'large', 'smaller']);
    expect(readFileSync(`${at.app}/large`, 'utf8')).toBe('has room');
    expect(at.losses).toEqual([]);
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
});
