import { withoutScope, type Problem } from '../model';
import { assemble, imageFiles, keepEqual, type WorkspaceFiles } from '.';

function filesOf(texts: Readonly<Record<string, string>>): WorkspaceFiles {
  const paths = Object.keys(texts);
  return {
    textOf: (path) => texts[path],
    kindOf: (path) => (path in texts ? 'file' : path === '' || paths.some((each) => each.startsWith(`${path}/`)) ? 'dir' : undefined),
    namesIn: (directory) => [
      ...new Set(
        paths.filter((path) => path.startsWith(`${directory}/`)).map((path) => path.slice(directory.length + 1).split('/')[0] ?? ''),
      ),
    ],
  };
}

/** A workspace in memory of projects in folders of their own names. */
function run(texts: Readonly<Record<string, string>>, names: readonly string[] = ['api']) {
  const projects = names.map((name) => ({ name, root: withoutScope(name), dependencies: [], targets: new Map() }));
  const facts = { root: '/w', graph: { projects }, files: filesOf(texts), mode: 'dev' as const, env: {} };
  return assemble(facts).workspace;
}

const placed = ({ location, message }: Problem): string =>
  [location?.file, location?.line, location?.column]
    .filter((part) => part !== undefined)
    .join(':')
    .concat(' ', message);

const pod = (...images: readonly string[]): string => `apiVersion: v1
kind: Pod
metadata: {name: p}
spec: {containers: [${images.map((image, index) => `{name: c${String(index)}, image: "${image}"}`).join(', ')}]}
`;

const server = 'FROM node\nWORKDIR /app\nCOPY src src\nCMD ["node", "--watch", "src/a.js"]\n';
const migrate = 'FROM node\nCOPY migrations /migrations\nCMD ["node", "/migrations/run.js"]\n';
const files = {
  'api/Dockerfile': server,
  'api/migrate.Dockerfile': migrate,
  'api/src/a.js': '',
  'api/migrations/run.js': '',
};
const images = (text: string): string => `version: 1\nimages:\n${text}`;
const both = images('  api:\n  migrate:\n    docker: {file: migrate.Dockerfile}\n');

describe('a project with several images', () => {
  it('names each after itself, the one of its own name as before, and deploys them together', () => {
    const workspace = run({ ...files, 'api/slipway.yaml': both, 'api/k8s/p.yaml': pod('api', 'api-migrate') });
    expect(workspace.problems).toEqual([]);
    const named = [...workspace.artifacts.values()].map(({ name, project, image, recipe }) => [name, project, image, recipe.dockerfile]);
    expect(named).toEqual([
      ['api', 'api', 'api', 'api/Dockerfile'],
      ['api/migrate', 'api', 'api-migrate', 'api/migrate.Dockerfile'],
    ]);
    expect(workspace.releases.get('api')?.artifacts).toEqual(['api', 'api/migrate']);
  });

  it('leaves its scope out of the names of images, and says as they are written those that are', () => {
    const config = images('  one:\n  two: {name: shop/second, docker: {file: migrate.Dockerfile}}\n');
    const { artifacts } = run({ ...files, 'api/slipway.yaml': config }, ['@shop/api']);
    expect([...artifacts.values()].map(({ name, image }) => [name, image])).toEqual([
      ['@shop/api/one', 'api-one'],
      ['@shop/api/two', 'shop/second'],
    ]);
  });

  it('takes what the root says of all images, and of sync and reload what each says itself', () => {
    const config = `${images('  web: {docker: {args: {B: 2}}, reload: rebuild}\n  job: {sync: {mode: manual}}\n')}sync: {mode: infer}\n`;
    const { artifacts } = run({
      ...files,
      'api/Dockerfile': `ARG A\nARG B\n${server}`,
      'api/slipway.yaml': config,
      'slipway.yaml': 'version: 1\nimage: {platform: linux/arm64, docker: {args: {A: 1, B: 1}}}',
    });
    const [web, job] = [artifacts.get('api/web'), artifacts.get('api/job')];
    expect(web?.recipe).toMatchObject({ platform: 'linux/arm64', args: { A: '1', B: '2' } });
    expect(web?.reload.kind).toBe('rebuild');
    expect(job?.recipe.args).toEqual({ A: '1', B: '1' });
    const source = (of: typeof job) => of?.inputs.find(({ path }) => path === 'api/src');
    expect(source(job)?.because).toContain('no rule names it, and sync.mode is manual in api/slipway.yaml');
    expect(source(web)).toMatchObject({ onlyForProcess: true });
  });

  it('stands on another of its own, or on one of another project', () => {
    const texts = {
      'base/Dockerfile': 'FROM scratch\n',
      'base/slipway.yaml': images('  tools:\n  os:\n'),
      'api/Dockerfile': 'ARG BASE\nFROM ${BASE}\n',
      'api/job.Dockerfile': 'FROM api-web\n',
    };
    const config = images(
      '  web: {requires: [{project: base, artifact: os, arg: BASE}]}\n  job: {docker: {file: job.Dockerfile}, requires: [base]}\n',
    );
    const { artifacts, problems } = run({ ...texts, 'api/slipway.yaml': config }, ['base', 'api']);
    expect(problems).toEqual([]);
    expect(artifacts.get('api/web')).toMatchObject({ requires: ['base/os'], recipe: { baseArgs: { BASE: 'base-os' } } });
    expect(artifacts.get('api/job')?.requires).toEqual(['base/tools', 'base/os', 'api/web']);
  });

  it('keeps the others when one of them has a mistake, and the one as it was', () => {
    const texts = { ...files, 'api/slipway.yaml': both, 'api/k8s/p.yaml': pod('api', 'api-migrate') };
    const before = run(texts);
    const next = run({ ...texts, 'api/migrate.Dockerfile': 'FROM node\nCOPPY a b\n', 'api/Dockerfile': `${server}USER 1\n` });
    expect(next.problems).toMatchObject([{ project: 'api', artifact: 'api/migrate', location: { file: 'api/migrate.Dockerfile' } }]);
    expect([...next.artifacts.keys()]).toEqual(['api']);
    const kept = keepEqual(before, next);
    expect(kept.artifacts.get('api/migrate')).toBe(before.artifacts.get('api/migrate'));
    expect(kept.releases.get('api')).toBe(before.releases.get('api'));
  });

  it('has all its Dockerfiles among the inputs of its targets, and leaves nothing out that one of them takes', () => {
    const ignores = { 'api/.dockerignore': 'migrations\n', 'api/migrate.Dockerfile.dockerignore': 'src\n' };
    const found = imageFiles({ root: 'api', files: filesOf({ ...files, ...ignores, 'api/slipway.yaml': both }) });
    expect(found?.included).toEqual(
      expect.arrayContaining(['api/Dockerfile', 'api/migrate.Dockerfile', 'api/src/**/*', 'api/migrations/**/*', 'api/slipway.yaml']),
    );
    expect(found?.excluded).toEqual([]);
  });
});

