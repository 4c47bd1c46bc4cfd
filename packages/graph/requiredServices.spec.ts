import { assemble, type GraphProject, type WorkspaceFiles } from '.';

const pod = (name: string) => `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\nspec: {containers: [{name: c, image: nginx}]}\n`;

/** A workspace of `names`, each with a manifest and what its config requires; and a library, of which nothing is deployed. */
function read(requires: Readonly<Record<string, string>>) {
  const texts: Record<string, string> = {};
  for (const [name, list] of Object.entries(requires)) {
    texts[`${name}/k8s/pod.yaml`] = pod(name.replace(/.*\//, ''));
    texts[`${name}/slipway.yaml`] = `version: 1\nrequires:\n  ${list}\n`;
  }
  const paths = Object.keys(texts);
  const files: WorkspaceFiles = {
    textOf: (path) => texts[path],
    kindOf: (path) => (path in texts ? 'file' : paths.some((each) => each.startsWith(`${path}/`)) ? 'dir' : undefined),
    namesIn: (directory) => paths.filter((path) => path.startsWith(`${directory}/`)).map((path) => path.slice(directory.length + 1)),
  };
  const projects = [...Object.keys(requires), 'lib'].map((name): GraphProject => ({
    name,
    root: name,
    dependencies: [],
    targets: new Map(),
  }));
  return assemble({ root: '/w', graph: { projects }, files, mode: 'dev', env: {} }).workspace;
}

it('names projects, of which the scope may be left out, and images that they are deployed with', () => {
  const { projects, problems } = read({
    api: '[cache, {project: "@shop/pricing", image: r/pricing:1}]',
    cache: '[]',
    '@shop/pricing': '[cache]',
  });
  expect(problems).toEqual([]);
  expect(projects.get('api')?.requires).toEqual([{ project: 'cache' }, { project: '@shop/pricing', image: 'r/pricing:1' }]);
  expect(projects.get('@shop/pricing')).toMatchObject({ requires: [{ project: 'cache' }] });
  expect(projects.get('cache')).not.toHaveProperty('requires');
  expect(read({ api: '[pricing]', '@shop/pricing': '[]' }).projects.get('api')?.requires).toEqual([{ project: '@shop/pricing' }]);
});

it.each([
  [
    'is unknown',
    { api: '[cahe]', cache: '[]' },
    'api/slipway.yaml:3:4 api: requires names cahe, which is no project of this workspace',
    'perhaps cache was meant',
  ],
  [
    'deploys nothing',
    { api: '[{project: lib}]' },
    'api/slipway.yaml:3:14 api: requires names lib, of which nothing is deployed',
    'put its manifests in k8s/*.yaml beside it',
  ],
  [
    'has an image that is none',
    { api: '[{project: cache, image: "A B"}]', cache: '[]' },
    'api/slipway.yaml:3:14 api: requires names the image A B for cache, which is no reference',
    'write registry/name:tag',
  ],
  [
    'has several images, of which one is named',
    { api: '[{project: cache, image: r/x}]', cache: '[]\nimages: {a: , b: }' },
    'api/slipway.yaml:3:14 api: requires names one image for cache, which has several',
    'leave image out: its images are built, or taken from where they are already',
  ],
  [
    'requires it back',
    { api: '[cache]', cache: '[store]', store: '[api]' },
    'api/slipway.yaml:3:4 api: it requires itself: api → cache → store → api',
    'take one of them out of requires',
  ],
])('says where a service that %s stands', (_, requires, message, hint) => {
  const [problem] = read(requires).problems.filter(({ project }) => project !== 'cache');
  const { file, line, column } = problem?.location ?? {};
  expect(`${file ?? ''}:${line ?? ''}:${column ?? ''} ${problem?.message ?? ''}`).toBe(message);
  expect(problem?.hint).toBe(hint);
});
