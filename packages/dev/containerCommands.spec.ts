import { readdirSync } from 'node:fs';
import type { Event } from '../model';
import { closePlaces, kinds, opened, place } from '../testkit/agentPlace';
import { runCommands, type RunCommands } from './containerCommands';

afterEach(closePlaces);

describe.each(kinds)('commands around a sync, in a container with $name', (tools) => {
  const timeoutMs = 60_000;
  const shell = (script: string, limitMs = timeoutMs) => ({ run: ['sh', '-c', script], timeoutMs: limitMs });
  const inPlace = async () => {
    const at = place(tools);
    const [agent, events] = [await opened(at), [] as Event[]];
    const run = (...commands: RunCommands['commands']) =>
      runCommands(agent, { commands, when: 'after', subject: 'api', report: (event) => void events.push(event) });
    const shown = () => events.flatMap((event) => (event.kind === 'output' ? [`${event.subject}: ${event.line}`] : []));
    return { at, run, shown };
  };

  it('are run one after another, and what they print is shown', async () => {
    const { at, run, shown } = await inPlace();
    const made = `${at.app}/made`;
    expect(await run(shell(`mkdir '${made}'; echo one; echo to the other >&2`), shell(`mkdir '${made}/two'; echo two`))).toBeUndefined();
    expect(shown()).toEqual(['api: one', 'api: to the other', 'api: two']);
    expect(readdirSync(made)).toEqual(['two']);
  });

  it('end with the first that does not end with 0, which is told with its exit code and all that it printed', async () => {
    const { at, run, shown } = await inPlace();
    const failing = shell('echo main.go:3: no; echo more >&2; exit 3');
    expect(await run(shell('echo well'), failing, shell(`mkdir '${at.app}/never'`))).toEqual({
      kind: 'failed',
      command: { run: failing.run, exitCode: 3, output: 'main.go:3: no\nmore\n' },
    });
    expect(shown()).toEqual(['api: well']);
    expect(readdirSync(at.app)).toEqual([]);
  });

  it('have their time, and none is run after one that took longer', async () => {
    const { at, run } = await inPlace();
    expect(await run(shell('exec sleep 100', 100), shell(`mkdir '${at.app}/never'`))).toMatchObject({
      kind: 'late',
      problem: {
        code: 'commandTooSlow',
        message: 'sh -c exec sleep 100 did not end within 0.1 s in the container',
        hint: expect.stringContaining('sync.after[].timeout') as string,
      },
    });
    expect(readdirSync(at.app)).toEqual([]);
  });

  it('are lost with the stream that they were asked over', async () => {
    const { at, run } = await inPlace();
    const lost = run(shell('exec sleep 100'));
    at.container.cut();
    expect(await lost).toMatchObject({ kind: 'lost', problem: { code: 'agentLost' } });
  });
});
