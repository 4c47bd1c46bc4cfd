import { chmodSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Problem } from '../model';
import { kinds, node, gnu, place, closePlaces, opened, valueOf, apply } from '../testkit/agentPlace';
import { openAgent } from './openAgent';

afterEach(closePlaces);

describe.each(kinds)('the agent on $name', (tools) => {
  it('says who it is, which user, and that nothing was done yet', async () => {
    const agent = await opened(place(tools));
    expect(agent.name).toBe(tools.agent);
    expect(agent.hello).toMatchObject({ user: String(process.geteuid?.()), ledger: [] });
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
});

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
