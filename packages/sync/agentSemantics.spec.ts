import { spawn } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  symlinkSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import fc from 'fast-check';
import { contentDigest, diffTrees, emptyDir, type DirEntry, type WriteMode } from '../model';
import { apply, closePlaces, kinds, opened, place, reading, treeOf, valueOf } from '../testkit/agentPlace';
import { entryOf, treeArbitrary, type Tree } from '../testkit/anyTree';
import { programPath } from '../testkit/localContainer';

afterEach(closePlaces);

interface Held {
  readonly [name: string]: string | Held;
}

const linkTo = (target: string): string => `link ${target}`;
const run = (text: string): string => `run ${text}`;

/** Of a text a file, of `link x` a link to x, of `run x` a file that can be run; of names a directory. */
function treeHeld(held: Held): Tree {
  const children = Object.entries(held).map(([name, each]): readonly [string, Tree] => {
    if (typeof each !== 'string') return [name, treeHeld(each)];
    const [, kind, rest = ''] = /^(link|run) (.*)$/s.exec(each) ?? [];
    if (kind === 'link') return [name, { kind: 'link', target: rest }];
    return [name, { kind: 'file', text: kind === 'run' ? rest : each, mode: kind === 'run' ? 0o755 : 0o644 }];
  });
  return { kind: 'dir', children: Object.fromEntries(children) };
}

const mixed = Object.fromEntries(
  [...Array(60).keys()].map((index): readonly [string, string | Held] => {
    const name = `${String(index)}.js`;
    return [name, index % 3 === 0 ? { x: name } : index % 3 === 1 ? linkTo(name) : `${name}!`];
  }),
);
const many = Object.fromEntries([...Array(60).keys()].map((index) => [`${String(index)}.js`, String(index)]));
const [composed, decomposed] = ['caf\u00e9', 'cafe\u0301'];

/** What is in a folder, one state after another. */
const semantics: readonly (readonly [string, ...(readonly Held[])])[] = [
  ['a file is created, in directories that are not there', {}, { new: { deep: { a: '1' } } }],
  ['a file is written anew, then with as many bytes, and grows', { a: 'one' }, { a: 'other' }, { a: 'OTHER' }, { a: 'OTHER and more' }],
  ['a file is cut, to nothing at last', { a: 'long text' }, { a: 'long' }, { a: '' }],
  ['a file is removed, and the last one of a directory', { a: '1', d: { b: '2' } }, { d: {} }],
  ['a tree is removed', { d: { e: { f: '1', g: {} }, ...many }, kept: '' }, { kept: '' }],
  ['a file is renamed, and over another one', { a: '1', b: '2' }, { c: '1', b: '2' }, { b: '1' }],
  [
    'a directory is renamed, also into one that was beside it',
    { d: { e: { ...many } }, f: {} },
    { g: { e: { ...many } }, f: {} },
    { f: { g: { e: { ...many } } } },
  ],
  ['two files change places', { a: '1', b: '2' }, { a: '2', b: '1' }],
  ['two directories change places', { a: { x: '1', y: '' }, b: { x: '2', z: '' } }, { a: { x: '2', z: '' }, b: { x: '1', y: '' } }],
  ['a file and a directory change places', { a: '1', b: { a: '2', b: '3' } }, { a: { a: '2', b: '3' }, b: '1' }],
  ['a directory changes places with what is in it', { a: { a: { b: '1' } } }, { a: { b: '1', a: {} } }, { a: { a: { a: '2' } } }],
  [
    'names change their case alone',
    { Readme: '1', dir: { a: '' } },
    { README: '1', Dir: { a: '' } },
    { readme: '2', Readme: '3', DIR: { A: '' } },
  ],
  [
    'names are of both forms of Unicode',
    { [composed]: '1' },
    { [composed]: '1', [decomposed]: '2' },
    { [decomposed]: { [composed]: '3' } },
  ],
  ['a file becomes a directory, a link, and a file again', { a: '1' }, { a: { b: '2' } }, { a: linkTo('b') }, { a: '3' }],
  [
    'a directory becomes a link to one beside it, and back',
    { a: { x: '1' }, b: {} },
    { a: linkTo('b'), b: { x: '2' } },
    { a: { x: '1' }, b: {} },
  ],
  [
    'a link to a directory becomes one, and what it led to stays',
    { a: linkTo('b'), b: { x: '1' } },
    { a: { x: '2', ...many }, b: { x: '1' } },
  ],
  ['a link leads elsewhere', { a: linkTo('b') }, { a: linkTo('../b') }],
  [
    'links dangle, are absolute, and lead to themselves',
    {},
    { a: linkTo('nowhere'), b: linkTo('/nowhere/at/all'), c: linkTo('c'), d: linkTo('e'), e: linkTo('d'), f: linkTo('.') },
    {},
  ],
  [
    'a link out of the folder, where pnpm has its libraries, is one',
    {},
    { node_modules: { '@shop': { money: linkTo('../../../../libs/money') } } },
  ],
  [
    'what was reached through a link is there by itself',
    { d: linkTo('e'), e: { a: '1' } },
    { d: { a: '2' }, e: { a: '1' } },
    { e: { a: '2' } },
  ],
  ['directories are empty', {}, { a: {}, b: { c: {} } }, { b: {} }],
  ['modes change alone', { a: 'x', b: run('x') }, { a: run('x'), b: 'x' }],
  [
    'names have blanks, dashes, line breaks and what shells take for their own',
    {},
    { ' ': '1', '-rf': '2', '--': { '-n': '3' }, '\n': '4', '*': linkTo('-n'), '$(id)': '5', '`': '6', '...': '7' },
  ],
  ['one name of two for a file is removed', { a: 'same', b: 'same' }, { b: 'same' }, { b: 'other' }],
  ['many come at once over what is there', { d: { ...many } }, { d: mixed }],
];

