import { assemble, keepEqual, type GraphProject, type GraphTarget, type WorkspaceFacts, type WorkspaceFiles } from '.';

/** A workspace in memory: text by path. */
function filesOf(texts: Readonly<Record<string, string>>): WorkspaceFiles {
  const paths = Object.keys(texts);
  return {
    textOf: (path) => texts[path],
    kindOf: (path) => (path in texts ? 'file' : path === '' || paths.some((each) => each.startsWith(`${path}/`)) ? 'dir' : undefined),
    namesIn(directory) {
      const prefix = directory === '' ? '' : `${directory}/`;
      return [
        ...new Set(paths.filter((path) => path.startsWith(prefix)).map((path) => path.slice(prefix.length).split('/')[0] ?? '')),
      ].sort();
    },
  };
}

function project(
  name: string,
  root: string,
  more: { readonly dependencies?: string[]; readonly targets?: GraphTarget[] } = {},
): GraphProject {
  const { dependencies = [], targets = [] } = more;
  return { name, root, dependencies, targets: new Map(targets.map((target) => [target.name, target])) };
}

function target(name: string, outputs: string[], more: Partial<GraphTarget> = {}): GraphTarget {
  return { name, outputs, dependsOn: [], continuous: false, ...more };
}

function deployment(image: string, more = ''): string {
  return `apiVersion: apps/v1
kind: Deployment
metadata: {name: d}
spec:
  template:
    spec:
      containers:
        - {name: c, image: "${image}"${more}}
---
apiVersion: v1
kind: Service
metadata: {name: s}
spec: {ports: [{port: 53, protocol: UDP}, {port: 80}, {port: 9000}]}
`;
}

const worker = { 'apps/worker/src/a.js': '', 'apps/worker/k8s/d.yaml': deployment('worker') };
const watching = 'FROM node\nWORKDIR /app\nCOPY src src\nCMD ["node", "--watch", "src/a.js"]\n';

function run(texts: Readonly<Record<string, string>>, more: Partial<WorkspaceFacts> & { readonly projects?: GraphProject[] } = {}) {
  const { projects = [project('worker', 'apps/worker')], ...rest } = more;
  return assemble({ root: '/w', graph: { projects }, files: filesOf(texts), mode: 'dev', env: {}, ...rest });
}

function messages(assembled: ReturnType<typeof run>): string[] {
  return assembled.workspace.problems.map((problem) => problem.message);
}

function inputsOf(assembled: ReturnType<typeof run>, name = 'worker'): string[] {
  return (assembled.workspace.artifacts.get(name)?.inputs ?? []).map(
    (input) => `${input.onChange} ${input.path} ${input.containerPath ?? '-'}: ${input.because}`,
  );
}

describe('an artifact', () => {
  it('has its Dockerfile and ignore file as inputs besides what it copies, and no config', () => {
    const assembled = run({
      ...worker,
      'apps/worker/Dockerfile': watching,
      'apps/worker/.dockerignore': '*.md',
      'apps/worker/slipway.yaml': 'version: 1',
    });
    expect(messages(assembled)).toEqual([]);
    expect(inputsOf(assembled)).toEqual([
      'rebuild apps/worker/Dockerfile -: the Dockerfile itself',
      'rebuild apps/worker/.dockerignore -: it says what the image leaves out',
      'sync apps/worker/src /app/src: copied to /app/src (apps/worker/Dockerfile:3)',
    ]);
    expect(assembled.workspace.artifacts.get('worker')).toMatchObject({
      image: 'worker',
      recipe: { builder: 'layers/1', context: 'apps/worker', dockerfile: 'apps/worker/Dockerfile', args: {} },
      reload: { kind: 'hot', because: '`node --watch src/a.js` starts again when files change' },
    });
  });

  it.each<readonly [string, string, readonly string[]]>([
    ['of a folder without those in it', 'FROM a\nCOPY . /app\n', ['apps/worker/other.yaml']],
    ['of the workspace without those of other projects', 'FROM a\nCOPY apps /apps\n', ['apps/worker/other.yaml']],
    ['before a RUN that reads all of them', 'FROM a\nCOPY . /app\nRUN make\n', ['apps/worker/other.yaml']],
    ['that is named', 'FROM a\nCOPY slipway.yaml /app/\n', ['apps/worker/slipway.yaml']],
  ])('takes configs of Slipway only where an instruction names them: one %s', (_, dockerfile, taken) => {
    const texts = {
      ...worker,
      'apps/worker/Dockerfile': dockerfile,
      'apps/worker/slipway.yaml': 'version: 1',
      'apps/worker/other.yaml': '',
      'apps/web/slipway.yaml': 'version: 1',
    };
    const assembled = run(texts, { projects: [project('worker', 'apps/worker'), project('web', 'apps/web')] });
    const { inputs = [] } = assembled.workspace.artifacts.get('worker') ?? {};
    const yamls = Object.keys(texts).filter((path) => path.endsWith('.yaml') && !path.includes('k8s'));
    const takes = (path: string): boolean =>
      inputs.some((input) => (path === input.path || path.startsWith(`${input.path}/`)) && (input.accepts?.(path, 'file') ?? true));
    expect(messages(assembled)).toEqual([]);
    expect(yamls.filter(takes)).toEqual(taken);
  });

  it('takes the ignore file that is named after its Dockerfile', () => {
    const assembled = run({
      ...worker,
      'apps/worker/Dockerfile': watching,
      'apps/worker/.dockerignore': 'src',
      'apps/worker/Dockerfile.dockerignore': '**/*.md',
    });
    const src = assembled.workspace.artifacts.get('worker')?.inputs.at(-1);
    expect([src?.accepts?.('apps/worker/src/a.js', 'file'), src?.accepts?.('apps/worker/src/a.md', 'file')]).toEqual([true, false]);
  });

  it('is named after its project, without the scope', () => {
    const assembled = run({ 'p/Dockerfile': 'FROM scratch' }, { projects: [project('@shop/api', 'p')] });
    expect(assembled.workspace.artifacts.get('@shop/api')?.image).toBe('api');
  });

  it('stands on images of the workspace that its Dockerfile names', () => {
    const texts = {
      'a/Dockerfile': 'FROM registry.example/b:1',
      'b/Dockerfile': 'FROM scratch',
      'slipway.yaml': 'version: 1\ndefaultRepo: registry.example',
    };
    const assembled = run(texts, { projects: [project('a', 'a'), project('b', 'b')] });
    expect(assembled.workspace.artifacts.get('a')?.requires).toEqual(['b']);
  });

  it.each([
    ['b', ['b']],
    ['b:latest', ['b']],
    ['b:7', []],
    ['docker.io/library/b:7', []],
    ['docker.io/library/b', ['b']],
    [`b@sha256:${'0'.repeat(64)}`, []],
  ])('that is FROM %s stands on %j: one word with a tag is an official image', (base, requires) => {
    const assembled = run(
      { 'a/Dockerfile': `FROM ${base}`, 'b/Dockerfile': 'FROM scratch' },
      { projects: [project('a', 'a'), project('b', 'b')] },
    );
    expect(assembled.workspace.artifacts.get('a')?.requires).toEqual(requires);
  });

  it('does not stand on itself', () => {
    const assembled = run({ 'p/Dockerfile': 'FROM nginx' }, { projects: [project('nginx', 'p')] });
    expect(assembled.workspace.artifacts.get('nginx')?.requires).toEqual([]);
  });

  const stages = `${watching.replace('FROM node', 'FROM node AS dev')}FROM node AS prod\nCMD ["node", "a.js"]\n`;
  it.each([
    ['dev', '', 'dev'],
    ['deploy', '', undefined],
    ['dev', 'target: prod', 'prod'],
    ['deploy', 'target: dev', 'dev'],
  ] as const)('in mode %s with %j builds the stage %s', (mode, config, expected) => {
    const texts = { ...worker, 'apps/worker/Dockerfile': stages, 'apps/worker/slipway.yaml': `version: 1\nimage: {docker: {${config}}}` };
    expect(run(texts, { mode }).workspace.artifacts.get('worker')?.recipe.target).toBe(expected);
  });

  it('has the build arguments that its Dockerfile declares, with variables of the environment', () => {
    const texts = {
      ...worker,
      'apps/worker/Dockerfile': `ARG V\n${watching}`,
      'apps/worker/slipway.yaml': 'version: 1\nimage: {docker: {args: {V: "${TAG}-1", OTHER: 2}}}',
    };
    expect(run(texts, { env: { TAG: 't' } }).workspace.artifacts.get('worker')?.recipe.args).toEqual({ V: 't-1' });
    expect(messages(run(texts))).toEqual(['worker: the build argument V needs the variable TAG, which is not set']);
  });
});

