import { readManifests } from '.';

function containersOf(text: string) {
  return readManifests([{ path: 'k8s/a.yaml', text }]).containers.map(({ workload, name, image, isAside }) => [
    workload,
    name,
    image,
    isAside,
  ]);
}

const template = 'template: {spec: {containers: [{name: c, image: shop/a:1}]}}';

const kinds: readonly (readonly [string, string])[] = [
  ['Pod', 'apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: [{name: c, image: shop/a:1}]}'],
  ...['Deployment', 'StatefulSet', 'DaemonSet', 'ReplicaSet', 'Job'].map(
    (kind) => [kind, `apiVersion: v1\nkind: ${kind}\nmetadata: {name: x}\nspec: {${template}}`] as const,
  ),
  ['CronJob', `apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: x}\nspec: {jobTemplate: {spec: {${template}}}}`],
];

it.each(kinds)('finds the image of a %s', (kind, text) => {
  expect(containersOf(text)).toEqual([[`${kind.toLowerCase()}/x`, 'c', 'shop/a:1', false]]);
});

it('finds the images of ephemeral containers', () => {
  const pod = 'apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: [], ephemeralContainers: [{name: debug, image: shop/a}]}';
  expect(containersOf(pod)).toEqual([['pod/x', 'debug', 'shop/a', true]]);
});

it('tells init containers from those that stay', () => {
  const text = `apiVersion: v1
kind: Pod
metadata: {name: x}
spec:
  initContainers:
    - {name: first, image: a}
    - {name: sidecar, image: b, restartPolicy: Always}
  containers:
    - name: main
      image: c
      command: [node]
      args: [a.js, 1]
`;
  const { containers } = readManifests([{ path: 'k8s/a.yaml', text }]);
  expect(containers.map(({ name, isAside, location }) => [name, isAside, location.line])).toEqual([
    ['first', true, 6],
    ['sidecar', false, 7],
    ['main', false, 10],
  ]);
  expect(containers[2]).toMatchObject({ command: ['node'], args: ['a.js', '1'] });
});

it('reads several documents, lists, and Services with their ports', () => {
  const text = `---
apiVersion: v1
kind: List
items:
  - {apiVersion: v1, kind: Service, metadata: {name: s, namespace: own}, spec: {ports: [{port: 80}, {port: 53, protocol: UDP}]}}
---
# nothing
---
apiVersion: v1
kind: ConfigMap
metadata: {name: c}
`;
  const { services, problems } = readManifests([{ path: 'k8s/a.yaml', text }]);
  expect(services).toMatchObject([
    {
      name: 's',
      namespace: 'own',
      ports: [
        { port: 80, protocol: 'TCP' },
        { port: 53, protocol: 'UDP' },
      ],
    },
  ]);
  expect(problems).toEqual([]);
});

it('tells only the first mistake of YAML in a file, as the others mostly come of it', () => {
  const text = 'apiVersion: v1\nkind: Pod\n bad: [1\nspec:\n  containers:\n    - name: c\n---\n}\n';
  expect(readManifests([{ path: 'k8s/a.yaml', text }]).problems).toHaveLength(1);
});

it('tells every mistake with its place, and reads the rest', () => {
  const good = 'apiVersion: v1\nkind: Pod\nmetadata: {name: x}\nspec: {containers: [{name: c, image: a}]}';
  const { containers, problems } = readManifests([
    { path: 'k8s/a.yaml', text: 'kind: Pod\n---\na: [\n' },
    { path: 'k8s/b.yaml', text: `- 1\n---\n${good}` },
  ]);
  expect(problems.map(({ message }) => message)).toEqual([
    'k8s/a.yaml:1: an object without apiVersion',
    expect.stringMatching(/^k8s\/a\.yaml:\d: not valid YAML: /) as string,
    'k8s/b.yaml:1: not an object',
  ]);
  expect(containers).toHaveLength(1);
});