describe.each(kinds)('a change of files, brought about on $name', (tools) => {
  it.each(semantics.map(([what, ...states]) => ({ what, states })))('$what', async ({ states }) => {
    const at = place(tools);
    const agent = await opened(at);
    mkdirSync(`${at.app}/root`);
    writeFileSync(`${at.app}/outside`, 'theirs');
    let before: DirEntry = emptyDir;
    for (const state of states) {
      const contents = new Map<string, Buffer>();
      const after = entryOf(treeHeld(state), `${at.app}/root`, contents);
      if (after.kind !== 'dir') throw new Error('a tree is a directory');
      const changes = diffTrees(before, after).map(({ path, after: entry }) => ({
        path: `${at.app}/root/${path}`,
        source: path,
        after: entry,
      }));
      const { notWritten } = valueOf(await agent.apply({ changes, read: reading(contents) }));
      expect(notWritten).toEqual([]);
      expect(treeOf(`${at.app}/root`)).toEqual(after);
      before = after;
    }
    expect(readdirSync(at.app).sort()).toEqual(['outside', 'root']);
    expect(readFileSync(`${at.app}/outside`, 'utf8')).toBe('theirs');
  });

  it('brings a program that runs, which goes on as it was', async () => {
    const at = place(tools);
    const agent = await opened(at);
    const program = `${at.app}/program`;
    copyFileSync(programPath('sleep') ?? '', program);
    const started = spawn(program, ['1000']);
    await new Promise((resolve) => started.once('spawn', resolve));
    const ended = new Promise((resolve) => started.once('exit', (_, signal) => resolve(signal)));
    for (const text of ['#!/bin/sh\necho one\n', '#!/bin/sh\necho two\n']) {
      valueOf(await apply(agent, [[program, { text, mode: 0o755 }]]));
      expect(readFileSync(program, 'utf8')).toBe(text);
      expect(statSync(program).mode & 0o777).toBe(0o755);
    }
    expect(readdirSync(at.app)).toEqual(['program']);
    expect([started.exitCode, started.signalCode]).toEqual([null, null]);
    started.kill();
    expect(await ended).toBe('SIGTERM');
  });

  it.each([
    ['a file', 1],
    ['many files', 30],
  ])('leaves what has another name elsewhere as it was, for %s', async (_what, count) => {
    const at = place(tools);
    const agent = await opened(at);
    mkdirSync(`${at.app}/root`);
    const names = [...Array(count).keys()].map(String);
    for (const name of names) {
      writeFileSync(`${at.folder}/${name}`, 'theirs', { mode: 0o600 });
      if (Number(name) % 2 === 0) linkSync(`${at.folder}/${name}`, `${at.app}/root/${name}`);
      else writeFileSync(`${at.app}/root/${name}`, 'before');
    }
    for (const text of ['ours', 'and longer']) {
      const wanted = names.map((name) => [`${at.app}/root/${name}`, { text, mode: 0o755 }] as const);
      expect(valueOf(await apply(agent, wanted)).notWritten).toEqual([]);
      for (const [path] of wanted) {
        expect(readFileSync(path, 'utf8')).toBe(text);
        expect(statSync(path).mode & 0o777).toBe(0o755);
      }
      for (const name of names) {
        expect(readFileSync(`${at.folder}/${name}`, 'utf8')).toBe('theirs');
        expect(statSync(`${at.folder}/${name}`).mode & 0o777).toBe(0o600);
      }
    }
    expect(readdirSync(`${at.app}/root`)).toHaveLength(count);
  });

  it.each([
    ['a file', 1],
    ['many files', 30],
  ])(
    'gives new files to the user of the container and leaves others their owner, all as old as the write, for %s',
    async (_what, count) => {
      const isRoot = process.geteuid?.() === 0;
      const user = isRoot ? 65534 : process.geteuid?.();
      const at = place(tools, isRoot ? user : undefined);
      chmodSync(at.app, 0o777);
      const agent = await opened(at);
      const named = (name: string) => [...Array(count).keys()].map((index) => `${at.app}/${name}${String(index)}`);
      const [there, made, replaced] = [named('there'), named('made'), named('replaced')];
      for (const path of [...there, ...replaced]) {
        writeFileSync(path, 'before');
        chmodSync(path, 0o666);
      }
      const longAgo = new Date('2001-02-03');
      const bring = async (paths: readonly string[], owner: number | undefined, write: WriteMode = 'in-place'): Promise<void> => {
        for (const path of paths) if (existsSync(path)) utimesSync(path, longAgo, longAgo);
        const wanted = paths.map((path) => [path, 'after'] as const);
        const { notWritten } = valueOf(await apply(agent, wanted, write));
        // What is somebody else's makes an archive fail as a whole; what is sent again goes by itself.
        expect(notWritten).toHaveLength(owner === user || count === 1 || tools.agent === 'node' ? 0 : count);
        if (notWritten.length > 0) expect(valueOf(await apply(agent, wanted, write)).notWritten).toEqual([]);
        for (const path of paths) {
          expect([readFileSync(path, 'utf8'), statSync(path).uid]).toEqual(['after', owner]);
          expect(Date.now() - statSync(path).mtimeMs).toBeLessThan(60_000);
        }
      };
      await bring(made, user);
      await bring(made, user);
      await bring(there, process.geteuid?.());
      await bring(replaced, user, 'atomic');
    },
  );

  it('writes nothing through a link that has the name of what it writes before it renames it', async () => {
    const at = place(tools);
    mkdirSync(`${at.app}/root`);
    const there = `${at.folder}/theirs`;
    const link = (): void => symlinkSync(there, `${at.app}/root/.slipway-new`);
    link();
    writeFileSync(there, 'theirs');
    const agent = await opened(at, undefined, [`${at.app}/root`]);
    expect(readFileSync(there, 'utf8')).toBe('theirs');
    rmSync(there);
    rmSync(`${at.app}/root/.slipway-new`, { force: true });
    link();
    valueOf(await apply(agent, [[`${at.app}/root/a`, 'ours']]));
    valueOf(await apply(agent, [[`${at.app}/root/a`, 'ours, whole']], 'atomic'));
    expect([readdirSync(`${at.app}/root`), existsSync(there)]).toEqual([['a'], false]);
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
});