describe('the context', () => {
  const shared = { ...worker, 'libs/x/i.js': '' };
  it.each([
    ['the project, when all is there', 'COPY src src', '', 'apps/worker'],
    ['the project, when nothing is copied', '', '', 'apps/worker'],
    ['the workspace, when all is only there', 'COPY apps/worker/src src\nCOPY libs/x x', '', ''],
    ['the workspace, when a pattern matches only there', 'COPY libs/x/*.js x/', '', ''],
    ['as configured', 'COPY apps x', 'context: workspace', ''],
    ['a configured path', 'COPY worker x', 'context: ..', 'apps'],
  ] as const)('is %s', (_name, copy, config, expected) => {
    const texts = {
      ...shared,
      'apps/worker/Dockerfile': `FROM scratch\n${copy}`,
      'apps/worker/slipway.yaml': `version: 1\nimage: {${config}}`,
    };
    const assembled = run(texts);
    expect(messages(assembled)).toEqual([]);
    expect(assembled.workspace.artifacts.get('worker')?.recipe.context).toBe(expected);
  });

  it('is a problem that names both when neither has everything', () => {
    expect(messages(run({ ...shared, 'apps/worker/Dockerfile': 'FROM scratch\nCOPY src a\nCOPY libs/x x' }))).toEqual([
      'apps/worker/Dockerfile copies files that are neither all in the project nor all in the workspace; not in apps/worker: libs/x; not in the workspace: src',
    ]);
  });

  it('is a problem that names what is nowhere, and its line', () => {
    const { problems } = run({ ...shared, 'apps/worker/Dockerfile': 'FROM scratch\nCOPY src a\nCOPY libs/x x\nCOPY gone x' }).workspace;
    expect(problems).toMatchObject([
      {
        message: 'apps/worker/Dockerfile:4: gone is copied, and is neither in apps/worker nor in the workspace',
        location: { file: 'apps/worker/Dockerfile', line: 4 },
      },
    ]);
  });

  it('may have outputs that have not been made yet', () => {
    const projects = [project('worker', 'apps/worker', { targets: [target('build', ['{projectRoot}/dist'])] })];
    const assembled = run({ ...worker, 'apps/worker/Dockerfile': 'FROM nginx\nCOPY dist /usr/share/nginx/html' }, { projects });
    expect(inputsOf(assembled).at(-1)).toMatch(/^sync apps\/worker\/dist \/usr\/share\/nginx\/html: /);
  });
});

