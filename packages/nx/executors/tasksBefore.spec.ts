import type { ExecutorContext, TaskGraph } from '@nx/devkit';
import { tasksBefore } from './tasksBefore';

type Edges = Readonly<Record<string, readonly (string | { readonly id: string })[]>>;

/** Tasks as Nx hands them over: ids until Nx 23, objects since 24. */
const graphOf = (dependencies: Edges): TaskGraph => {
  const task = (id: string) => {
    const [project = '', target = '', configuration] = id.split(':');
    return { id, target: { project, target, ...(configuration !== undefined && { configuration }) } };
  };
  return { tasks: Object.fromEntries(Object.keys(dependencies).map((id) => [id, task(id)])), dependencies } as unknown as TaskGraph;
};

const cases: readonly (readonly [string, Edges, Partial<ExecutorContext>, readonly string[]])[] = [
  [
    'all below the task, and nothing beside it',
    {
      'api:k8s-deploy': ['api:k8s-build'],
      'api:k8s-build': ['api:build'],
      'api:build': ['money:build'],
      'money:build': [],
      'web:build': [],
    },
    {},
    ['api:k8s-build', 'api:build', 'money:build'],
  ],
  [
    'the same for an Nx that says more of each',
    { 'api:k8s-deploy': [{ id: 'api:k8s-build' }], 'api:k8s-build': [{ id: 'api:build' }], 'api:build': [] },
    {},
    ['api:k8s-build', 'api:build'],
  ],
  [
    'targets, whichever of their configurations was run',
    { 'api:k8s-deploy:staging': ['api:build:production'], 'api:build:production': [] },
    { configurationName: 'staging' },
    ['api:build'],
  ],
  ['nothing when dependencies were left out', { 'api:k8s-deploy': [] }, {}, []],
];

it.each(cases)('what has run before a task is %s', (_, edges, more, expected) => {
  expect([...tasksBefore({ projectName: 'api', targetName: 'k8s-deploy', taskGraph: graphOf(edges), ...more })]).toEqual(expected);
});

it('nothing is known to have run without a graph of tasks', () => {
  expect(tasksBefore({ projectName: 'api', targetName: 'k8s-deploy' }).size).toBe(0);
});
