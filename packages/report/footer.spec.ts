import type { Event } from '../model';
import { footerLines, withService, type FooterState } from './footer';
import { idle } from './keys';
import { plain } from './paint';

type ServiceEvent = Extract<Event, { kind: 'service' }>;

function footer(
  events: readonly (readonly [at: number, event: Omit<ServiceEvent, 'kind'>])[],
  more: Partial<FooterState> = {},
  columns = 80,
) {
  let services: FooterState['services'] = new Map();
  for (const [at, event] of events) services = withService(services, { kind: 'service', ...event }, at);
  return footerLines({ services, mode: idle, logs: 'all', attached: false, ...more }, { now: 10_000, columns, paint: plain });
}

describe('the lines below', () => {
  it('say how each service is, and why, with the time of what lasts', () => {
    expect(
      footer([
        [0, { service: 'web', state: 'ready' }],
        [0, { service: 'api', state: 'building', because: 'runTarget', detail: 'api:build' }],
        [
          7000,
          { service: 'worker', state: 'waiting', because: 'waitingForRollout', detail: 'deployment/worker: 0 of 1 replicas are ready' },
        ],
        [9500, { service: 'cache', state: 'waiting', because: 'waitingForCluster' }],
        [0, { service: 'gone', state: 'ready' }],
        [1, { service: 'gone', state: 'removed' }],
      ]),
    ).toEqual([
      '─'.repeat(80),
      '◐ api building: api:build 10 s   ○ cache waiting for the cluster to answer',
      '● web ready   ○ worker 0 of 1 replicas are ready 3.0 s',
      '? help   r rebuild   s resync   l logs   d delete and quit   q quit',
    ]);
  });

  it('count what is well when there are many, and tell first what is not', () => {
    const many = Array.from({ length: 100 }, (_, index) => [0, { service: `svc-${index}`, state: 'ready' }] as const);
    const lines = footer([
      ...many,
      [1, { service: 'svc-7', state: 'failed', because: 'crashLoop', detail: 'it ended with exit code 1\nmore' }],
      ...[1, 2, 3, 4].map((index) => [9999, { service: `svc-${index}`, state: 'building', because: 'build' }] as const),
    ]);
    expect(lines.slice(1, -1)).toEqual([
      '✖ svc-7 failed: it ended with exit code 1   ◐ svc-1, svc-2 and 2 more building',
      '● 95 services ready',
    ]);
  });

  it('never take more than a line of the terminal each', () => {
    const lines = footer([[0, { service: 'api', state: 'failed', because: 'x', detail: 'long '.repeat(50) }]], {}, 40);
    expect(lines.map((line) => line.length)).toEqual([40, 40, 38]);
    expect(lines[1]).toMatch(/…$/);
  });

  it('offer only what one can do that is attached to what runs', () => {
    expect(footer([], { attached: true }).at(-1)).toBe('? help   s resync   l logs   q quit');
  });

  it('say whose logs are shown', () => {
    expect(footer([], { logs: ['api', 'web'] }).at(-1)).toContain('l logs (api, web)');
    expect(footer([], { logs: [] }).at(-1)).toContain('l logs (none)');
  });
});