describe('how changes take effect', () => {
  it('is a rebuild of everything when the process would not take them up', () => {
    const assembled = run({ ...worker, 'apps/worker/Dockerfile': watching.replace('"--watch", ', '') });
    expect(inputsOf(assembled).at(-1)).toBe(
      'rebuild apps/worker/src /app/src: copied to /app/src (apps/worker/Dockerfile:3), and nothing in `node src/a.js` would pick up a change',
    );
  });

  it.each([
    ['command in the manifest', ', command: [nodemon, a.js]', 'node a.js', 'hot'],
    ['command in the manifest without the CMD', ', command: [env]', 'node --watch a.js', 'rebuild'],
    ['args in the manifest', ', args: [node, a.js]', 'node --watch a.js', 'rebuild'],
  ] as const)('is decided by the %s', (_name, more, command, expected) => {
    const dockerfile = `FROM node\nCMD ${JSON.stringify(command.split(' '))}`;
    const assembled = run({ 'apps/worker/k8s/d.yaml': deployment('worker:latest', more), 'apps/worker/Dockerfile': dockerfile });
    expect(assembled.workspace.artifacts.get('worker')?.reload.kind).toBe(expected);
  });

  it('is not decided by init containers', () => {
    const text =
      'apiVersion: v1\nkind: Pod\nmetadata: {name: p}\nspec: {initContainers: [{name: i, image: worker, command: [migrate]}], containers: [{name: c, image: worker}]}';
    const assembled = run({ ...worker, 'apps/worker/k8s/d.yaml': text, 'apps/worker/Dockerfile': watching });
    expect(assembled.workspace.artifacts.get('worker')?.reload.kind).toBe('hot');
  });

  it.each([
    ['reload: hot', { kind: 'hot' }],
    ['reload: rebuild', { kind: 'rebuild' }],
    ['reload: {command: [kill, "1"]}', { kind: 'command' }],
  ])('is configured by %s', (config, expected) => {
    const assembled = run({
      ...worker,
      'apps/worker/Dockerfile': 'FROM a\nCMD ["/app"]',
      'apps/worker/slipway.yaml': `version: 1\n${config}`,
    });
    expect(assembled.workspace.artifacts.get('worker')?.reload).toMatchObject(expected);
  });

  it('is a rebuild for files in /etc, which programs read when they start', () => {
    const assembled = run({
      ...worker,
      'apps/worker/nginx.conf': '',
      'apps/worker/Dockerfile': 'FROM nginx\nCOPY nginx.conf /etc/nginx/nginx.conf',
    });
    expect(inputsOf(assembled).at(-1)).toContain('rebuild apps/worker/nginx.conf');
  });

  it('is nothing for what sync.ignore names, though images have it', () => {
    const assembled = run({
      ...worker,
      'apps/worker/Dockerfile': watching,
      'apps/worker/slipway.yaml': 'version: 1\nsync: {ignore: ["src/**/*.test.js"]}',
    });
    const [followed, left] = assembled.workspace.artifacts.get('worker')?.inputs.slice(-2) ?? [];
    const accepted = (input: typeof left) =>
      ['apps/worker/src/a.js', 'apps/worker/src/x/a.test.js'].map((path) => input?.accepts?.(path, 'file'));
    expect(accepted(followed)).toEqual([true, false]);
    expect(accepted(left)).toEqual([false, true]);
    expect(left).toMatchObject({ onChange: 'sync', because: 'left alone by sync.ignore (apps/worker/slipway.yaml)' });
    expect(left?.containerPath).toBeUndefined();
  });
});

describe('a release', () => {
  it('has the manifests in k8s, the artifacts that they name, and a forward for each Service', () => {
    const texts = { ...worker, 'apps/worker/Dockerfile': watching, 'apps/worker/slipway.yaml': 'version: 1\nnamespace: shop' };
    const { workspace } = run(texts);
    expect([...workspace.releases.values()]).toEqual([
      {
        name: 'worker',
        project: 'worker',
        namespace: 'shop',
        sources: [{ kind: 'kubectl', manifests: ['apps/worker/k8s/d.yaml'] }],
        inputs: [{ path: 'apps/worker/k8s/d.yaml', because: 'a manifest of worker' }],
        artifacts: ['worker'],
      },
    ]);
    expect(workspace.forwards).toEqual([
      { release: 'worker', resource: 'service/s', port: 80, localPort: 8080, strict: false, scheme: 'http' },
    ]);
  });

  it('has the manifests and forwards of its config', () => {
    const config =
      'version: 1\nmanifests: [deploy, "more/**/*.yml"]\nportForward: [{resource: service/x, port: http, localPort: 3000}, {resource: pod/y, port: 3001}, {resource: pod/z, port: http}]';
    const texts = {
      'apps/worker/slipway.yaml': config,
      'apps/worker/deploy/a.yaml': deployment('other'),
      'apps/worker/deploy/b.txt': '',
      'apps/worker/more/x/y/c.yml': '',
      'apps/worker/more/d.yaml': '',
    };
    const { workspace } = run(texts);
    expect(workspace.releases.get('worker')?.namesForwards).toBe(true);
    expect(workspace.releases.get('worker')?.sources).toEqual([
      { kind: 'kubectl', manifests: ['apps/worker/deploy/a.yaml', 'apps/worker/more/x/y/c.yml'] },
    ]);
    expect(workspace.forwards.map(({ resource, localPort, strict }) => [resource, localPort, strict])).toEqual([
      ['service/x', 3000, false],
      ['pod/y', 3001, false],
      ['pod/z', 8000, false],
    ]);
  });

  it('has images of other kinds, and manifests that are templates, as its config says', () => {
    const config = 'version: 1\napply: {hydrate: [k8s/t.yaml], images: [{kind: Rollout, path: "spec.images[]"}], force: true}\n';
    const template = 'kind: Rollout\napiVersion: x.dev/v1\nmetadata: {name: r}\nspec: {images: ["${NAME}", "$${x}"], of: "${TEAM:-us}"}\n';
    const texts = {
      'apps/worker/Dockerfile': watching,
      'apps/worker/src/a.js': '',
      'apps/worker/slipway.yaml': config,
      'apps/worker/k8s/t.yaml': template,
    };
    const { workspace } = run(texts, { env: { NAME: 'worker' } });
    expect(workspace.problems).toEqual([]);
    expect(workspace.releases.get('worker')).toMatchObject({
      artifacts: ['worker'],
      apply: { force: true, imageFields: [{ kind: 'Rollout', path: 'spec.images[]' }] },
      sources: [
        { manifests: ['apps/worker/k8s/t.yaml'], hydrated: { manifests: ['apps/worker/k8s/t.yaml'], variables: { NAME: 'worker' } } },
      ],
    });
    const [problem] = run({ ...texts, 'apps/worker/k8s/t.yaml': template.replace('${NAME}', '${NOBODY}') }).workspace.problems;
    expect(problem).toMatchObject({ code: 'variableNotSet', location: { file: 'apps/worker/k8s/t.yaml', line: 4, column: 18 } });
  });

  it('has the hooks of its config, those of the image apart, each with its place', () => {
    const config = [
      'version: 1',
      'hooks:',
      '  build: {before: [{run: make, dir: ../tools, os: [linux], env: {A: 1}}]}',
      '  deploy:',
      '    after:',
      '      - {run: [npm, test], container: worker, env: {B: 2}, pods: app=worker, timeout: 5}',
    ];
    const { workspace } = run({ ...worker, 'apps/worker/Dockerfile': watching, 'apps/worker/slipway.yaml': config.join('\n') });
    expect(workspace.problems).toEqual([]);
    expect(workspace.artifacts.get('worker')?.hooks).toEqual([
      {
        stage: 'build',
        when: 'before',
        run: 'make',
        where: { kind: 'host', folder: 'apps/tools', os: ['linux'], env: { A: '1' } },
        timeoutMs: 120_000,
        location: { file: 'apps/worker/slipway.yaml', line: 3, column: 26 },
      },
    ]);
    expect(workspace.releases.get('worker')?.hooks).toEqual([
      {
        stage: 'deploy',
        when: 'after',
        run: ['npm', 'test'],
        where: { kind: 'container', container: 'worker', selector: 'app=worker', env: { B: '2' } },
        timeoutMs: 5_000,
        location: { file: 'apps/worker/slipway.yaml', line: 6, column: 16 },
      },
    ]);
  });

  it('is left out while the image that it needs cannot be described', () => {
    const { workspace } = run({ ...worker, 'apps/worker/Dockerfile': 'FORM node' });
    expect([workspace.artifacts.size, workspace.releases.size]).toEqual([0, 0]);
    expect(workspace.problems.map(({ code }) => code)).toEqual(['dockerfileInvalid']);
  });

  it('is left out with a mistake of its own while another project cannot make the image that it runs', () => {
    const texts = { ...worker, 'apps/worker/Dockerfile': 'FORM node', 'apps/web/k8s/d.yaml': deployment('worker') };
    const { workspace } = run(texts, { projects: [project('web', 'apps/web'), project('worker', 'apps/worker')] });
    const [of, ...others] = workspace.problems;
    expect([of?.project, workspace.releases.size, [...(workspace.brokenReleases?.keys() ?? [])]]).toEqual(['worker', 0, ['web', 'worker']]);
    expect(others).toMatchObject([
      {
        code: 'usedImageBroken',
        project: 'web',
        message: `web: it runs the image of worker, which cannot be made: ${of?.message ?? ''}`,
        hint: of?.hint ?? 'correct worker',
        location: { file: 'apps/web/k8s/d.yaml', line: 8 },
        exitCode: 2,
      },
    ]);
  });
});

