import type { WorkspaceFiles } from '../graph';
import type { Project } from '../model';
import { contextLines, surveyLines, type NextCommands } from './sentences';
import { survey } from './survey';

const commands: NextCommands = {
  dev: (project) => `dev ${project}`,
  manifests: (project) => `manifests ${project}`,
  service: () => 'service NAME',
  projectFile: 'package.json',
};

/** A workspace by its files; each folder with a package.json is a project of the folder's name. */
function workspace(texts: Readonly<Record<string, string>>): { readonly files: WorkspaceFiles; readonly projects: readonly Project[] } {
  const paths = Object.keys(texts);
  const isDir = (path: string) => paths.some((each) => each.startsWith(`${path}/`));
  const files: WorkspaceFiles = {
    textOf: (path) => texts[path],
    kindOf: (path) => (texts[path] !== undefined ? 'file' : isDir(path) ? 'dir' : undefined),
    namesIn: (directory) => {
      const inside =
        directory === '' ? paths : paths.filter((path) => path.startsWith(`${directory}/`)).map((path) => path.slice(directory.length + 1));
      return [...new Set(inside.map((path) => path.split('/')[0] ?? ''))].sort();
    },
  };
  const projects = paths
    .filter((path) => path.endsWith('/package.json'))
    .map((path) => path.slice(0, -'/package.json'.length))
    .map((root) => ({ name: root.split('/').at(-1) ?? '', root, dependencies: [] }));
  return { files, projects };
}

const dockerfile = 'FROM busybox:1.36\nCOPY site /www\n';
const deployment =
  'apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: a}\nspec: {template: {spec: {containers: [{name: a, image: a}]}}}\n';
const told = (texts: Readonly<Record<string, string>>) => surveyLines(survey(workspace(texts)), commands);

describe('a survey of a workspace', () => {
  const cases: { what: string; files: Record<string, string>; lines: string[] }[] = [
    {
      what: 'goes on with the project that is ready, and says what the others lack',
      files: {
        'apps/api/package.json': '{}',
        'apps/api/Dockerfile': dockerfile,
        'apps/web/package.json': '{}',
        'apps/web/Dockerfile': dockerfile,
        'apps/web/k8s/web.yaml': deployment,
        'libs/money/package.json': '{}',
      },
      lines: [
        'Found:',
        '  api   Dockerfile                 manifests api',
        '  web   Dockerfile, k8s/web.yaml   dev web',
        '',
        'Next:',
        '  dev web',
      ],
    },
    {
      what: 'goes on with manifests where nothing is ready',
      files: { 'apps/api/package.json': '{}', 'apps/api/Dockerfile': dockerfile },
      lines: ['Found:', '  api   Dockerfile   manifests api', '', 'Next:', '  manifests api'],
    },
    {
      what: 'offers a service where there is nothing',
      files: { 'package.json': '{}', 'libs/money/package.json': '{}', 'libs/money/src/index.js': '' },
      lines: [
        'Found neither Dockerfiles nor manifests.',
        'A service of your own is a Dockerfile in the folder of a project, and manifests in k8s/ beside it. To have one made:',
        '  service NAME',
      ],
    },
    {
      what: 'tells of a Dockerfile that belongs to no project',
      files: { 'tools/db/Dockerfile': dockerfile },
      lines: ['Found:', '  tools/db   Dockerfile   belongs to no project: give tools/db a package.json', ''],
    },
    {
      what: 'tells where manifests are that are not looked for by default',
      files: { 'a/package.json': '{}', 'a/Dockerfile': dockerfile, 'a/deploy/a.yaml': deployment, 'a/deploy/values.yaml': 'kind: of\n' },
      lines: ['Found:', '  a   Dockerfile, deploy/a.yaml   say in slipway.yaml where they are: manifests: [deploy/*.yaml]', ''],
    },
    {
      what: 'tells of a Dockerfile of another name',
      files: { 'a/package.json': '{}', 'a/docker/Dockerfile.prod': dockerfile },
      lines: [
        'Found:',
        '  a   docker/Dockerfile.prod   say in slipway.yaml which one: image: {docker: {file: docker/Dockerfile.prod}}',
        '',
      ],
    },
    {
      what: 'leaves a project alone that has a config of its own',
      files: { 'a/package.json': '{}', 'a/Dockerfile': dockerfile, 'a/slipway.yaml': 'version: 1\n', 'a/deploy/a.yaml': deployment },
      lines: ['Found:', '  a   Dockerfile, deploy/a.yaml, slipway.yaml   dev a', '', 'Next:', '  dev a'],
    },
    {
      what: 'names the files of other tools, and does not look into what is generated',
      files: {
        'skaffold.yaml': '',
        'docker-compose.yml': 'services: {}\n',
        'node_modules/x/Dockerfile': dockerfile,
        'a/dist/Dockerfile': dockerfile,
        'a/package.json': '{}',
      },
      lines: [
        'Found neither Dockerfiles nor manifests.',
        '',
        'docker-compose.yml and skaffold.yaml: not read, and left as they are',
        '',
        'A service of your own is a Dockerfile in the folder of a project, and manifests in k8s/ beside it. To have one made:',
        '  service NAME',
      ],
    },
    {
      what: 'takes what lies in a chart for a part of it',
      files: {
        'a/package.json': '{}',
        'a/Dockerfile': dockerfile,
        'a/chart/Chart.yaml': 'name: a\n',
        'a/chart/templates/a.yaml': deployment,
        'a/k8s/a.yaml': deployment,
      },
      lines: ['Found:', '  a   Dockerfile, k8s/a.yaml, Helm chart in chart/   dev a', '', 'Next:', '  dev a'],
    },
  ];
  it.each(cases)('$what', ({ files, lines }) => expect(told(files)).toEqual(lines));

  it('knows what the Dockerfiles copy', () => {
    const { copied } = survey(workspace({ 'a/Dockerfile': 'FROM scratch\nCOPY node_modules dist ./\n', 'b/Dockerfile': dockerfile }));
    expect([...copied].sort()).toEqual(['dist', 'node_modules', 'site']);
  });
});

describe('what is said of the cluster', () => {
  const allow = (context: string) => `allow ${context}`;
  it('asks for an entry only where the context is not local', () => {
    expect(
      contextLines({ kind: 'local', context: 'kind-kind', because: 'context kind-kind is one of kind' }, allow).join('\n'),
    ).not.toContain('allow kind');
    expect(contextLines({ kind: 'allowed', context: 'staging' }, allow).join('\n')).not.toContain('allow staging');
    expect(contextLines({ kind: 'foreign', context: 'staging', server: 'https://s' }, allow)).toContain('  allow staging');
    expect(contextLines({ kind: 'unknown', reason: 'there is no kubeconfig' }, allow)).toHaveLength(1);
  });
});
