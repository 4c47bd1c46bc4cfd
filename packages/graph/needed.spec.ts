import { assemble, type GraphProject, type WorkspaceFiles } from '.';

const dockerfile = 'FROM node:20\nWORKDIR /app\nCOPY src src\nCMD ["node", "--watch", "src/a.js"]\n';
const running = (name: string, ...containers: readonly string[]) =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: ${name}}\nspec: {containers: [${containers.join(', ')}]}\n`;

/** Services that have to do with each other in every way that there is. */
const texts: Readonly<Record<string, string>> = {
  'base/Dockerfile': dockerfile,
  'web/Dockerfile': 'ARG BASE=base\nFROM ${BASE}\nCOPY src src\n',
  'web/slipway.yaml': 'version: 1\nimage: {requires: [{project: base, arg: BASE}]}\n',
  'web/k8s/web.yaml': running('web', '{name: web, image: web}', '{name: tools, image: shop/tools}'),
  'tools/Dockerfile': dockerfile,
  'tools/slipway.yaml': 'version: 1\nimage: {name: shop/tools}\n',
  // Runs the image of another one in a way that does not take files up.
  'job/k8s/job.yaml': running('job', '{name: job, image: r.example/team/shop/tools, command: [node, src/a.js]}'),
  'api/Dockerfile': dockerfile,
  'api/k8s/api.yaml': running('api', '{name: api, image: api}'),
  'api/slipway.yaml': 'version: 1\nrequires: [cache]\n',
  'cache/k8s/cache.yaml': running('cache', '{name: cache, image: redis}'),
  'cache/slipway.yaml': 'version: 1\nrequires: [disk]\n',
  'disk/k8s/disk.yaml': running('disk', '{name: disk, image: minio}'),
  'twin/Dockerfile': dockerfile,
  'twin/slipway.yaml': 'version: 1\nimage: {name: solo}\n',
  'solo/Dockerfile': dockerfile,
  'typed/Dockerfile': dockerfile,
  'typed/k8s/typed.yaml': running('typed', '{name: typed, image: typeed}'),
  'other/k8s/other.yaml': running('other', '{name: other, image: "typed"}'),
  'wrong/Dockerfile': 'FORM node\n',
  'wrong/k8s/wrong.yaml': 'kind: [\n',
  'unread/slipway.yaml': 'version: one\n',
  'several/slipway.yaml': 'version: 1\nimages: {several: {docker: {target: a}}, migrate: {}}\n',
  'several/Dockerfile': `FROM node:20 AS a\nCOPY src src\n`,
  'several/k8s/several.yaml': running('several', '{name: a, image: several}', '{name: b, image: several-migrate}'),
};
const names = [...new Set(Object.keys(texts).map((path) => path.replace(/\/.*/, '')))];

function read(only?: readonly string[]) {
  const paths = [...Object.keys(texts), ...names.map((name) => `${name}/src/a.js`)];
  const asked: string[] = [];
  const files: WorkspaceFiles = {
    textOf(path) {
      asked.push(path);
      return texts[path];
    },
    kindOf: (path) => (paths.includes(path) ? 'file' : paths.some((each) => each.startsWith(`${path}/`)) ? 'dir' : undefined),
    namesIn: (directory) => paths.filter((path) => path.startsWith(`${directory}/`)).map((path) => path.slice(directory.length + 1)),
  };
  const projects = names.map((name): GraphProject => ({ name, root: name, dependencies: [], targets: new Map() }));
  const { workspace } = assemble({
    root: '/w',
    graph: { projects },
    files,
    mode: 'deploy',
    env: {},
    defaultRepo: 'r.example/team',
    ...(only && { only }),
  });
  return { workspace, asked };
}

const whole = read().workspace;

/** All that a command about a project reads of it. */
function about(name: string, { artifacts, releases, projects, problems }: typeof whole) {
  const release = releases.get(name);
  const images = new Set([
    ...[...artifacts.values()].filter(({ project }) => project === name).map((each) => each.name),
    ...(release?.artifacts ?? []),
  ]);
  for (const image of images) for (const base of artifacts.get(image)?.requires ?? []) images.add(base);
  return JSON.stringify(
    {
      project: projects.get(name),
      release,
      images: [...images].sort().map((image) => artifacts.get(image)),
      problems: problems.filter(({ project }) => project === undefined || project === name),
    },
    undefined,
    1,
  );
}

it.each(names)('%s is the same whether all projects were asked for or it alone', (name) => {
  expect(about(name, read([name]).workspace)).toBe(about(name, whole));
});

it('what several projects need is there', () => {
  const { workspace } = read(['web', 'api']);
  expect([...workspace.artifacts.keys()].sort()).toEqual(['base', 'tools', 'web', 'api'].sort());
  expect([...workspace.releases.keys()].sort()).toEqual(['api', 'cache', 'disk', 'web']);
});

it('the Dockerfile of a project that has nothing to do with it is not read', () => {
  expect(read(['api']).asked).not.toContain('several/Dockerfile');
  expect(read().asked).toContain('several/Dockerfile');
});

it('a name that is no project has all of them put together, as what there is will be told', () => {
  expect([...read(['nobody']).workspace.releases.keys()]).toEqual([...whole.releases.keys()]);
});