describe('an image from elsewhere', () => {
  it.each(['worker:1', 'registry.example/worker', 'postgres'])('needs no Dockerfile: %s', (image) => {
    const { workspace } = run({ 'apps/worker/k8s/d.yaml': deployment(image) });
    expect(workspace.problems).toEqual([]);
    expect(workspace.releases.get('worker')?.artifacts).toEqual([]);
  });
});

describe('a rule of sync', () => {
  const go = {
    'apps/pricing/Dockerfile':
      'FROM golang AS dev\nWORKDIR /src\nCOPY go.mod ./\nRUN go mod download\nCOPY . .\nRUN go build -o /bin/pricing .\nCMD ["/loop"]',
    'apps/pricing/go.mod': '',
    'apps/pricing/main.go': '',
    'apps/pricing/tax/tax.go': '',
    'apps/pricing/rates.json': '',
    'libs/shared/notes.txt': '',
  };
  const projects = [project('pricing', 'apps/pricing'), project('shared', 'libs/shared')];
  const assembledWith = (sync: string, texts: Readonly<Record<string, string>> = go) =>
    run({ ...texts, 'apps/pricing/slipway.yaml': `version: 1\nsync:\n  ${sync}` }, { projects });
  /** What a change of each file asks for, and where it lands. */
  const asked = (sync: string, ...paths: string[]) => {
    const artifact = assembledWith(sync).workspace.artifacts.get('pricing');
    return paths.map((path) => {
      const inputs = (artifact?.inputs ?? []).flatMap((input) => {
        const below = input.path === '' || path === input.path || path.startsWith(`${input.path}/`);
        return below && input.accepts?.(path, 'file') !== false ? [input] : [];
      });
      if (inputs.some(({ onChange }) => onChange === 'rebuild')) return 'rebuild';
      return inputs
        .filter(({ containerPath }) => containerPath !== undefined)
        .map((input) => `${(input.containerPath ?? '') + path.slice(input.path.length)}${input.onlySynced ? ' (only synced)' : ''}`)
        .join(', ');
    });
  };

  it('with a command for some files has them copied, where a RUN that reads them would have asked for an image', () => {
    expect(asked('after: [{run: [go, build], when: ["**/*.go"]}]', 'apps/pricing/main.go', 'apps/pricing/tax/tax.go')).toEqual([
      '/src/main.go',
      '/src/tax/tax.go',
    ]);
    expect(asked('after: [{run: [go, build], when: ["**/*.go"]}]', 'apps/pricing/go.mod', 'apps/pricing/rates.json')).toEqual([
      'rebuild',
      'rebuild',
    ]);
  });

  it('is told, with its place and what it wins over', () => {
    const artifact = assembledWith('after: [{run: [go, build], when: ["**/*.go"], timeout: 5}]').workspace.artifacts.get('pricing');
    expect(artifact?.inputs.find(({ byRule, path }) => byRule && path === 'apps/pricing')?.because).toBe(
      'copied to /src by sync.after (apps/pricing/slipway.yaml:3), which wins over: read by RUN go build -o /bin/pricing . (apps/pricing/Dockerfile:6)',
    );
    expect(
      artifact?.after.map(({ run: command, timeoutMs, accepts }) => [command, timeoutMs, accepts?.('apps/pricing/a.go', 'file')]),
    ).toEqual([[['go', 'build'], 5000, true]]);
  });

  it.each([
    ['a folder', 'rules: [{src: tax, dest: /x}]', 'apps/pricing/tax/tax.go', '/src/tax/tax.go, /x/tax/tax.go (only synced)'],
    [
      'what it strips',
      'rules: [{src: "tax/**", dest: /x, strip: tax/}]',
      'apps/pricing/tax/tax.go',
      '/src/tax/tax.go, /x/tax.go (only synced)',
    ],
    [
      'a relative dest',
      'rules: [{src: "*.json", dest: conf}]',
      'apps/pricing/rates.json',
      '/src/rates.json, /src/conf/rates.json (only synced)',
    ],
    [
      'what the image never had',
      'rules: [{src: "../../libs/shared/*.txt", dest: /x, strip: ../../libs/shared}]',
      'libs/shared/notes.txt',
      '/x/notes.txt (only synced)',
    ],
    [
      'a strip below the glob',
      'rules: [{src: "**/*.go", dest: /x, strip: tax}]',
      'apps/pricing/tax/tax.go',
      '/src/tax/tax.go, /x/tax.go (only synced)',
    ],
    [
      'the rest of such a glob',
      'rules: [{src: "**/*.go", dest: /x, strip: tax}]',
      'apps/pricing/main.go',
      '/src/main.go, /x/main.go (only synced)',
    ],
    [
      'manual, what a rule names',
      '{mode: manual, rules: [{src: "*.json", dest: .}]}',
      'apps/pricing/rates.json',
      '/src/rates.json, /src/rates.json (only synced)',
    ],
    ['manual, what no rule names', '{mode: manual, rules: [{src: "*.json", dest: .}]}', 'apps/pricing/main.go', 'rebuild'],
    ['off', '{mode: off, rules: [{src: "*.json", dest: .}]}', 'apps/pricing/rates.json', 'rebuild'],
  ])('lands %s', (_what, sync, path, expected) => {
    expect(asked(sync, path)).toEqual([expected]);
  });

  it('takes its sources from the context of the image, as COPY does', () => {
    const texts = { ...go, 'apps/pricing/Dockerfile': 'FROM golang\nWORKDIR /src\nCOPY libs/shared ./shared\nCMD ["/loop"]' };
    const sync = `{rules: [{src: "libs/shared/*.txt", dest: notes, strip: libs/shared}, {src: "*.json", dest: /x}, {src: tax, dest: /y}]}`;
    const artifact = assembledWith(sync, texts).workspace.artifacts.get('pricing');
    expect(artifact?.recipe.context).toBe('');
    expect(
      artifact?.inputs.filter(({ onlySynced }) => onlySynced).map(({ path, containerPath }) => `${path} ${containerPath ?? ''}`),
    ).toEqual(['libs/shared /src/notes', ' /x', 'tax /y/tax']);
    expect(artifact?.notices).toEqual([
      {
        message:
          'pricing: sync.rules (apps/pricing/slipway.yaml:3) copies tax, and there is no tax: src is relative to the context of the image, the workspace',
        hint: 'perhaps apps/pricing/tax was meant',
      },
    ]);
  });

  it.each([
    ['{src: "tax/**", dest: /src/tax}', 'tax/** lands in /src/tax/tax', 'write strip: tax/ for /src/tax, or dest: /src'],
    ['{src: tax, dest: tax}', 'tax lands in /src/tax/tax', 'write strip: tax/ for /src/tax, or dest: /src'],
    ['{src: "tax/**", dest: /src/tax, strip: tax}', undefined, undefined],
    ['{src: "tax/**", dest: /src}', undefined, undefined],
    ['{src: "*.go", dest: /src/tax}', undefined, undefined],
  ])('warns of %s where it would repeat a directory', (rule, message, hint) => {
    const [notice, ...others] = assembledWith(`rules: [${rule}]`).workspace.artifacts.get('pricing')?.notices ?? [];
    expect(others).toEqual([]);
    expect(notice?.hint).toBe(hint);
    if (message !== undefined) expect(notice?.message).toContain(message);
  });

  it.each([
    ['/', '{src: "**", dest: /, mirror: true}'],
    ['/etc', '{src: "tax/**", dest: /etc, strip: tax, mirror: true}'],
    ['/usr/bin', '{src: "tax/**", dest: /usr/bin, strip: tax, mirror: true}'],
  ])('mirrors nothing to %s, where a system has its files', (folder, rule) => {
    const { workspace } = assembledWith(`{rules: [${rule}]}`);
    expect(workspace.problems).toMatchObject([{ code: 'mirrorTooWide', exitCode: 2, location: { line: 3 } }]);
    expect(workspace.problems[0]?.message).toContain(` in ${folder},`);
  });

  it('mirrors what it copies where it is asked to', () => {
    const { workspace } = assembledWith('{rules: [{src: "tax/**", dest: /usr/share/app, strip: tax, mirror: true}, {src: tax, dest: /y}]}');
    expect(workspace.problems).toEqual([]);
    const ruled = workspace.artifacts.get('pricing')?.inputs.filter(({ onlySynced }) => onlySynced);
    expect(ruled?.map(({ containerPath, mirror }) => [containerPath, mirror])).toEqual([
      ['/usr/share/app', true],
      ['/y/tax', undefined],
    ]);
  });

  it('says how files are written, for all or for its own', () => {
    const inputs = assembledWith(
      '{write: atomic, rules: [{src: "*.json", dest: ., write: in-place}, {src: tax, dest: /x}]}',
    ).workspace.artifacts.get('pricing')?.inputs;
    expect(
      inputs?.filter(({ containerPath }) => containerPath !== undefined).map(({ onlySynced = false, write }) => [onlySynced, write]),
    ).toEqual([
      ...(inputs ?? []).filter(({ onlySynced, containerPath }) => !onlySynced && containerPath !== undefined).map(() => [false, 'atomic']),
      [true, 'in-place'],
      [true, 'atomic'],
    ]);
  });

  it('is left alone by sync.ignore too', () => {
    expect(asked('{mode: manual, ignore: ["**/*.go"], rules: [{src: tax, dest: /x}]}', 'apps/pricing/tax/tax.go')).toEqual(['']);
  });

  it('narrows what is inferred to what sync.infer names', () => {
    const texts = { ...go, 'apps/pricing/Dockerfile': 'FROM golang\nWORKDIR /src\nCOPY . .\nCMD ["uvicorn", "--reload", "a"]' };
    const artifact = assembledWith('{infer: ["tax/**", "*.json"]}', texts).workspace.artifacts.get('pricing');
    const changeOf = (path: string) =>
      artifact?.inputs.find(({ accepts, path: at }) => path.startsWith(at) && accepts?.(path, 'file') === true);
    expect(changeOf('apps/pricing/tax/tax.go')?.onChange).toBe('sync');
    expect(changeOf('apps/pricing/rates.json')?.onChange).toBe('sync');
    expect(changeOf('apps/pricing/main.go')).toMatchObject({
      onChange: 'rebuild',
      because: 'copied to /src (apps/pricing/Dockerfile:3), and sync.infer (apps/pricing/slipway.yaml:3) does not name it',
    });
  });

  it('has commands that are run before, in the container or here', () => {
    const artifact = assembledWith(
      'before: [{run: [sync-check], when: ["*.go"], timeout: 3}, {run: [make, gen], where: host}]',
    ).workspace.artifacts.get('pricing');
    expect(
      artifact?.before?.map(({ run: command, timeoutMs, accepts }) => [command, timeoutMs, accepts?.('apps/pricing/tax/tax.go', 'file')]),
    ).toEqual([[['sync-check'], 3000, false]]);
    expect(artifact?.hooks).toMatchObject([
      { stage: 'sync', when: 'before', run: ['make', 'gen'], where: { kind: 'host', folder: 'apps/pricing' }, location: { line: 3 } },
    ]);
  });

  it('that is misspelt is a mistake with its place', () => {
    expect(messages(assembledWith('after: [{run: [], when: ["**/*.go"]}]'))).toEqual([
      'apps/pricing/slipway.yaml:3: sync.after[0].run is empty',
    ]);
  });
});

