import { assemble, type WorkspaceFacts, type WorkspaceFiles } from '.';

/** A workspace in memory of projects in folders of their own names. */
function run(texts: Readonly<Record<string, string>>, more: Partial<WorkspaceFacts> = {}) {
  const paths = Object.keys(texts);
  const files: WorkspaceFiles = {
    textOf: (path) => texts[path],
    kindOf: (path) => (path in texts ? 'file' : path === '' || paths.some((each) => each.startsWith(`${path}/`)) ? 'dir' : undefined),
    namesIn: (directory) => paths.filter((path) => path.startsWith(`${directory}/`)).map((path) => path.slice(directory.length + 1)),
  };
  const names = [...new Set(paths.flatMap((path) => (path.includes('/') ? [path.slice(0, path.indexOf('/'))] : [])))];
  const projects = names.map((name) => ({ name, root: name, dependencies: [], targets: new Map() }));
  const { workspace } = assemble({ root: '/w', graph: { projects }, files, mode: 'deploy', env: {}, ...more });
  return {
    artifacts: workspace.artifacts,
    problems: workspace.problems.map(({ location, message }) =>
      [location?.file, location?.line, location?.column]
        .filter((part) => part !== undefined)
        .join(':')
        .concat(' ', message),
    ),
  };
}

const api = (image: string) => ({
  'api/Dockerfile': 'ARG VERSION\nARG BASE\nFROM scratch\n',
  'api/slipway.yaml': `version: 1\nimage: ${image}`,
});

describe('build arguments', () => {
  it('that name the image itself wait for its tag, and what is known is filled in before', () => {
    const { artifacts, problems } = run(
      api('{docker: {args: {VERSION: "${IMAGE_NAME}-${CI:-local}-${IMAGE_TAG}-$$", BASE: "${CI:-x}$$"}}}'),
    );
    expect(problems).toEqual([]);
    expect(artifacts.get('api')?.recipe).toMatchObject({ args: { BASE: 'x$' }, lateArgs: { VERSION: 'api-local-${IMAGE_TAG}-$$' } });
  });

  it('with mistakes are told all at once, each with its sign', () => {
    const { problems } = run({
      ...api('\n  docker:\n    args:\n      VERSION: "${A}-${B}"\n      BASE: ${open'),
      'slipway.yaml': 'version: 1\nimage: {docker: {args: {VERSION: x, ALL: "-${C}"}}}',
    });
    expect(problems).toEqual([
      'api/slipway.yaml:5:17 api: the build argument VERSION needs the variable A, which is not set',
      'api/slipway.yaml:5:22 api: the build argument VERSION needs the variable B, which is not set',
      'slipway.yaml:2:44 api: the build argument ALL needs the variable C, which is not set',
      'api/slipway.yaml:6:13 api: the build argument BASE: a ${ has no } after it; write $$ for a dollar sign',
    ]);
  });
});

