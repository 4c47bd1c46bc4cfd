import { assemble, type GraphProject, type WorkspaceFiles } from '../graph';
import { affectedBy } from '../plan';
import { mistakeInImage, mistakeInManifests } from './mistakes';
import { deployableGoalFor } from './selection';

const pod = (name: string) =>
  `apiVersion: v1\nkind: Pod\nmetadata: {name: web}\nspec:\n  containers:\n    - {name: main, image: ${name}}\n`;
const texts: Readonly<Record<string, string>> = {
  'api/Dockerfile': 'FORM node\n',
  'web/Dockerfile': 'FROM scratch\n',
  'web/k8s/web.yaml': `${pod('web')}---\n${pod('api')}`,
  'task/k8s/task.yaml': pod('api'),
};
const files: WorkspaceFiles = {
  textOf: (path) => texts[path],
  kindOf: (path) => (path in texts ? 'file' : Object.keys(texts).some((each) => each.startsWith(`${path}/`)) ? 'dir' : undefined),
  namesIn: (path) => [
    ...new Set(
      Object.keys(texts).flatMap((each) => (each.startsWith(`${path}/`) ? [each.slice(path.length + 1).split('/')[0] ?? ''] : [])),
    ),
  ],
};
const project = (name: string): GraphProject => ({ name, root: name, dependencies: [], targets: new Map() });
const projects = ['api', 'web', 'task'].map(project);

describe('a project that runs an image of another one which cannot be made', () => {
  const { workspace } = assemble({ root: '/w', graph: { projects }, files, mode: 'deploy', env: {} });

  it.each(['task', 'web'])('is told so when it is to be deployed: %s', (name) => {
    const chosen = deployableGoalFor(workspace, 'deployed', { projects: [name] });
    const problems = chosen.ok ? workspace.problems.filter((problem) => problem.project === name) : chosen.problems;
    expect(problems).toMatchObject([{ code: 'usedImageBroken', project: name }]);
  });

  it('can make its own image, and apply what changes with the image of before', () => {
    expect(mistakeInImage({ name: 'web', project: 'web' }, workspace)).toBeUndefined();
    expect(mistakeInManifests('web', workspace)).toBeUndefined();
    expect(mistakeInImage({ name: 'api', project: 'api' }, workspace)).toMatchObject({ project: 'api' });
  });

  it('is affected by its manifests, as what is deployed and not as an image', () => {
    expect(affectedBy([{ workspace, paths: ['task/k8s/task.yaml'] }])).toMatchObject([{ project: 'task', image: false }]);
  });
});
