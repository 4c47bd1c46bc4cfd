import { emptyDir, succeeded, type Artifact, type Event, type Snapshot, type Workspace } from '../model';
import { emptyWorld } from '../plan';
import { Effects } from './effects';
import { refusedBuilds } from './refusedBuilds';
import type { Session } from './session';

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
  const problems = refusedBuilds(start, workspace);
  expect(problems).toEqual([expect.objectContaining({ code: 'imageMissing', ...wanted })]);
  expect(Object.hasOwn(problems[0] ?? {}, 'artifact')).toBe('artifact' in wanted);
});

it('an image that is not to be built is not begun: no command before its build runs', async () => {
  const events: Event[] = [];
  const session = {
    ...{
      options: { root: '/w', env: {}, graph: {} },
      read: { settings: { insecureRegistries: [] } },
      target: undefined,
      kube: undefined,
      delivery: undefined,
    },
    ...{ engine: {}, registry: {}, names: { tagFor: () => Promise.resolve(succeeded('t')), contentRef: () => 'web:t' }, noBuild: true },
  } as unknown as Session;
  const watching = { isOfSession: false, onApplied: () => Promise.resolve(), seen: () => undefined };
  const nothing = (): void => undefined;
  const effects = new Effects(
    session,
    (event) => events.push(event),
    nothing,
    () => 0,
    nothing,
    watching,
  );
  const step = { kind: 'build', artifact: '@shop/web', snapshot, bases: {} } as const;
  const context = { id: 's', signal: new AbortController().signal, world: () => ({ ...emptyWorld, workspace }) };
  expect(await effects.run(step, context)).toMatchObject({ kind: 'failed', problem: { code: 'imageMissing' } });
  expect(events).toEqual([]);
});
