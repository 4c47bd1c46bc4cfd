import type { WatchEvents } from '../clients';
import type { Event, Problem } from '../model';
import type { WatchedKube } from '../status';
import { ClusterTrouble } from './clusterTrouble';

const problem = (code: string, message: string): Problem => ({ code, message, hint: 'do something', retry: 'afterDelay', exitCode: 3 });
const away = problem('clusterUnreachable', 'the cluster does not answer: read ECONNRESET');
const refused = problem('clusterRefused', 'the cluster refuses to list pods');

function watches(count: number) {
  const told: Event[] = [];
  const heard: string[] = [];
  const upstream: WatchEvents[] = [];
  const trouble = new ClusterTrouble((event) => void told.push(event));
  const kube: WatchedKube = {
    list: () => Promise.reject(new Error('not asked')),
    logs: () => Promise.reject(new Error('not asked')),
    watch: (_kind, _options, events) => {
      upstream.push(events);
      return { stop: () => undefined };
    },
  };
  const watched = trouble.watchedOf(kube);
  for (let index = 0; index < count; index += 1)
    watched.watch(
      { apiVersion: 'v1', kind: 'Pod' },
      {},
      {
        onList: () => undefined,
        onChange: () => undefined,
        onTrouble: ({ code }) => void heard.push(code),
      },
    );
  const messages = (): readonly string[] => told.flatMap((event) => (event.kind === 'notice' ? [event.message] : []));
  return { upstream, heard, messages };
}

describe('a cluster that is out of reach', () => {
  it('is told once, whoever asks for it how often, and once that it answers again', () => {
    const { upstream, heard, messages } = watches(3);
    for (const each of [...upstream, ...upstream]) each.onTrouble(away);
    expect(messages()).toEqual(['the cluster does not answer: read ECONNRESET; it is asked again until it does']);
    expect(heard).toHaveLength(6);
    for (const each of upstream) each.onConnected?.();
    expect(messages().slice(1)).toEqual(['the cluster answers again']);
    upstream[0]?.onTrouble(away);
    expect(messages()).toHaveLength(3);
  });

  it('that never was away does not come back', () => {
    const { upstream, messages } = watches(1);
    upstream[0]?.onConnected?.();
    expect(messages()).toEqual([]);
  });

  it('is another matter than one that refuses, which is told once, when it goes on refusing', () => {
    const { upstream, messages } = watches(1);
    const tries = (count: number): void => {
      for (let time = 0; time < count; time += 1) upstream[0]?.onTrouble(refused);
    };
    tries(3);
    expect(messages()).toEqual([]);
    tries(20);
    expect(messages()).toEqual([refused.message]);
  });
});
