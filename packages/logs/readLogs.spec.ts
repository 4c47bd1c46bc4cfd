import { Readable } from 'node:stream';
import type { Kube } from '../clients';
import { failed, succeeded } from '../model';
import { readLogs, type LoggedContainer } from '.';

const container = (pod: string): LoggedContainer => ({
  id: pod,
  service: 'api',
  artifact: 'api',
  namespace: 'shop',
  pod,
  podUid: pod,
  container: 'main',
  running: true,
});

/** What a node keeps of each pod's log; asked for the last lines it gives as many. */
function node(logs: Readonly<Record<string, readonly string[]>>): Pick<Kube, 'logs'> {
  return {
    logs: ({ pod, tailLines }) => {
      const lines = logs[pod];
      if (!lines) return Promise.resolve(failed({ code: 'podGone', message: `pod ${pod} is gone`, retry: 'afterDelay', exitCode: 1 }));
      const asked = tailLines === undefined ? lines : lines.slice(-tailLines);
      return Promise.resolve(succeeded(Readable.from([Buffer.from(asked.join('\n'))])));
    },
  };
}

const { signal } = new AbortController();
const at = (second: number, text: string) => `2026-01-01T00:00:0${second}.5Z ${text}`;

describe('the logs so far', () => {
  test('come in the order of time, whichever pod wrote them, and as many as are asked for', async () => {
    const kube = node({ a: [at(1, 'first'), at(3, 'third')], b: [at(2, 'second'), at(4, 'fourth, without a line break')] });
    const containers = [container('a'), container('b')];
    const { lines } = await readLogs({ kube, containers, signal });
    expect(lines.map(({ pod, line }) => `${pod} ${line}`)).toEqual(['a first', 'b second', 'a third', 'b fourth, without a line break']);
    expect(lines[0]).toEqual({
      service: 'api',
      artifact: 'api',
      pod: 'a',
      container: 'main',
      time: '2026-01-01T00:00:01.5Z',
      line: 'first',
    });
    const last = await readLogs({ kube, containers, tail: 1, signal });
    expect(last.lines.map(({ line }) => line)).toEqual(['third', 'fourth, without a line break']);
  });

  test('of the others are read when one cannot be', async () => {
    const kube = node({ a: ['unable to retrieve container logs for containerd://x', at(1, 'here')] });
    expect(await readLogs({ kube, containers: [container('a'), container('gone')], signal })).toMatchObject({
      lines: [{ line: 'here' }],
      problems: [{ code: 'podGone' }],
    });
  });
});
