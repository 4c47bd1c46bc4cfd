import { mergeConfig, readConfig } from '.';

function mistakes(text: string, isRoot = false): string[] {
  return readConfig({ path: 'apps/api/slipway.yaml', text, isRoot }).problems.map(({ message, location, hint }) => {
    return `${String(location?.line)}:${String(location?.column)} ${message.replace(/^\S+ /, '')}${hint === undefined ? '' : ` (${hint})`}`;
  });
}

it('reads all keys', () => {
  const text = [
    'version: 1',
    'image: {name: shop/api, context: workspace, docker: {file: Dockerfile.dev, target: dev, args: {A: "${B}", N: 3}}}',
    'sync: {ignore: ["**/*.test.ts"]}',
    'reload: {command: [kill, -HUP, "1"]}',
    'manifests: [k8s/*.yaml]',
    'namespace: shop',
    'portForward: [{resource: service/api, port: http, localPort: 8080}]',
    'dev: {keep: true}',
  ].join('\n');
  const { config, problems } = readConfig({
    path: 'slipway.yaml',
    text: `${text}\ndefaultRepo: r\nallowContexts: [staging]`,
    isRoot: true,
  });
  expect(problems).toEqual([]);
  expect(config?.image?.docker?.args).toEqual({ A: '${B}', N: 3 });
  expect(config?.allowContexts).toEqual(['staging']);
});

it.each([
  ['image: {builder: kaniko}', 'image.builder must be one of auto, docker, layers, buildkit, custom, not "kaniko"'],
  ['image: {docker: {args: {A: }}}', 'image.docker.args.A must be a string or a number or true or false, not nothing'],
  ['build: {buildkit: {cpu: 3}}', 'cpu is not a key of build.buildkit'],
  ['image: {platforms: [arm64]}', 'image.platforms[0] must be an operating system and an architecture: linux/arm64, not "arm64"'],
  ['image: {docker: {cacheTo: registry}}', 'image.docker.cacheTo must be inline, or a list of references, not "registry"'],
  ['images: {}', 'images must have one key, not none'],
  ['images: {Api: {}}', 'images.Api must be called with lower-case letters and digits, and dashes between them'],
  ['images: {api: {docker: {fil: x}}}', 'fil is not a key of images.api.docker'],
  ['images: {api: {sync: {mode: on}}}', 'images.api.sync.mode must be one of infer, auto, manual, off, not "on"'],
  ['profiles: {staging: {imge: {}}}', 'imge is not a key of profiles.staging'],
  ['profiles: {staging: {activation: [{env: }]}}', 'profiles.staging.activation[0].env must be a string, not nothing'],
  ['profiles: {-x: {}}', 'profiles.-x must be called with letters, digits, dots, dashes and underscores'],
  ['profiles: {staging: {profiles: {}}}', 'profiles is not a key of profiles.staging'],
  ['build: {contextLimit: 0}', 'build.contextLimit must be at least 1, not 0'],
])('says what is wrong with %s', (text, said) => {
  expect(mistakes(`version: 1\n${text}\n`, true)).toEqual([expect.stringContaining(said)]);
});

it.each(['service', 'deployment', 'statefulset', 'daemonset', 'replicaset', 'pod'])('forwards to a %s', (kind) => {
  expect(mistakes(`version: 1\nportForward: [{resource: ${kind}/api, port: 80}]\n`)).toEqual([]);
});

it('tells all mistakes at once, in the order of the file, with what was expected', () => {
  const text = [
    'version: 2',
    'imge: {}',
    'image:',
    '  docker: {taget: dev}',
    '  name: 3',
    'reload: restart',
    'portForward:',
    '  - resource: svc/x',
    '    port: 0',
    '  - port: 1',
    'extras: {}',
    'allowContexts: [a]',
    'manifests: k8s',
    'dev: {keep: yes}',
  ].join('\n');
  expect(mistakes(text)).toEqual([
    '1:1 version must be 1, not 2',
    '2:1 imge is not a key of slipway.yaml (perhaps image was meant)',
    '4:12 taget is not a key of image.docker (perhaps target was meant)',
    '5:3 image.name must be a string, not 3',
    '6:1 reload must be auto, hot, rebuild, or {command: [kill, -HUP, "1"]}, not "restart"',
    '8:5 portForward[0].resource must be service/NAME, deployment/NAME, statefulset/NAME, daemonset/NAME, replicaset/NAME or pod/NAME, not "svc/x"',
    '9:5 portForward[0].port must be a port number or the name of a port, not 0',
    '10:5 portForward[1].resource is missing',
    expect.stringMatching(/^11:1 extras is not a key of slipway\.yaml \(keys of slipway\.yaml: version, image, .*, dev, profiles\)$/),
    '12:1 allowContexts can only stand in the slipway.yaml at the root of the workspace (move it there)',
    '13:1 manifests must be a list, not "k8s"',
    '14:7 dev.keep must be true or false, not "yes"',
  ]);
});

it.each([
  ['', ['1:1 the file is empty (write version: 1, or delete it)']],
  ['image: {}', ['1:1 version is missing']],
  ['[1', ['1:3 not valid YAML: Flow sequence must end with a ]']],
  ['version: 1\nversion: 1', ['2:1 not valid YAML: Map keys must be unique']],
])('%j', (text, expected) => {
  expect(mistakes(text)).toEqual(expected.map((line) => expect.stringContaining(line) as string));
});

it('takes one image or several, and at the root what all have in common beside several', () => {
  const text = 'version: 1\nimage: {platform: linux/arm64}\nimages: {api: {}}\nextra: 1\n';
  expect(mistakes(text)).toEqual([
    '3:1 image and images cannot stand beside each other (give the image of image a name in images, and leave image out)',
    expect.stringContaining('4:1 extra is not a key'),
  ]);
  expect(mistakes(text.replace('extra: 1\n', ''))).toHaveLength(1);
  expect(mistakes(text.replace('extra: 1\n', ''), true)).toEqual([]);
});

it("puts a project's own settings over the root's", () => {
  const merged = mergeConfig(
    {
      version: 1,
      namespace: 'all',
      defaultRepo: 'r',
      portForward: [],
      image: { name: 'root', context: 'workspace', docker: { args: { A: 1, B: 1 } } },
      dev: { keep: true },
    },
    { version: 1, namespace: 'own', image: { docker: { target: 'dev', args: { B: 2 } } } },
  );
  expect(merged).toEqual({
    version: 1,
    namespace: 'own',
    image: { context: 'workspace', docker: { target: 'dev', args: { A: 1, B: 2 }, labels: {}, addHosts: {} } },
    dev: { keep: true },
  });
});