describe('a target', () => {
  const texts = {
    'package.json': '{}',
    'apps/web/Dockerfile': 'FROM nginx\nCOPY dist /usr/share/nginx/html',
    'apps/web/k8s/d.yaml': deployment('web'),
    'apps/web/src/a.ts': '',
    'libs/ui/src/b.ts': '',
    'libs/other/src/c.ts': '',
  };
  const build = target('build', ['{projectRoot}/dist'], { dependsOn: ['^build'] });
  const projects = [
    project('web', 'apps/web', { dependencies: ['ui'], targets: [build, target('serve', [], { continuous: true })] }),
    project('ui', 'libs/ui', { targets: [target('build', ['{workspaceRoot}/dist/{projectName}'])] }),
    project('other', 'libs/other', { targets: [target('build', ['{projectRoot}/dist'])] }),
  ];

  it('decides with sync.mode auto what is copied', () => {
    const withMode = (dockerfile: string) =>
      run({ ...texts, 'apps/web/Dockerfile': dockerfile, 'apps/web/slipway.yaml': 'version: 1\nsync: {mode: auto}' }, { projects });
    const { workspace } = withMode('FROM nginx\nCOPY dist src /usr/share/nginx/html/');
    expect(workspace.problems).toEqual([]);
    const changeOf = (path: string) =>
      workspace.artifacts
        .get('web')
        ?.inputs.find((input) => (path === input.path || path.startsWith(`${input.path}/`)) && input.accepts?.(path, 'file') !== false);
    expect(changeOf('apps/web/dist/a.js')?.onChange).toBe('sync');
    expect(changeOf('apps/web/src/a.ts')?.onChange).toBe('rebuild');
    expect(changeOf('apps/web/src/a.ts')?.because).toContain('no target makes it, and sync.mode is auto in apps/web/slipway.yaml:2');
    expect(withMode('FROM nginx\nCOPY src /usr/share/nginx/html/').workspace.problems).toMatchObject([
      {
        code: 'syncModeAutoUnknown',
        exitCode: 2,
        hint: expect.stringMatching(/declare the outputs .* infer .* manual/) as string,
        location: { file: 'apps/web/slipway.yaml', line: 2 },
      },
    ]);
  });

  it('is one whose outputs an image takes, with the sources of all that it depends on', () => {
    const { workspace } = run(texts, { projects });
    expect([...workspace.targets.keys()]).toEqual(['web:build']);
    expect(workspace.artifacts.get('web')?.targets).toEqual(['web:build']);
    const found = workspace.targets.get('web:build');
    expect(found?.outputs).toEqual(['apps/web/dist']);
    const taken = (path: string) =>
      found?.inputs.some((input) => (path === input.path || path.startsWith(`${input.path}/`)) && input.accepts?.(path, 'file') !== false);
    expect(['apps/web/src/a.ts', 'libs/ui/src/b.ts', 'package.json'].map(taken)).toEqual([true, true, true]);
    expect(
      ['apps/web/dist/a.js', 'apps/web/k8s/d.yaml', 'apps/web/Dockerfile', 'apps/web/node_modules/x/i.js', 'libs/other/src/c.ts'].map(
        taken,
      ),
    ).toEqual([false, false, false, false, false]);
  });

  it('that is continuous makes the files while `dev` runs, instead of the one that ends, after what it depends on', () => {
    const watch = target('watch', ['{projectRoot}/dist'], { continuous: true, dependsOn: ['^build'] });
    const watched = projects.map((each) =>
      each.name === 'web' ? project('web', 'apps/web', { dependencies: ['ui'], targets: [build, watch] }) : each,
    );
    const { workspace } = run(texts, { projects: watched });
    expect(workspace.artifacts.get('web')?.targets).toEqual(['web:watch']);
    expect([...workspace.targets.values()].map(({ id, continuous, dependsOn }) => [id, continuous, dependsOn])).toEqual([
      ['web:watch', true, ['ui:build']],
      ['ui:build', undefined, []],
    ]);
    expect([...run(texts, { projects: watched, mode: 'deploy' }).workspace.targets.keys()]).toEqual(['web:build']);
  });

  it('reads what the runner says counts, for itself and for what is run before it, and always what says what a project is', () => {
    const inputs = [
      { project: 'web', patterns: ['apps/web/**/*', '!apps/web/**/*.spec.ts'] },
      { project: 'ui', patterns: ['libs/ui/src/**'] },
      { project: '', patterns: ['tools/*.mjs'] },
    ];
    const before = target('codegen', ['{projectRoot}/gen'], { inputs: [{ project: 'ui', patterns: ['libs/ui/schema.json'] }] });
    const named = [
      project('web', 'apps/web', { dependencies: ['ui'], targets: [{ ...build, dependsOn: ['^codegen'], inputs }] }),
      project('ui', 'libs/ui', { dependencies: ['other'], targets: [before] }),
      project('other', 'libs/other'),
    ];
    const found = run(texts, { projects: named }).workspace.targets.get('web:build');
    const counts = (path: string) =>
      found?.inputs.some((input) => (path === input.path || path.startsWith(`${input.path}/`)) && input.accepts?.(path, 'file') !== false);
    const yes = ['apps/web/src/a.ts', 'libs/ui/src/b.ts', 'libs/ui/schema.json', 'libs/ui/package.json', 'tools/x.mjs', 'package.json'];
    const no = [
      'apps/web/src/a.spec.ts',
      'libs/ui/README.md',
      'libs/other/src/c.ts',
      'apps/web/dist/a.js',
      'libs/ui/gen/x.ts',
      'tools/x.md',
    ];
    expect([...yes, ...no].filter(counts)).toEqual(yes);
    // Else nobody would look for files in it.
    expect(found?.inputs.find(({ path }) => path === 'libs/ui')?.accepts?.('libs/ui/src', 'dir')).toBe(true);
  });

  it('passes a dependency that has none of that name on to those below it', () => {
    const passed = { ...texts, 'apps/web/Dockerfile': 'FROM nginx\nCOPY apps/web/dist /a\nCOPY dist/ui /b' };
    const between = [
      project('web', 'apps/web', { dependencies: ['between'], targets: [build] }),
      project('between', 'libs/between', { dependencies: ['ui'] }),
      project('ui', 'libs/ui', { targets: [target('build', ['{workspaceRoot}/dist/{projectName}'])] }),
    ];
    expect(run(passed, { projects: between }).workspace.targets.get('web:build')?.dependsOn).toEqual(['ui:build']);
  });

  it('waits for others whose outputs images take too', () => {
    const both = { ...texts, 'apps/web/Dockerfile': 'FROM nginx\nCOPY apps/web/dist /a\nCOPY dist/ui /b' };
    expect(run(both, { projects }).workspace.targets.get('web:build')?.dependsOn).toEqual(['ui:build']);
  });

  it('comes with those below it where its run does not run them', () => {
    const assembled = (runsDependencies: boolean) => run(texts, { graph: { projects, runsDependencies } }).workspace;
    expect([...assembled(true).targets.keys()]).toEqual(['web:build']);
    expect([...assembled(false).targets.values()].map(({ id, dependsOn }) => [id, ...dependsOn])).toEqual([
      ['web:build', 'ui:build'],
      ['ui:build'],
    ]);
    expect(assembled(false).artifacts.get('web')?.targets).toEqual(['web:build']);
  });

  it('is none when the image only might take its outputs, and they are ignored or not there', () => {
    const whole = { ...texts, 'apps/web/Dockerfile': 'FROM nginx\nCOPY . /a' };
    expect(run(whole, { projects }).workspace.targets.size).toBe(0);
    const built = { ...whole, 'apps/web/dist/a.js': '' };
    expect([...run(built, { projects }).workspace.targets.keys()]).toEqual(['web:build']);
    expect(run({ ...built, 'apps/web/.dockerignore': 'dist' }, { projects }).workspace.targets.size).toBe(0);
  });
});

