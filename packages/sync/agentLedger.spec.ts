import { existsSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import { contentDigest, diffTrees, emptyDir, fileEntry, linkEntry, succeeded, withEntries, type Entry } from '../model';
import { kinds, place, closePlaces, opened, valueOf, directory, reading, apply, treeOf, cutAfter } from '../testkit/agentPlace';
import { treeArbitrary, entryOf } from '../testkit/anyTree';
import type { Agent } from './agent';
import { type Content } from './sourceReader';

afterEach(closePlaces);

describe.each(kinds)('what the agent did, on $name', (tools) => {
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