describe('what a build is told beside files and arguments', () => {
  const docker = (options: string) => api(`{platform: linux/arm64, docker: {${options}}}`);

  it('enters the tag when it changes the image, and not when it only changes how it is made', () => {
    const recipeOf = (options: string) => run(docker(options), { env: { CI: 'yes' } }).artifacts.get('api')?.recipe;
    expect(recipeOf('network: none, addHosts: {a.test: 10.0.0.1}, labels: {ci: "${CI}", tag: "${IMAGE_TAG}"}')).toMatchObject({
      platform: 'linux/arm64',
      network: 'none',
      addHosts: { 'a.test': '10.0.0.1' },
      labels: { ci: 'yes' },
      lateLabels: { tag: '${IMAGE_TAG}' },
    });
    const plain = recipeOf('network: default');
    for (const option of [
      'pull: true',
      'noCache: true',
      'cacheTo: inline',
      'cacheFrom: [r/x]',
      'secrets: [{id: a, env: A}]',
      'ssh: [default]',
      'buildkit: false',
    ])
      expect(recipeOf(option)).toEqual(plain);
  });

  it('knows where secrets, agents and caches come from', () => {
    const { artifacts, problems } = run(
      docker(`
        secrets: [{id: token, env: TOKEN}, {id: npmrc, src: ../.npmrc}, {id: home, src: ~/.netrc}],
        ssh: [default, {id: deploy, socket: /run/agent}],
        cacheFrom: ["\${IMAGE_REPO}:main", "r.test/c:\${CI}$"],
        cacheTo: inline`),
      { env: { CI: '$1' } },
    );
    expect(problems).toEqual([]);
    expect(artifacts.get('api')?.settings).toMatchObject({
      secrets: [
        { id: 'token', from: { kind: 'env', name: 'TOKEN' }, location: { file: 'api/slipway.yaml', line: 3, column: 36 } },
        { id: 'npmrc', from: { kind: 'file', path: '.npmrc' } },
        { id: 'home', from: { kind: 'file', path: '~/.netrc' } },
      ],
      ssh: [{ id: 'default' }, { id: 'deploy', socket: '/run/agent' }],
      cacheFrom: ['${IMAGE_REPO}:main', 'r.test/c:$$1$$'],
      inlineCache: true,
      pull: false,
      noCache: false,
    });
  });

  it('says whether the engine builds with BuildKit, and what is asked for in vain without', () => {
    const settingsOf = (written: string) => run(docker(written)).artifacts.get('api')?.settings;
    expect(settingsOf('buildkit: auto')).toBeUndefined();
    expect(settingsOf('buildkit: true')).toMatchObject({ buildkit: 'needed' });
    expect(settingsOf('buildkit: false')).toMatchObject({ buildkit: 'none' });
    expect(run(docker('buildkit: false, ssh: [default], cacheTo: inline')).problems).toEqual([
      expect.stringMatching(/^api\/slipway.yaml:2:\d+ api: image.docker.ssh needs BuildKit, and image.docker.buildkit is false$/),
      expect.stringMatching(/^api\/slipway.yaml:2:\d+ api: image.docker.cacheTo needs BuildKit, and image.docker.buildkit is false$/),
    ]);
  });

  it('is wrong with its place', () => {
    expect(run(docker('labels: {v: "${NOPE}"}, cacheFrom: [a, "${NONE}"]')).problems).toEqual([
      'api/slipway.yaml:2:54 api: the label v needs the variable NOPE, which is not set',
      'api/slipway.yaml:2:81 api: the image of cacheFrom 1 needs the variable NONE, which is not set',
    ]);
    expect(run(docker('secrets: [{id: a}]')).problems).toEqual([
      'api/slipway.yaml:2:51 api/slipway.yaml:2: image.docker.secrets[0] must have an id with either env or src, not id',
    ]);
  });
});

describe('mistakes of the config', () => {
  const mistakes = 'name: "Not A Name", tag: {envTemplate: "${NOT}"}, platform: linux/amd64, platforms: [linux/arm64], requires: [nobody]';
  const said = [
    expect.stringMatching(/^api\/slipway.yaml:2:\d+ .*Not A Name/),
    expect.stringMatching(/^api\/slipway.yaml:2:\d+ api: image says platform and platforms, and one of them is enough$/),
    expect.stringMatching(/^api\/slipway.yaml:2:\d+ api: the build argument A needs the variable NOT, which is not set$/),
    expect.stringMatching(/^api\/slipway.yaml:2:\d+ api: image.requires names nobody, which is no project of this workspace$/),
    expect.stringMatching(/^api\/slipway.yaml:2:\d+ api: image.tag.envTemplate needs the variable NOT, which is not set$/),
  ];

  it.each([
    ['a Dockerfile that is not there', 'file: Other', 'api/slipway.yaml:2:18 api: there is no api/Other'],
    [
      'a Dockerfile outside of the workspace',
      'file: ../../x',
      'api/slipway.yaml:2:24 api: the Dockerfile ../../x lies above the workspace',
    ],
    ['a stage that is not there', 'target: dev', 'api/slipway.yaml:2:26 api/Dockerfile: there is no stage dev: its stages have no names'],
  ])('are told beside %s', (_, docker, other) => {
    const { problems } = run(api(`{docker: {${docker}, args: {A: "\${NOT}"}}, ${mistakes}}`));
    expect(problems.filter((problem) => problem !== other)).toEqual(said);
    expect(problems).toHaveLength(said.length + 1);
  });
});