describe('problems', () => {
  const other = { 'apps/other/Dockerfile': 'FROM scratch' };
  const projects = [project('worker', 'apps/worker'), project('other', 'apps/other')];
  const table: readonly (readonly [string, Record<string, string>, string])[] = [
    ['a config', { 'apps/worker/slipway.yaml': 'version: 1\nimge: {}' }, 'apps/worker/slipway.yaml:2: imge is not a key of slipway.yaml'],
    [
      'a Dockerfile',
      { 'apps/worker/Dockerfile': 'FROM node\nCPOY a b' },
      'apps/worker/Dockerfile:2: CPOY is not an instruction, perhaps COPY was meant',
    ],
    [
      'a Dockerfile that is not there',
      { 'apps/worker/slipway.yaml': 'version: 1\nimage: {docker: {file: X}}' },
      'worker: there is no apps/worker/X',
    ],
    [
      'a Dockerfile for the image that manifests name',
      { 'apps/worker/k8s/d.yaml': deployment('worker') },
      'worker: there is no apps/worker/Dockerfile to make the image worker of apps/worker/k8s/d.yaml',
    ],
    [
      'an image name in a manifest that is almost that of the project',
      { 'apps/worker/Dockerfile': 'FROM a', 'apps/worker/k8s/d.yaml': deployment('wroker') },
      'apps/worker/k8s/d.yaml:8: no project makes the image wroker, and no manifest names worker',
    ],
    [
      'an image name',
      { 'apps/worker/Dockerfile': 'FROM a', 'apps/worker/slipway.yaml': 'version: 1\nimage: {name: A}' },
      'A is not an image name: A has upper-case letters',
    ],
    [
      'an image name with a tag',
      { 'apps/worker/Dockerfile': 'FROM a', 'apps/worker/slipway.yaml': 'version: 1\nimage: {name: "a:1"}' },
      'worker: the image name a:1 has a tag or a digest, which Slipway sets itself',
    ],
    [
      'an image name that is taken',
      { 'apps/worker/Dockerfile': 'FROM a', 'apps/worker/slipway.yaml': 'version: 1\nimage: {name: other}' },
      'other: worker has an image named other too',
    ],
    ['a manifest', { 'apps/worker/k8s/a.yaml': 'kind: Pod' }, 'apps/worker/k8s/a.yaml:1: an object without apiVersion'],
    [
      'manifests that are somewhere else',
      { 'apps/worker/slipway.yaml': 'version: 1\nmanifests: ["https://example.org/x.yaml"]' },
      'worker: https://example.org/x.yaml of manifests is a URL; what is behind it may be another thing tomorrow',
    ],
    [
      'manifests that match nothing',
      { 'apps/worker/slipway.yaml': 'version: 1\nmanifests: [x/*.yaml]' },
      'worker: x/*.yaml of manifests matches no file',
    ],
    [
      'an ignored source',
      { 'apps/worker/Dockerfile': 'FROM a\nCOPY x /x/', 'apps/worker/x': '', 'apps/worker/.dockerignore': 'x' },
      'apps/worker/Dockerfile:2: x is copied, but apps/worker/.dockerignore leaves it out',
    ],
    [
      'an ignore file',
      { 'apps/worker/Dockerfile': 'FROM a', 'apps/worker/.dockerignore': '[a' },
      'apps/worker/.dockerignore:1: [a is not a valid pattern',
    ],
  ];
  it.each(table)('of %s are told, and other projects go on', (name, texts, message) => {
    const assembled = run({ ...other, ...texts }, { projects });
    expect(messages(assembled)).toEqual([message]);
    expect(assembled.workspace.problems[0]?.project).toBe(name.endsWith('is taken') ? 'other' : 'worker');
    expect(assembled.workspace.artifacts.has('other')).toBe(!name.endsWith('is taken'));
  });
});

