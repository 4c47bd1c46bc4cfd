import type { Event } from '../model';
import { plain } from './paint';
import { progressLines, withProgress, type RolloutProgress } from './rolloutProgress';

type Progressing = Readonly<Record<string, string>>;

const progressing = (release: string, waiting: Progressing): Event => ({
  kind: 'rollout',
  release,
  state: 'progressing',
  message: '',
  waiting: Object.entries(waiting).map(([object, message]) => ({ object, message })),
});

function shown(events: readonly (readonly [at: number, event: Event])[], columns = 80): readonly string[] {
  let progress: RolloutProgress = new Map();
  for (const [at, event] of events) progress = withProgress(progress, event, at);
  return progressLines(progress, { now: 10_000, columns, paint: plain });
}

describe('how far rollouts are', () => {
  it('has a line for each workload, with how long it has been waited for, which changes and goes', () => {
    expect(
      shown([
        [4000, progressing('api', { 'deployment/api': '0 of 2 replicas are available', 'deployment/cache': 'is not available' })],
        [5000, progressing('web', { 'deployment/web': '0 of 1 replicas are available' })],
        [8000, progressing('api', { 'deployment/db': 'is not observed yet', 'deployment/api': '1 of 2 replicas are available' })],
      ]),
    ).toEqual([
      '○ api deployment/api  1 of 2 replicas are available  6.0 s',
      '○ api deployment/db   is not observed yet  2.0 s',
      '○ web deployment/web  0 of 1 replicas are available  5.0 s',
    ]);
  });

  it.each<[string, Event]>([
    ['has rolled out', { kind: 'rollout', release: 'api', state: 'ready', message: '' }],
    ['has failed', { kind: 'rollout', release: 'api', state: 'failed', message: '' }],
    ['was removed', { kind: 'removed', release: 'api', objects: [] }],
  ])('is told no more of what %s', (_, event) => {
    expect(
      shown([
        [0, progressing('api', { 'deployment/api': 'is not available' })],
        [1, event],
      ]),
    ).toEqual([]);
  });

  it('is told of a release where nobody knows of what', () => {
    const event: Event = { kind: 'rollout', release: 'api', state: 'progressing', message: '1 of its 3 objects are there' };
    expect(shown([[9500, event]])).toEqual(['○ api  1 of its 3 objects are there']);
  });

  it('takes no line of the terminal twice, and keeps the time and the beginning of what is said in sight', () => {
    const long = {
      [`deployment/${'long-name-'.repeat(6)}`]: 'pod x, container main runs and is not ready: Readiness probe failed',
      short: 'y',
    };
    const lines = shown([[0, progressing('api', long)]], 60);
    expect(lines).toEqual(['○ api deployment/long-name-long…  container main runs…  10 s', '○ api short                       y  10 s']);
    expect(lines.every((line) => line.length <= 60)).toBe(true);
  });

  it('counts those of many that there is no room for', () => {
    const many = Object.fromEntries(Array.from({ length: 20 }, (_, index) => [`deployment/d${index}`, 'is not available']));
    const lines = shown([[0, progressing('api', many)]]);
    expect(lines).toHaveLength(8);
    expect(lines.at(-1)).toBe('  and 13 more');
  });
});