describe('image.tag', () => {
  it.each([
    ['inputDigest', undefined],
    ['sha256', { kind: 'sha256' }],
    ['gitCommit', { kind: 'gitCommit', variant: 'Tags', prefix: '', ignoreChanges: false }],
    ['{gitCommit: }', { kind: 'gitCommit', variant: 'Tags', prefix: '', ignoreChanges: false }],
    [
      '{gitCommit: {variant: TreeSha, prefix: v, ignoreChanges: true}}',
      { kind: 'gitCommit', variant: 'TreeSha', prefix: 'v', ignoreChanges: true },
    ],
    ['{dateTime: {format: "2006", timezone: UTC}}', { kind: 'dateTime', format: '2006', timezone: 'UTC' }],
    ['dateTime', { kind: 'dateTime', format: '2006-01-02_15-04-05.999_MST' }],
    ['{envTemplate: "${V:-1}"}', { kind: 'envTemplate', template: '${V:-1}' }],
    ['{custom: {template: "${A}-${SHA}", components: {A: gitCommit}}}', { kind: 'custom', template: '${A}-${SHA}' }],
  ])('%s', (written, expected) => {
    const { artifacts, problems } = run(api(`{tag: ${written}}`));
    expect(problems).toEqual([]);
    if (expected === undefined) expect(artifacts.get('api')?.tag).toBeUndefined();
    else expect(artifacts.get('api')?.tag).toMatchObject(expected);
  });

  it('comes from the root, and is left aside in dev', () => {
    const texts = { ...api('{}'), 'slipway.yaml': 'version: 1\nimage: {tag: sha256}' };
    expect(run(texts).artifacts.get('api')?.tag).toEqual({ kind: 'sha256' });
    expect(run(texts, { mode: 'dev' }).artifacts.get('api')?.tag).toBeUndefined();
  });

  it.each([
    ['{envTemplate: "v${NOT}"}', 'api/slipway.yaml:2:30 api: image.tag.envTemplate needs the variable NOT, which is not set'],
    ['{envTemplate: "v{{.V}}"}', 'api/slipway.yaml:2:30 api: image.tag.envTemplate: a variable is written ${NAME}, not {{.V}}'],
    [
      '{custom: {template: "{{.GIT}}"}}',
      'api/slipway.yaml:2:35 api: image.tag.custom.template: a variable is written ${NAME}, not {{.GIT}}',
    ],
    ['{envTemplate: "${a-b}"}', 'api/slipway.yaml:2:29 api: image.tag.envTemplate: ${a-b} is not a variable'],
    ['{dateTime: {timezone: Mars}}', 'api/slipway.yaml:2:36 api: image.tag.dateTime.timezone is Mars, which is not a time zone'],
    ['{custom: {template: "${GITT}"}}', 'api/slipway.yaml:2:35 api: image.tag.custom.template names GITT, which is none of its components'],
    [
      '{gitCommit: {variant: Branch}}',
      'api/slipway.yaml:2:27 api/slipway.yaml:2: image.tag.gitCommit.variant must be one of Tags, CommitSha',
    ],
    ['{gitCommit: {}, dateTime: {}}', 'image.tag must have one key, not gitCommit and dateTime'],
    ['{gitComit: {}}', 'gitComit is not a key of image.tag'],
    ['latest', 'image.tag must be inputDigest, gitCommit, sha256, dateTime, or a map with one of'],
  ])('%s is a mistake with its place', (written, expected) => {
    expect(run(api(`{tag: ${written}}`)).problems).toEqual([expect.stringContaining(expected)]);
  });

  it('does not ask dev for the variables of a release', () => {
    expect(run(api('{tag: {envTemplate: "${NOT}"}}'), { mode: 'dev' }).problems).toEqual([]);
  });
});

