import type { Problem, Release, Workspace } from '../model';
import { Vanished } from './vanished';

const release = (name: string): Release => ({
  name,
  project: name,
  sources: [],
  inputs: [{ path: `apps/${name}/k8s`, because: 'a manifest' }],
  artifacts: [name],
});
const workspace = (names: readonly string[], problems: readonly Problem[] = []): Workspace => ({
  root: '/w',
  projects: new Map(),
  artifacts: new Map(),
  releases: new Map(names.map((name) => [name, release(name)])),
  targets: new Map(),
  forwards: [],
  problems,
});

it('tells once what the workspace has no more, and still knows it until it is back', () => {
  const vanished = new Vanished();
  const [both, one] = [workspace(['api', 'web']), workspace(['api'])];
  const had = ['api', 'web'];
  expect(vanished.follow(both, one, had)).toEqual(['web']);
  expect(vanished.follow(one, one, had)).toEqual([]);
  expect([...vanished.in(one).releases.keys()].sort()).toEqual(['api', 'web']);
  expect(vanished.in(one).releases.get('web')).toMatchObject({ inputs: [], artifacts: [] });
  expect(vanished.follow(one, both, had)).toEqual([]);
  expect(vanished.has('web')).toBe(false);
  expect(vanished.in(both)).toBe(both);
});

it('leaves what was never wanted, and of what a mistake hides says nothing', () => {
  const vanished = new Vanished();
  const mistake: Problem = { code: 'configInvalid', message: 'wrong', retry: 'whenInputChanges', exitCode: 2, project: 'web' };
  expect(vanished.follow(workspace(['api', 'web']), workspace([], [mistake]), ['web'])).toEqual([]);
  expect([vanished.has('web'), vanished.has('api')]).toEqual([true, false]);
});
