import { readConfig } from '../../config';
import { withFiles, type WorkspaceFiles } from '../../graph';
import type { Project } from '../../model';
import type { Imported } from '../imports/imported';
import { importFiles } from '../importFiles';

const none: WorkspaceFiles = { textOf: () => undefined, kindOf: () => undefined, namesIn: () => [] };
const projects: readonly Project[] = ['api', 'web', 'worker'].map((name) => ({
  name: `@shop/${name}`,
  root: `apps/${name}`,
  dependencies: [],
}));
const deployment = (image: string): string =>
  `apiVersion: apps/v1\nkind: Deployment\nmetadata:\n  name: ${image.replace('/', '-')}\nspec: {template: {spec: {containers: [{name: main, image: ${image}}]}}}\n`;

const projectFile = (name: string) => ({ name: 'package.json', text: JSON.stringify({ name }) });

function imported(skaffold: string, more: Readonly<Record<string, string>> = {}): Imported {
  const files = {
    'skaffold.yaml': skaffold,
    'apps/api/Dockerfile': 'FROM node\n',
    'apps/web/docker/web.Dockerfile': 'FROM nginx\n',
    'apps/api/k8s/api.yaml': deployment('shop/api'),
    'deploy/web.yaml': deployment('shop/web'),
    'deploy/redis.yaml': deployment('redis:7'),
    ...more,
  };
  return importFiles({ files: withFiles(none, new Map(Object.entries(files))), projects, from: ['skaffold.yaml'], projectFile });
}

/** What each file says, and that Slipway reads it without a word. */
function configs({ files: made }: Imported): Readonly<Record<string, unknown>> {
  return Object.fromEntries(
    made.map(({ path, text }) => {
      const { config, problems } = readConfig({ path, text, isRoot: path === 'slipway.yaml' });
      expect(problems).toEqual([]);
      return [path, config];
    }),
  );
}

function notes({ notes: all }: Imported): readonly string[] {
  return all.map(({ location, field, sentence }) => `${String(location.line)} ${field}: ${sentence}`);
}

const head = 'apiVersion: skaffold/v4beta11\nkind: Config\nmetadata: {name: shop}\n';

