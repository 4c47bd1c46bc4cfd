import { readConfig } from '../config';
import { manifestsOf, type SourceFacts } from './manifestSources';
import { manifestFiles, type WorkspaceFiles } from '.';
import { recorded } from './workspaceFiles';

/** Files of the workspace in memory. */
function filesOf(texts: Readonly<Record<string, string>>): WorkspaceFiles {
  const paths = Object.keys(texts);
  return {
    textOf: (path) => texts[path],
    kindOf: (path) => (path in texts ? 'file' : paths.some((each) => each.startsWith(`${path}/`)) ? 'dir' : undefined),
    namesIn: (directory) =>
      [
        ...new Set(
          paths.filter((path) => path.startsWith(`${directory}/`)).map((path) => path.slice(directory.length + 1).split('/')[0] ?? ''),
        ),
      ].sort(),
  };
}

const deployment = (image: string) =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: api}\nspec: {template: {spec: {containers: [{name: api, image: ${image}}]}}}\n`;

function read(texts: Readonly<Record<string, string>>, env: Readonly<Record<string, string>> = {}, root = 'apps/api'): SourceFacts {
  const path = `${root}/slipway.yaml`;
  const own = texts[path] === undefined ? undefined : { path, ...readConfig({ path, text: texts[path], isRoot: false }) };
  if (own && own.problems.length > 0) throw new Error(own.problems.map(({ message }) => message).join('\n'));
  const config = own?.config ?? { version: 1 };
  return manifestsOf({ project: { name: 'api', root }, config, own, files: recorded(filesOf(texts)), env });
}

const files = ({ inputs }: SourceFacts) => inputs.map(({ path }) => path);
const told = ({ problems }: SourceFacts) =>
  problems.map(({ message, location }) => `${location?.file ?? ''}:${location?.line ?? ''}:${location?.column ?? ''} ${message}`);

describe('plain manifests', () => {
  const content = 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: c}\n';
  const readIn = (root: string, patterns: string, ...paths: readonly string[]) =>
    read(
      { [`${root}/slipway.yaml`]: `version: 1\nmanifests: ${patterns}`, ...Object.fromEntries(paths.map((path) => [path, content])) },
      {},
      root,
    );

  it('are named by paths and globs of their project, in whichever folder that is', () => {
    for (const root of ['apps/api', 'apps/(shop)/[api]']) {
      const found = readIn(
        root,
        '[./k8s/*.yaml, "deep/**/*.yml", one.yaml, folder]',
        ...['k8s/a.yaml', 'k8s/b.yml', 'k8s/more/c.yaml', 'deep/x/y/d.yml', 'one.yaml', 'two.yaml', 'folder/e.yaml'].map(
          (path) => `${root}/${path}`,
        ),
      );
      expect(files(found)).toEqual(['k8s/a.yaml', 'deep/x/y/d.yml', 'one.yaml', 'folder/e.yaml'].map((path) => `${root}/${path}`));
    }
  });

  it('are templates where globs of their project say so, in whichever folder that is', () => {
    for (const root of ['apps/api', 'apps/(shop)/[api]']) {
      const config = 'version: 1\napply: {hydrate: ["k8s/t*.yaml", k8s/one.yaml]}';
      const paths = ['k8s/one.yaml', 'k8s/other.yaml', 'k8s/two.yaml'].map((path) => `${root}/${path}`);
      const texts = Object.fromEntries(paths.map((path) => [path, content]));
      const found = read({ [`${root}/slipway.yaml`]: config, ...texts }, {}, root);
      expect(found.sources).toMatchObject([{ hydrated: { manifests: [`${root}/k8s/one.yaml`, `${root}/k8s/two.yaml`] } }]);
    }
  });

  it('may be beside their project, and named with the separators of Windows', () => {
    expect(files(readIn('apps/api', "['../shared/*.yaml', 'k8s\\*.yaml']", 'apps/shared/a.yaml', 'apps/api/k8s/b.yaml'))).toEqual([
      'apps/shared/a.yaml',
      'apps/api/k8s/b.yaml',
    ]);
  });
});

describe('an overlay', () => {
  const texts = {
    'apps/api/slipway.yaml': 'version: 1\nkustomize: {paths: [k8s/dev], buildArgs: [--enable-helm]}',
    'apps/api/k8s/dev/kustomization.yaml': [
      'resources: [../base, https://example.org/remote.yaml]',
      'components: [../debug]',
      'patches: [{path: cpu.yaml}, {patch: "- op: remove"}]',
      'configMapGenerator: [{name: c, files: [app.conf, key=other.conf], envs: [dev.env]}]',
      'images: [{name: api, newName: shop/api}]',
    ].join('\n'),
    'apps/api/k8s/dev/cpu.yaml': '',
    'apps/api/k8s/dev/app.conf': '',
    'apps/api/k8s/dev/other.conf': '',
    'apps/api/k8s/dev/dev.env': '',
    'apps/api/k8s/base/kustomization.yml': 'resources: [api.yaml, ../../../../libs/k8s]',
    'apps/api/k8s/base/api.yaml': deployment('api'),
    'apps/api/k8s/debug/kustomization.yaml': 'kind: Component',
    'apps/api/k8s/unused.yaml': deployment('x'),
    'libs/k8s/Kustomization': 'resources: [policy.yaml]',
    'libs/k8s/policy.yaml': 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: p}\n',
  };

  it('is made from its bases, components, patches and generated files, in whichever project they are', () => {
    const facts = read(texts);
    expect(facts.problems).toEqual([]);
    expect(facts.sources).toEqual([{ kind: 'kustomize', path: 'apps/api/k8s/dev', buildArgs: ['--enable-helm'] }]);
    expect([...files(facts)].sort()).toEqual(
      Object.keys(texts)
        .filter((path) => !/slipway|unused/.test(path))
        .sort(),
    );
    expect(facts.inputs[0]?.because).toBe('part of the overlay apps/api/k8s/dev');
  });

  it('renames images as it says', () => {
    expect(read(texts).containers.map(({ image }) => image)).toEqual(['shop/api']);
  });

  it('in k8s is found without a config, and read instead of the files beside it', () => {
    const facts = read({ 'apps/api/k8s/kustomization.yaml': 'resources: [api.yaml]', 'apps/api/k8s/api.yaml': deployment('api') });
    expect(facts.sources).toEqual([{ kind: 'kustomize', path: 'apps/api/k8s', buildArgs: [] }]);
  });

  it('that names what is not there, or is no YAML, is told with the place', () => {
    const missing = read({ ...texts, 'apps/api/k8s/base/kustomization.yml': 'resources:\n  - api.yaml\n  - nowhere.yaml' });
    expect(told(missing)).toEqual([
      'apps/api/k8s/base/kustomization.yml:3:5 apps/api/k8s/base/kustomization.yml names nowhere.yaml, which is not there',
    ]);
    expect(told(read({ ...texts, 'apps/api/k8s/base/kustomization.yml': 'resources: [' }))[0]).toMatch(
      /^apps\/api\/k8s\/base\/kustomization\.yml:1:\d+ .* is not valid YAML/,
    );
    expect(told(read({ 'apps/api/slipway.yaml': 'version: 1\nkustomize: {paths: [a]}' }))).toEqual([
      'apps/api/slipway.yaml:2:21 api: there is no kustomization.yaml in apps/api/a',
    ]);
  });

  it('tells a task runner every file it is made from', () => {
    expect(manifestFiles({ root: 'apps/api', files: filesOf(texts) })).toEqual(
      expect.arrayContaining(['apps/api/slipway.yaml', 'libs/k8s/policy.yaml', 'apps/api/k8s/dev/cpu.yaml']),
    );
  });
});

describe('a release of helm', () => {
  const config = (release: string) => `version: 1\nhelm:\n  releases:\n    - name: api\n      ${release}\n`;
  const texts = {
    'apps/api/slipway.yaml': config('{}').replace(
      '\n      {}',
      '\n      chartPath: chart\n      valuesFiles: [dev.yaml]\n      setFiles: {conf: app.conf}',
    ),
    'apps/api/dev.yaml': 'sidecar: shop/proxy:1',
    'apps/api/app.conf': '',
    'apps/api/chart/Chart.yaml': 'name: api\ndependencies: [{name: lib, repository: "file://../../../libs/chart"}, {name: vendored}]',
    'apps/api/chart/values.yaml': 'image: {repository: shop/other}',
    'apps/api/chart/templates/a.yaml': 'containers: [{image: {{ .Values.image }}, {name: x, image: "shop/cache"}]',
    'apps/api/chart/templates/more/b.yaml': 'initContainers:\n  - image: shop/setup:1\n',
    'libs/chart/Chart.yaml': 'name: lib',
  };

  it('is made from its chart, the charts beside it and its values', () => {
    const facts = read(texts);
    expect(facts.problems).toEqual([]);
    expect(files(facts)).toEqual(['apps/api/chart', 'libs/chart', 'apps/api/dev.yaml', 'apps/api/app.conf']);
    const [chart] = facts.inputs;
    expect(['chart/templates/a.yaml', 'chart/charts/lib-1.0.0.tgz'].map((path) => chart?.accepts?.(`apps/api/${path}`, 'file'))).toEqual([
      true,
      false,
    ]);
    expect(facts.sources).toMatchObject([
      { chart: { kind: 'local', path: 'apps/api/chart', hasDependencies: true }, imageStrategy: 'fqn' },
    ]);
  });

  it('is the same with skipTests as without: tests are neither printed nor run in any case', () => {
    const skipping = { ...texts, 'apps/api/slipway.yaml': `${texts['apps/api/slipway.yaml'].trimEnd()}\n      skipTests: true\n` };
    expect(read(skipping).problems).toEqual([]);
    expect(read(skipping).sources).toEqual(read(texts).sources);
  });

  it('may run the image of its project, and those that its values and its templates name', () => {
    const named = ['api', 'shop/other', 'shop/proxy:1', 'shop/cache', 'shop/setup:1'];
    expect([...read(texts).images]).toEqual(expect.arrayContaining(named));
  });

  it('fills variables of the environment into its templates, and asks for those that are not set', () => {
    const templates = {
      ...texts,
      'apps/api/slipway.yaml': config('chartPath: chart\n      setValueTemplates: {a: "${WHO}-${IMAGE_TAG}", b: "${COLOUR:-red}"}'),
    };
    expect(read(templates, { WHO: 'me' }).sources).toMatchObject([{ setValueTemplates: { a: 'me-${IMAGE_TAG}', b: 'red' } }]);
    expect(told(read(templates))).toEqual(['apps/api/slipway.yaml:6:27 helm release api: a needs WHO, which is not set']);
  });

  it.each([
    ['chartPath: nowhere', '5:7 helm release api: apps/api/nowhere is no chart, it has no Chart.yaml'],
    ['version: "1"', '4:7 helm release api has neither chartPath nor chart'],
    ['chartPath: chart\n      chart: x/y', '4:7 helm release api has both chartPath and chart'],
    ['chart: x/y\n      valuesFiles: [no.yaml]', '6:21 helm release api: there is no file apps/api/no.yaml'],
  ])('with %j is told as a mistake', (release, mistake) => {
    expect(told(read({ ...texts, 'apps/api/slipway.yaml': config(release) }))).toEqual([`apps/api/slipway.yaml:${mistake}`]);
  });
});