describe('settings', () => {
  it('come from the root, and projects inherit', () => {
    const texts = {
      ...worker,
      'apps/worker/Dockerfile': watching,
      'slipway.yaml': 'version: 1\ndefaultRepo: r.example\nallowContexts: [staging]\nnamespace: all\ndev: {keep: true}',
    };
    const { settings, workspace } = run(texts);
    expect(settings).toEqual({
      defaultRepo: { repo: 'r.example', from: 'slipway.yaml' },
      multiLevelRepo: undefined,
      insecureRegistries: [],
      contextLimit: 100_000_000,
      buildkit: {},
      push: undefined,
      allowContexts: ['staging'],
      keep: new Set(['worker']),
      profiles: [],
    });
    expect(workspace.releases.get('worker')?.namespace).toBe('all');
    const repoOf = (more: Parameters<typeof run>[1]) => run(texts, more).settings.defaultRepo;
    const env = { SLIPWAY_DEFAULT_REPO: 'env', SKAFFOLD_DEFAULT_REPO: 'old' };
    expect(repoOf({ env })).toEqual({ repo: 'env', from: 'SLIPWAY_DEFAULT_REPO' });
    expect(repoOf({ env: { SKAFFOLD_DEFAULT_REPO: 'old' } })).toEqual({ repo: 'old', from: 'SKAFFOLD_DEFAULT_REPO' });
    expect(repoOf({ env, defaultRepo: 'flag' })).toEqual({ repo: 'flag', from: '--default-repo' });
    expect(repoOf({ env, defaultRepo: '' })).toEqual({ repo: undefined, from: undefined });
  });

  it('refuse the whole workspace where those of the root cannot be read, with all mistakes', () => {
    const { refused } = run({ ...worker, 'slipway.yaml': 'version: 1\nnamspace: all\nimge: {}' });
    expect(refused).toMatchObject({ code: 'configInvalid', exitCode: 2, location: { file: 'slipway.yaml', line: 2 } });
    expect(refused?.message).toContain('slipway.yaml:2: namspace is not a key of slipway.yaml');
    expect(refused?.detail).toContain('slipway.yaml:3');
    expect(run({ ...worker, 'slipway.yaml': 'bad: [' }).refused).toMatchObject({ code: 'configInvalid' });
    expect(run({ ...worker, 'apps/worker/slipway.yaml': 'version: 1\nimge: {}' }).refused).toBeUndefined();
  });

  describe('of the root that are no defaults', () => {
    const rootConfig = [
      'version: 1',
      'hooks: {deploy: {before: [{run: ./migrate.sh}]}}',
      'image:',
      '  name: shop',
      '  docker: {args: {MODE: production}}',
      'rollout: {deadline: 60}',
      'defaultRepo: r.example',
      'profiles:',
      '  staging: {portForward: []}',
    ].join('\n');
    const texts = { ...worker, 'apps/worker/Dockerfile': watching, 'slipway.yaml': rootConfig };
    const told = (assembled: ReturnType<typeof run>) =>
      (assembled.workspace.notices ?? []).map(({ message }) => message.split(' counts')[0]);

    it('are told with their places, for nobody has them', () => {
      expect(told(run(texts))).toEqual(['slipway.yaml:2: hooks', 'slipway.yaml:4: image.name']);
      expect(run(texts).workspace.notices?.[0]).toEqual({
        message: 'slipway.yaml:2: hooks counts for nobody: it is no default for projects, and no project is at the root',
        hint: 'write it in the slipway.yaml of the project that it is meant for',
      });
      expect(messages(run(texts))).toEqual([]);
    });

    it('are told of a profile while that is active', () => {
      const profiles = { asked: ['staging'], context: () => undefined };
      expect(told(run(texts, { profiles }))).toContain('slipway.yaml:9: portForward');
    });

    it('are those of the project at the root, where there is one', () => {
      const projects = [project('worker', 'apps/worker'), project('shop', '')];
      expect(told(run(texts, { projects }))).toEqual([]);
    });

    it('are told again only when they change', () => {
      const [first, second] = [run(texts).workspace, run(texts).workspace];
      expect(keepEqual(first, second)).toBe(first);
      const mended = run({ ...texts, 'slipway.yaml': rootConfig.replace(/^hooks.*\n/m, '').replace(/^ {2}name.*\n/m, '') }).workspace;
      expect(keepEqual(first, mended).notices).toBeUndefined();
      expect(keepEqual(mended, second).notices).toEqual(first.notices);
    });
  });

  it('tell what to read again for', () => {
    const { configFiles } = run({ ...worker, 'apps/worker/Dockerfile': watching });
    expect(configFiles).toEqual(
      expect.arrayContaining([
        'slipway.yaml',
        'apps/worker/slipway.yaml',
        'apps/worker/Dockerfile',
        'apps/worker/.dockerignore',
        'apps/worker/k8s',
        'apps/worker/k8s/d.yaml',
      ]),
    );
    expect(configFiles).not.toContain('apps/worker/src');
  });
});