describe('image.requires', () => {
  const base = { 'base/Dockerfile': 'FROM scratch' };

  it('puts an image before, and its reference into a build argument', () => {
    const { artifacts, problems } = run({
      ...base,
      'api/Dockerfile': 'ARG BASE\nFROM ${BASE}',
      'api/slipway.yaml': 'version: 1\nimage: {requires: [{project: base, arg: BASE}]}',
    });
    expect(problems).toEqual([]);
    expect(artifacts.get('api')).toMatchObject({ requires: ['base'], recipe: { args: {}, baseArgs: { BASE: 'base' } } });
  });

  it.each([
    ['{requires: [bse]}', 'api/slipway.yaml:2:20 api: image.requires names bse, which is no project of this workspace'],
    [
      '{requires: [{project: base, arg: OTHER}]}',
      'api/slipway.yaml:2:41 api: the image of base is to go into the build argument OTHER, but the Dockerfile has no ARG OTHER',
    ],
  ])('%s is a mistake with its place', (written, expected) => {
    expect(run({ ...base, ...api(written) }).problems).toEqual([expected]);
  });

  it('that closes a circle is a mistake of each image in it, and what stands on one of them cannot be made either', () => {
    const { artifacts, problems } = run({
      ...base,
      'a/Dockerfile': 'FROM base\nCOPY --from=b:latest /x /x',
      'b/Dockerfile': 'FROM scratch',
      'b/slipway.yaml': 'version: 1\nimage:\n  requires:\n    - a',
      'c/Dockerfile': 'FROM a',
    });
    expect(problems).toEqual([
      'a/Dockerfile:2:13 a: its image stands on itself: a → b → a',
      'b/slipway.yaml:4:7 b: its image stands on itself: b → a → b',
      'c/Dockerfile:1:6 c: it stands on the image of a, which cannot be made: a: its image stands on itself: a → b → a',
    ]);
    expect([...artifacts.keys()]).toEqual(['base']);
  });

  // An engine would take whatever image has that name.
  it.each<[string, Readonly<Record<string, string>>, readonly string[]]>([
    [
      'a base with a mistake in its config',
      { 'base/slipway.yaml': 'version: 1\nfoo: 1', 'a/Dockerfile': 'FROM base' },
      ['a/Dockerfile:1:6 a: it stands on the image of base, which cannot be made: '],
    ],
    [
      'a base with a mistake in its Dockerfile, and what stands on that',
      { 'base/Dockerfile': 'FROM scratch\nCOPI x', 'a/Dockerfile': 'FROM base', 'b/Dockerfile': 'FROM a' },
      [
        'a/Dockerfile:1:6 a: it stands on the image of base, which cannot be made: ',
        'b/Dockerfile:1:6 b: it stands on the image of a, which cannot be made: a: it stands on the image of base, which cannot be made: ',
      ],
    ],
    [
      'a base that an argument gets',
      {
        'base/slipway.yaml': 'version: 1\nfoo: 1',
        'a/Dockerfile': 'ARG BASE\nFROM ${BASE}',
        'a/slipway.yaml': 'version: 1\nimage: {requires: [{project: base, arg: BASE}]}',
      },
      ['a/slipway.yaml:2:30 a: it stands on the image of base, which cannot be made: '],
    ],
  ])('nothing is built on %s', (_, texts, mistakes) => {
    const { artifacts, problems } = run({ ...base, ...texts });
    expect([...artifacts.keys()]).toEqual([]);
    const own = problems.filter((text) => text.includes('stands on'));
    expect(own.map((text, at) => text.slice(0, mistakes[at]?.length))).toEqual(mistakes);
  });

  it('takes the name of a project without its scope', () => {
    const { artifacts, problems } = run(
      { ...base, 'a/Dockerfile': 'FROM scratch', 'a/slipway.yaml': 'version: 1\nimage: {requires: [scoped]}' },
      {
        graph: {
          projects: ['base', 'a'].map((name) => ({
            name: name === 'base' ? '@shop/scoped' : name,
            root: name,
            dependencies: [],
            targets: new Map(),
          })),
        },
      },
    );
    expect(problems).toEqual([]);
    expect(artifacts.get('a')?.requires).toEqual(['@shop/scoped']);
  });
});

describe('the Dockerfile of an image with another context', () => {
  const proxy = { 'proxy/Dockerfile': 'FROM scratch\nCOPY conf /\n', 'proxy/conf': '' };
  const said = { 'api/slipway.yaml': 'version: 1\nimages: {p: {context: ../proxy}}' };

  it.each<[string, Readonly<Record<string, string>>, string]>([
    ['is in that context', { ...proxy, ...said }, 'proxy/Dockerfile'],
    ['is in that context, whatever the project has itself', { ...proxy, ...said, 'api/Dockerfile': 'FROM scratch\n' }, 'proxy/Dockerfile'],
    [
      'is beside the project where that context has none',
      { 'proxy/conf': '', ...said, 'api/Dockerfile': 'FROM scratch\nCOPY conf /\n' },
      'api/Dockerfile',
    ],
    [
      'has any name',
      {
        ...proxy,
        'proxy/p.Containerfile': 'FROM scratch\n',
        'api/slipway.yaml': said['api/slipway.yaml'].replace('}', ', docker: {file: p.Containerfile}}'),
      },
      'proxy/p.Containerfile',
    ],
  ])('%s', (_, texts, dockerfile) => {
    const { artifacts, problems } = run(texts);
    expect(problems).toEqual([]);
    expect(artifacts.get('api/p')?.recipe).toMatchObject({ dockerfile, context: 'proxy' });
  });

  it.each<[string, string, string]>([
    ['below the project is in that context', 'proxy', 'api/proxy/Dockerfile'],
    ['that the project lies in is beside the project', '..', 'api/Dockerfile'],
    ['that is the workspace is beside the project', 'workspace', 'api/Dockerfile'],
    ['that is the project is beside the project', 'project', 'api/Dockerfile'],
  ])('%s', (_, context, dockerfile) => {
    const { artifacts, problems } = run({
      Dockerfile: 'FROM scratch\n',
      'api/Dockerfile': 'FROM scratch\n',
      'api/proxy/Dockerfile': 'FROM scratch\n',
      'api/slipway.yaml': `version: 1\nimage: {context: ${context}}`,
    });
    expect(problems).toEqual([]);
    expect(artifacts.get('api')?.recipe.dockerfile).toBe(dockerfile);
  });

  it('is not that of the context which the root names for all', () => {
    const { artifacts, problems } = run({
      Dockerfile: 'FROM scratch\n',
      'slipway.yaml': 'version: 1\nimage: {context: workspace}',
      'lib/index.js': '',
    });
    expect([[...artifacts.keys()], problems]).toEqual([[], []]);
  });
});