describe('what is wrong with several images', () => {
  it.each([
    [
      'two of one name in manifests',
      { 'api/slipway.yaml': images('  one: {name: x}\n  two:\n    name: x\n') },
      ['api/slipway.yaml:5:5 api/two: api/one has an image named x too'],
    ],
    [
      'a Dockerfile that is not there',
      { 'api/slipway.yaml': images('  one:\n    docker: {file: no.Dockerfile}\n  two:\n') },
      ['api/slipway.yaml:4:14 api/one: there is no api/no.Dockerfile'],
    ],
    [
      'paths above the workspace',
      { 'api/slipway.yaml': images('  one:\n  two: {context: ../.., docker: {file: ../../../x/Dockerfile}}\n') },
      [
        'api/slipway.yaml:4:18 api/two: the context ../.. lies above the workspace',
        'api/slipway.yaml:4:40 api/two: the Dockerfile ../../../x/Dockerfile lies above the workspace',
      ],
    ],
    [
      'a variable and a tag that are not known',
      { 'api/slipway.yaml': images('  one:\n    docker: {args: {A: "${NOT_SET}"}}\n  two: {tag: {custom: {template: "${x}"}}}\n') },
      [
        'api/slipway.yaml:4:25 api/one: the build argument A needs the variable NOT_SET, which is not set',
        expect.stringMatching(/^api\/slipway.yaml:5:\d+ api\/two: images\.two\.tag\.custom\.template names x/) as string,
      ],
    ],
    [
      'an argument that could be either',
      {
        'api/Dockerfile': `ARG BASE\n${server}`,
        'api/slipway.yaml': images('  one:\n  two: {requires: [{project: base, arg: BASE}]}\n'),
      },
      ['api/slipway.yaml:4:41 api/two: images.two.requires names base, which has 2 images'],
    ],
    [
      'one that nobody has',
      { 'api/slipway.yaml': images('  one:\n  two: {requires: [{project: base, artifact: nope}]}\n') },
      ['api/slipway.yaml:4:46 api/two: images.two.requires names base, which has no image nope'],
    ],
    [
      'a circle within the project',
      {
        'api/slipway.yaml': images(
          '  one: {requires: [{project: api, artifact: two}]}\n  two: {requires: [{project: api, artifact: one}]}\n',
        ),
      },
      [
        'api/slipway.yaml:3:30 api/one: its image stands on itself: api/one → api/two → api/one',
        'api/slipway.yaml:4:30 api/two: its image stands on itself: api/two → api/one → api/two',
      ],
    ],
  ])('is told where it is: %s', (_, texts, expected) => {
    const base = { 'base/Dockerfile': 'FROM scratch\n', 'base/slipway.yaml': images('  a:\n  b:\n') };
    expect(run({ ...files, ...base, ...texts }, ['base', 'api']).problems.map(placed)).toEqual(expected);
  });

  it('is told of a project that has the name of one', () => {
    const { artifacts, problems } = run({ ...files, 'api/slipway.yaml': both, 'migrate/Dockerfile': 'FROM scratch\n' }, [
      'api',
      '@x/migrate',
    ]);
    expect(problems).toEqual([]);
    expect([...artifacts.keys()]).toEqual(['api', 'api/migrate', '@x/migrate']);
    const nested = assemble({
      root: '/w',
      graph: {
        projects: [
          { name: 'api', root: 'api', dependencies: [], targets: new Map() },
          { name: 'api/migrate', root: 'migrate', dependencies: [], targets: new Map() },
        ],
      },
      files: filesOf({ ...files, 'api/slipway.yaml': both, 'migrate/Dockerfile': 'FROM scratch\n' }),
      mode: 'dev',
      env: {},
    }).workspace;
    expect(nested.problems.map(placed)).toEqual([' two images are called api/migrate: images.migrate of api, and image of api/migrate']);
  });
});
