import { emptyDir, type Artifact, type Snapshot, type Workspace } from '../model';
import { emptyWorld } from '../plan';
import { refusedBuilds } from './refusedBuilds';

const artifact = (name: string, project: string): Artifact => ({
  name,
  project,
  image: name.replace('/', '-'),
  recipe: { builder: 'docker/1', context: '', dockerfile: 'Dockerfile', args: {} },
  inputs: [],
  requires: [],
  targets: [],
  after: [],
  reload: { kind: 'hot', because: 'it is a test' },
});
const artifacts = [artifact('@shop/web', '@shop/web'), artifact('@shop/api', '@shop/api'), artifact('@shop/api/migrate', '@shop/api')];
const workspace: Workspace = {
  root: '/w',
  projects: new Map(),
  artifacts: new Map(artifacts.map((each) => [each.name, each])),
  releases: new Map(),
  targets: new Map(),
  forwards: [],
  problems: [],
};
const snapshot: Snapshot = { inputsHash: '', rebuildHash: '', layoutHash: '', sources: emptyDir, tree: emptyDir };

it.each([
  ['@shop/web', { hint: 'run slipway build @shop/web first, or leave --no-build away', project: '@shop/web' }],
  ['@shop/api', { hint: 'run slipway build @shop/api first, or leave --no-build away', project: '@shop/api' }],
  [
    '@shop/api/migrate',
    {
      hint: 'run slipway build @shop/api --artifact migrate first, or leave --no-build away',
      project: '@shop/api',
      artifact: '@shop/api/migrate',
    },
  ],
])('what makes %s is said as it can be run', (name, wanted) => {
  const start = [{ kind: 'build', artifact: name, snapshot, bases: {} } as const];
  const problems = refusedBuilds({ after: { ...emptyWorld, workspace }, plan: { start, stop: [], held: [], wakeAt: undefined } });
  expect(problems).toEqual([expect.objectContaining({ code: 'imageMissing', ...wanted })]);
  expect(Object.hasOwn(problems[0] ?? {}, 'artifact')).toBe('artifact' in wanted);
});