describe('what a base of the workspace leaves to those that stand on it', () => {
  const base = { 'base/Dockerfile': 'FROM scratch\nWORKDIR /app\nONBUILD COPY src /src\nONBUILD RUN make\n' };
  const files = { 'api/src/a.js': '', 'api/own.js': '' };

  it.each([
    ['FROM base', {}],
    ['ARG BASE\nFROM ${BASE}', { 'api/slipway.yaml': 'version: 1\nimage: {requires: [{project: base, arg: BASE}]}' }],
  ])('is read as if it stood there: %j', (from, texts) => {
    const { artifacts, problems } = run({ ...base, ...files, ...texts, 'api/Dockerfile': `${from}\nCOPY own.js /own.js\n` });
    expect(problems).toEqual([]);
    expect(artifacts.get('api')).toMatchObject({ recipe: { builder: 'docker/1' }, requires: ['base'] });
    expect(artifacts.get('api')?.builderBecause).toMatch(/^ONBUILD COPY src \/src of its base \(api\/Dockerfile:\d\) needs an engine$/);
    expect(artifacts.get('api')?.inputs.find(({ path }) => path === 'api/src')).toMatchObject({ onChange: 'rebuild' });
  });

  it('is nothing of images from elsewhere, and nothing that the base was left itself', () => {
    const texts = {
      ...base,
      'next/Dockerfile': 'FROM base\nCOPY src /x\n',
      'next/src/b.js': '',
      'api/Dockerfile': 'FROM next\nCOPY own.js /own.js\n',
    };
    expect(run({ ...files, ...texts }).artifacts.get('api')?.recipe.builder).toBe('layers/1');
    expect(run({ ...files, ...base, 'api/Dockerfile': 'FROM base:1\nCOPY own.js /own.js\n' }).artifacts.get('api')?.recipe.builder).toBe(
      'layers/1',
    );
  });
});

describe('platforms', () => {
  const texts = {
    'api/Dockerfile': 'FROM scratch\nARG TARGETARCH\nCOPY app-${TARGETARCH} /app\nCOPY web /web\n',
    'api/app-amd64': '',
    'api/app-arm64': '',
    'api/web': '',
    'api/slipway.yaml': 'version: 1\nimage: {platforms: [linux/arm64, linux/amd64]}\n',
    'slipway.yaml': 'version: 1\nimage: {platform: linux/s390x}\n',
  };
  const taken = (more: Partial<WorkspaceFacts>) => {
    const artifact = run(texts, more).artifacts.get('api');
    return [artifact?.recipe.platform, ...(artifact?.inputs ?? []).map(({ path }) => path).filter((path) => /app|web/.test(path))];
  };

  it('of an image take what is copied for any of them, in whatever order they are listed', () => {
    expect(taken({})).toEqual(['linux/amd64,linux/arm64', 'api/app-amd64', 'api/web', 'api/app-arm64']);
  });

  it.each([
    ['this machine’s, where it is among them', 'linux/amd64', ['linux/amd64', 'api/app-amd64', 'api/web']],
    ['else the first', 'linux/riscv64', ['linux/arm64', 'api/app-arm64', 'api/web']],
  ])('are one in dev: %s', (_, machine, expected) => {
    expect(taken({ mode: 'dev', machine })).toEqual(expected);
  });
});