describe('assembling again', () => {
  const texts = { ...worker, 'apps/worker/Dockerfile': watching, 'apps/worker/.dockerignore': '*.md' };
  const projects = [project('worker', 'apps/worker'), project('other', 'apps/other')];
  const both = { ...texts, 'apps/other/Dockerfile': 'FROM scratch' };

  it('gives equal values for equal facts, and the old ones when asked to', () => {
    const first = run(texts).workspace;
    const second = run(texts).workspace;
    expect(second).toEqual(first);
    expect(second).not.toBe(first);
    expect(keepEqual(first, second)).toBe(first);
  });

  it('keeps the objects of what did not change', () => {
    const first = run(both, { projects }).workspace;
    const next = keepEqual(first, run({ ...both, 'apps/worker/.dockerignore': '*.txt' }, { projects }).workspace);
    expect(next.artifacts.get('other')).toBe(first.artifacts.get('other'));
    expect(next.artifacts.get('worker')).not.toBe(first.artifacts.get('worker'));
    expect(next.releases).toBe(first.releases);
    expect(next.projects).toBe(first.projects);
  });

  it('keeps what a mistake took away, until it is mended or removed', () => {
    const first = run(both, { projects }).workspace;
    const broken = keepEqual(first, run({ ...both, 'apps/worker/Dockerfile': 'FORM node' }, { projects }).workspace);
    expect(broken.artifacts.get('worker')).toBe(first.artifacts.get('worker'));
    expect(broken.releases.get('worker')).toBe(first.releases.get('worker'));
    expect(broken.forwards).toEqual(first.forwards);
    expect(broken.problems).toHaveLength(1);
    const removed = keepEqual(broken, run({ 'apps/other/Dockerfile': 'FROM scratch' }, { projects }).workspace);
    expect([...removed.artifacts.keys()]).toEqual(['other']);
    expect(removed.releases.size).toBe(0);
  });
});
