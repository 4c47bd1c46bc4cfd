import { parseAllDocuments } from 'yaml';
import { readConfig, readManifests } from '../config';
import { readDockerfile, stageNames } from '../dockerfile';
import { reloadingOf } from '../graph';
import { packageJson, serviceFiles } from './serviceFiles';
import { serviceKinds } from './serviceKind';
import { serviceName, servicePort } from './serviceName';

const service = { name: 'hello', port: 4321, baseTsconfig: undefined };

describe.each(serviceKinds)('a new service of kind %s', (kind) => {
  const { files, build } = serviceFiles(kind, service);
  const text = files['Dockerfile'] ?? '';
  const made = new Set([...Object.keys(files), 'package.json', ...(build?.outputs ?? [])]);
  const kindOf = (path: string) =>
    path === '' ? 'dir' : made.has(path) ? 'file' : [...made].some((file) => file.startsWith(`${path}/`)) ? 'dir' : undefined;
  const facts = (target?: string) => {
    const read = readDockerfile(text, { file: 'Dockerfile', args: {}, kindOf, ...(target !== undefined && { target }) });
    if (!read.facts) throw new Error(read.problems.map(({ message }) => message).join('\n'));
    return read.facts;
  };

  it('has a Dockerfile that copies only what is there, does not run as root, and says its port', () => {
    for (const target of stageNames(text).includes('dev') ? ['dev', undefined] : [undefined]) {
      const { sources, user, ports } = facts(target);
      expect(sources.filter(({ path, wildcard }) => path !== '' && !wildcard && kindOf(path) === undefined)).toEqual([]);
      expect({ user, ports: ports.map((port) => Number.parseInt(port, 10)) }).toEqual({
        user: expect.not.stringMatching(/^(root|0)/) as unknown,
        ports: [4321],
      });
    }
  });

  it('has manifests that run its image on that port', () => {
    const manifest = files['k8s/hello.yaml'] ?? '';
    const { containers, services, problems } = readManifests([{ path: 'k8s/hello.yaml', text: manifest }]);
    expect(problems).toEqual([]);
    expect(containers).toMatchObject([{ workload: 'deployment/hello', image: 'hello' }]);
    expect(services).toMatchObject([{ name: 'hello', ports: [{ port: 80 }] }]);
    expect(manifest).toContain('containerPort: 4321');
  });

  it('has a name that is text where Kubernetes reads its manifests, whatever it is', () => {
    const manifest = serviceFiles(kind, { ...service, name: 'on' }).files['k8s/on.yaml'] ?? '';
    const objects = parseAllDocuments(manifest, { version: '1.1' }).map((document) => document.toJS() as unknown);
    expect(objects).toMatchObject([
      { metadata: { name: 'on', labels: { app: 'on' } }, spec: { template: { spec: { containers: [{ name: 'on', image: 'on' }] } } } },
      { metadata: { name: 'on' }, spec: { selector: { app: 'on' } } },
    ]);
    expect(files['k8s/hello.yaml']).toContain('name: hello\n');
  });

  it('takes up edits while dev runs: by its command, or by what its slipway.yaml says', () => {
    const config = files['slipway.yaml'];
    if (config !== undefined) {
      expect(readConfig({ path: 'slipway.yaml', text: config, isRoot: false })).toMatchObject({
        problems: [],
        config: { reload: { command: expect.any(Array) as unknown } },
      });
      return;
    }
    const { command, baseImage } = facts(stageNames(text).includes('dev') ? 'dev' : undefined);
    expect(reloadingOf({ argv: command, baseImage, scripts: {} })).toMatchObject({ kind: 'hot' });
  });

  it('has sources that can be copied into the container of dev', () => {
    const { landings } = facts(stageNames(text).includes('dev') ? 'dev' : undefined);
    const sources = { node: 'src', 'node-bundle': 'dist', static: 'site', go: '', python: 'src' }[kind];
    expect(landings.filter(({ rebuild }) => rebuild === undefined).map(({ source }) => source)).toContain(sources);
  });
});

describe('the package.json of a new service', () => {
  it('has the build as a script, and is a module unless it is bundled', () => {
    const json = (kind: 'node' | 'node-bundle', withDevDependencies: boolean) =>
      JSON.parse(
        packageJson({
          packageName: '@shop/hello',
          sources: serviceFiles(kind, service),
          withDevDependencies,
          more: { nx: { name: 'hello' } },
        }),
      ) as unknown;
    expect(json('node', true)).toMatchObject({ name: '@shop/hello', private: true, type: 'module', nx: { name: 'hello' } });
    expect(json('node-bundle', true)).toMatchObject({
      scripts: { build: expect.stringContaining('esbuild') as unknown },
      devDependencies: { esbuild: expect.any(String) as unknown },
    });
    expect(json('node-bundle', false)).not.toHaveProperty('devDependencies');
    expect(json('node-bundle', true)).not.toHaveProperty('type');
  });
});

describe('the name and the port of a new service', () => {
  it.each(['api', 'a', 'my-api-2', 'a'.repeat(63)])('%s will do', (name) => expect(serviceName(name).ok).toBe(true));
  it.each([
    ['My Api', 'call it my-api'],
    ['@shop/api', 'call it api'],
    ['2fast', 'call it fast'],
    ['api-', 'call it api'],
    ['a'.repeat(64), `call it ${'a'.repeat(63)}`],
    ['../x', 'call it x'],
    ['', undefined],
    // An image of the workspace by this name would be what `FROM node:20-slim` stands on.
    ['node', 'call it node-service'],
  ])('%j will not, and what would is said: %s', (name, hint) => {
    const checked = serviceName(name);
    expect(checked.ok ? 'ok' : checked.problem.hint).toBe(hint);
  });
  it.each([80, 1023, 65_536, 3000.5, Number.NaN])('%d is no port of a process without rights', (port) =>
    expect(servicePort(port).ok).toBe(false),
  );
  it('3000 is one', () => expect(servicePort(3000).ok).toBe(true));
});