describe('a skaffold.yaml as slipway.yaml files', () => {
  it('says of each project what is its own, and nothing of what holds anyway', () => {
    const made = imported(`${head}
build:
  artifacts:
    - image: shop/api
      context: apps/api
      docker: {target: dev, buildArgs: {VERSION: '{{.VERSION}}', MODE: plain, COST: 5$}}
      sync:
        manual: [{src: 'src/**', dest: /app, strip: src/}]
        hooks: {before: [{host: {command: [./prepare.sh], os: [darwin], dir: tools}}]}
      hooks: {before: [{command: [./gen.sh], os: [linux]}]}
    - image: shop/web
      docker: {dockerfile: apps/web/docker/web.Dockerfile}
      requires: [{image: shop/api, alias: API}]
    - image: worker
      context: apps/worker
manifests: {rawYaml: ['apps/api/k8s/*.yaml', 'deploy/*.yaml']}
portForward: [{resourceType: Service, resourceName: api, port: 80, localPort: 8080}]
`);
    expect(configs(made)).toEqual({
      'apps/api/slipway.yaml': {
        version: 1,
        image: { name: 'shop/api', docker: { target: 'dev', args: { VERSION: '${VERSION}', MODE: 'plain', COST: '5$$' } } },
        sync: { rules: [{ src: 'src/**', dest: '/app', strip: 'src/' }] },
        portForward: [{ resource: 'service/api', port: 80, localPort: 8080 }],
        hooks: {
          build: { before: [{ run: ['./gen.sh'], os: ['linux'], dir: '../..' }] },
          sync: { before: [{ run: ['./prepare.sh'], os: ['darwin'], dir: '../../tools' }] },
        },
      },
      'apps/web/slipway.yaml': {
        version: 1,
        image: {
          name: 'shop/web',
          context: 'workspace',
          docker: { file: 'docker/web.Dockerfile' },
          requires: [{ project: '@shop/api', arg: 'API' }],
        },
        manifests: ['../../deploy/web.yaml'],
      },
    });
    expect(notes(made)).toEqual([
      '19 manifests.rawYaml[1]: deploy/redis.yaml names no image of a project: list it in manifests of the project that it comes with',
    ]);
  });

  it('gives hooks the variables that they have here, and tells of those that they have not', () => {
    const made = imported(
      `${head}
build:
  artifacts:
    - image: api
      context: apps/api
      hooks:
        before: [{command: [sh, tools/gen.sh]}]
        after:
          - {command: [sh, -c, 'scan $SKAFFOLD_IMAGE "\${SKAFFOLD_IMAGE_REPO}:\${SKAFFOLD_IMAGE_TAG:-x}" $SKAFFOLD_KUBE_CONTEXT $SKAFFOLD_NAMESPACES']}
          - {command: [sh, -c, 'test $SKAFFOLD_PUSH_IMAGE && printenv SKAFFOLD_IMAGE']}
`,
      { 'tools/gen.sh': 'echo $SKAFFOLD_BUILD_CONTEXT ${SKAFFOLD_RUN_ID}\n' },
    );
    expect(configs(made)['apps/api/slipway.yaml']).toMatchObject({
      hooks: {
        build: {
          before: [{ run: ['sh', 'tools/gen.sh'] }],
          after: [
            { run: ['sh', '-c', 'scan $IMAGE "${IMAGE_REPO}:${IMAGE_TAG:-x}" $SLIPWAY_CONTEXT $SLIPWAY_NAMESPACE'] },
            { run: ['sh', '-c', 'test $SKAFFOLD_PUSH_IMAGE && printenv SKAFFOLD_IMAGE'] },
          ],
        },
      },
    });
    expect(notes(made)).toEqual([
      expect.stringMatching(/hooks\.before\[0\]\.command: reads .* empty here: SKAFFOLD_BUILD_CONTEXT, SKAFFOLD_RUN_ID$/),
      expect.stringMatching(/hooks\.after\[1\]\.command: .*: SKAFFOLD_IMAGE \(here IMAGE\), SKAFFOLD_PUSH_IMAGE$/),
    ]);
  });

  it('says at the root what holds for all', () => {
    const made = imported(`${head}
build:
  tagPolicy: {gitCommit: {variant: abbrevCommitSha, prefix: v}}
  platforms: [linux/amd64]
  insecureRegistries: [registry.test:5000]
  local: {push: false, concurrency: 2, useBuildkit: true}
deploy:
  kubectl: {defaultNamespace: shop}
  statusCheckDeadlineSeconds: 90
  tolerateFailuresUntilDeadline: true
`);
    expect(configs(made)).toEqual({
      'slipway.yaml': {
        version: 1,
        image: { tag: { gitCommit: { variant: 'AbbrevCommitSha', prefix: 'v' } }, platforms: ['linux/amd64'], docker: { buildkit: true } },
        insecureRegistries: ['registry.test:5000'],
        push: false,
        build: { concurrency: 2 },
        defaultNamespace: 'shop',
        rollout: { deadline: 90, tolerateFailuresUntilDeadline: true },
      },
    });
    expect(notes(made)).toEqual([]);
  });

  it.each<readonly [string, unknown, number]>([
    ['sha256: {}', 'sha256', 1],
    ['gitCommit: {}', 'gitCommit', 0],
    ['inputDigest: {}', 'inputDigest', 0],
    ["dateTime: {format: '2006-01-02', timezone: UTC}", { dateTime: { format: '2006-01-02', timezone: 'UTC' } }, 0],
    ['envTemplate: {template: \'{{.IMAGE_NAME}}:{{.USER}}-{{.TAG | default "dev"}}\'}', { envTemplate: '${USER}-${TAG:-dev}' }, 0],
    ["envTemplate: {template: '{{if .A}}a{{end}}'}", undefined, 1],
    [
      "customTemplate: {template: '{{.GIT}}-{{.DAY}}', components: [{name: GIT, gitCommit: {}}, {name: DAY, dateTime: {format: '2006'}}]}",
      { custom: { template: '${GIT}-${DAY}', components: { GIT: 'gitCommit', DAY: { dateTime: { format: '2006' } } } } },
      0,
    ],
  ])('tags by %s', (policy, tag, told) => {
    const made = imported(`${head}build:\n  tagPolicy: {${policy}}\n`);
    expect(configs(made)['slipway.yaml'] ?? { image: {} }).toMatchObject({ image: tag === undefined ? {} : { tag } });
    expect(made.notes).toHaveLength(told);
  });

  it('takes several images of one project, charts and overlays', () => {
    const made = imported(
      `${head}
build:
  artifacts:
    - image: shop/api
      context: apps/api
    - image: shop/api-migrate
      context: apps/api
      docker: {dockerfile: Dockerfile.migrate}
manifests:
  kustomize: {paths: [apps/web/overlays/dev], buildArgs: [--enable-helm]}
deploy:
  helm:
    releases:
      - name: api
        chartPath: charts/api
        valuesFiles: [charts/values.yaml]
        setValues: {replicas: 2}
        setValueTemplates: {image.tag: '{{.IMAGE_TAG_shop_api}}', image.ref: '{{.IMAGE_FULLY_QUALIFIED_shop_api}}'}
        createNamespace: true
        useHelmSecrets: true
`,
      { 'apps/api/Dockerfile.migrate': 'FROM node\n' },
    );
    expect(configs(made)).toEqual({
      'apps/api/slipway.yaml': {
        version: 1,
        images: { api: { name: 'shop/api' }, migrate: { name: 'shop/api-migrate', docker: { file: 'Dockerfile.migrate' } } },
        helm: {
          releases: [
            {
              name: 'api',
              chartPath: '../../charts/api',
              createNamespace: true,
              valuesFiles: ['../../charts/values.yaml'],
              setValues: { replicas: '2' },
              setValueTemplates: { 'image.tag': '${IMAGE_TAG_shop_api}', 'image.ref': '${IMAGE_shop_api}' },
            },
          ],
        },
      },
      'apps/web/slipway.yaml': { version: 1, kustomize: { paths: ['overlays/dev'], buildArgs: ['--enable-helm'] } },
    });
    expect(notes(made)).toEqual(['23 deploy.helm.releases[0].useHelmSecrets: was not taken over']);
  });

  it('takes profiles, and what they are active by', () => {
    const made = imported(`${head}
build: {artifacts: [{image: shop/api, context: apps/api}]}
profiles:
  - name: staging
    activation: [{kubeContext: 'staging-.*'}, {env: STAGE=staging}, {command: run}]
    build: {artifacts: [{image: shop/api, context: apps/api, docker: {target: release}}]}
    deploy: {kubectl: {defaultNamespace: staging}}
  - name: odd
    activation: [{env: 'A=(x|y)'}]
    patches: [{op: remove, path: /build}]
`);
    expect(configs(made)).toEqual({
      'apps/api/slipway.yaml': {
        version: 1,
        image: { name: 'shop/api' },
        profiles: { staging: { image: { name: 'shop/api', docker: { target: 'release' } } } },
      },
      'slipway.yaml': {
        version: 1,
        profiles: {
          staging: { defaultNamespace: 'staging', activation: [{ context: 'staging-*' }, { env: 'STAGE=staging' }, { mode: 'deploy' }] },
        },
      },
    });
    expect(notes(made)).toEqual([
      '12 profiles[1].activation[0]: is a pattern that has no counterpart: ask for the profile with --profile, or write its activation',
      '13 profiles[1].patches: was not taken over',
    ]);
  });

  it('tells what has no counterpart, the outermost of it, and loses nothing in silence', () => {
    const made = imported(`${head}
build:
  artifacts:
    - {image: shop/api, context: apps/api, jib: {project: api}}
    - {image: other, context: elsewhere}
  googleCloudBuild: {projectId: x}
test: [{image: shop/api, custom: [{command: ./test.sh}]}]
deploy: {kubeContext: staging, kpt: {dir: x}}
`);
    expect(notes(made)[0]).toContain('(image.custom)');
    expect(notes(made).map((note) => note.replace(/:.*/, ''))).toEqual([
      '7 build.artifacts[0].jib',
      '8 build.artifacts[1]',
      '9 build.googleCloudBuild',
      '10 test',
      '11 deploy.kubeContext',
      '11 deploy.kpt',
    ]);
  });

  it('follows modules, and takes the manifests that Skaffold takes where nothing is said', () => {
    const made = imported(
      `${head}requires: [{path: apps/web}, {git: {repo: elsewhere}}]\nbuild: {artifacts: [{image: shop/api, context: apps/api}]}\n`,
      {
        'apps/web/skaffold.yaml': `${head}build: {artifacts: [{image: shop/web, docker: {dockerfile: docker/web.Dockerfile}}]}\n`,
        'k8s/all.yaml': deployment('shop/api'),
      },
    );
    expect(configs(made)).toEqual({
      'apps/api/slipway.yaml': { version: 1, image: { name: 'shop/api' }, manifests: ['../../k8s/*.yaml'] },
      'apps/web/slipway.yaml': { version: 1, image: { name: 'shop/web', docker: { file: 'docker/web.Dockerfile' } } },
    });
    expect(notes(made)).toEqual(['4 requires[1]: was not taken over']);
  });

  it('writes over nothing that is there, and shows what it would have said', () => {
    const made = imported(`${head}build: {artifacts: [{image: shop/api, context: apps/api}]}\n`, {
      'apps/api/slipway.yaml': 'version: 1\n',
    });
    expect(made.files).toEqual([]);
    expect(made.notes).toMatchObject([
      { location: { file: 'apps/api/slipway.yaml' }, sentence: expect.stringContaining('name: shop/api') as string },
    ]);
  });

  it('says all that is wrong with the files, and then makes nothing', () => {
    expect(imported('build: [\n').problems).toMatchObject([
      { code: 'invalidYaml', message: expect.stringMatching(/^skaffold.yaml:2: not valid YAML/) as string },
    ]);
    expect(imported('services: {}\n').problems).toMatchObject([{ code: 'notSkaffold' }]);
    expect(importFiles({ files: none, projects, from: ['a.yaml', 'b.yaml'], projectFile }).problems).toMatchObject([
      { code: 'fileNotFound', message: 'there is no a.yaml' },
      { code: 'fileNotFound', message: 'there is no b.yaml' },
    ]);
  });
});
