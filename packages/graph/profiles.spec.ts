import { assemble, type GraphProject, type WorkspaceFacts, type WorkspaceFiles } from '.';

const texts: Readonly<Record<string, string>> = {
  'slipway.yaml': [
    'version: 1',
    'namespace: shop',
    'profiles:',
    '  staging: {activation: [{context: staging}], namespace: staging, allowContexts: [staging]}',
    '',
  ].join('\n'),
  'api/slipway.yaml': [
    'version: 1',
    'image: {docker: {args: {MODE: plain, LEVEL: 1}}}',
    'profiles:',
    '  debug:',
    '    image: {docker: {args: {LEVEL: "${}"}}}',
    '  staging:',
    '    manifests: [other/*.yaml]',
    '',
  ].join('\n'),
  'api/Dockerfile': 'FROM busybox AS base\nARG LEVEL\n\nFROM base AS other\n',
  'api/k8s/api.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: {name: api}\nspec: {containers: [{name: c, image: api}]}\n',
  'api/other/api.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: {name: other}\nspec: {containers: [{name: c, image: api}]}\n',
};
const paths = Object.keys(texts);
const files: WorkspaceFiles = {
  textOf: (path) => texts[path],
  kindOf: (path) => (path in texts ? 'file' : paths.some((each) => each.startsWith(`${path}/`)) ? 'dir' : undefined),
  namesIn: (directory) => paths.filter((path) => path.startsWith(`${directory}/`)).map((path) => path.slice(directory.length + 1)),
};
const api: GraphProject = { name: 'api', root: 'api', dependencies: [], targets: new Map() };

function read(profiles?: WorkspaceFacts['profiles']) {
  const { workspace, settings, refused } = assemble({
    root: '/w',
    graph: { projects: [api] },
    files,
    mode: 'deploy',
    env: {},
    ...(profiles && { profiles }),
  });
  const problems = workspace.problems.map(({ message, hint }) => `${message} (${hint ?? ''})`);
  return { workspace, settings, refused, problems, locations: workspace.problems.map(({ location }) => location) };
}

const nowhere = () => undefined;

it('change nothing while none is active', () => {
  const { workspace, settings, problems } = read();
  expect(problems).toEqual([]);
  expect(settings).toMatchObject({ profiles: [], allowContexts: [] });
  expect(workspace.releases.get('api')).toMatchObject({ namespace: 'shop', inputs: [{ path: 'api/k8s/api.yaml' }] });
});

it('are of the root and of projects by one name, and are active in both', () => {
  const { workspace, settings, problems } = read({ asked: [], context: () => 'staging' });
  expect(problems).toEqual([]);
  expect(settings).toMatchObject({ profiles: ['staging'], allowContexts: ['staging'] });
  expect(workspace.releases.get('api')).toMatchObject({ namespace: 'staging', inputs: [{ path: 'api/other/api.yaml' }] });
  const keptOut = read({ asked: ['-staging'], context: () => 'staging' });
  expect(keptOut.workspace.releases.get('api')).toMatchObject({ namespace: 'shop', inputs: [{ path: 'api/k8s/api.yaml' }] });
});

it('are told where they stand when they are wrong', () => {
  const { problems, locations } = read({ asked: ['debug'], context: nowhere });
  expect(problems).toEqual([expect.stringContaining('LEVEL')]);
  expect(locations).toEqual([{ file: 'api/slipway.yaml', line: 5, column: 37 }]);
});

it('that are unknown are refused, also to be left out', () => {
  expect(read({ asked: ['stagin'], context: nowhere }).refused).toMatchObject({
    message: 'there is no profile stagin in this workspace',
    hint: 'perhaps staging was meant',
    exitCode: 2,
  });
  expect(read({ asked: ['debug', 'x', '-nope'], context: nowhere }).refused).toMatchObject({
    message: 'there is no profile x and none called nope in this workspace',
    hint: 'profiles that are there: debug, staging',
  });
});
