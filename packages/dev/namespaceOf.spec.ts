import { namespaceOf } from './session';

const everywhere = { flag: 'flag', project: 'project', workspace: 'workspace', context: 'context' };

test.each<[string, Partial<typeof everywhere>, string]>([
  ['the flag', everywhere, 'flag'],
  ['the project', { project: 'project', workspace: 'workspace', context: 'context' }, 'project'],
  ['defaultNamespace', { workspace: 'workspace', context: 'context' }, 'workspace'],
  ['the context of the kubeconfig', { context: 'context' }, 'context'],
  ['nothing', {}, 'default'],
])('objects that name no namespace go where %s says', (_, { flag, project, workspace, context }, wanted) => {
  const sources = {
    options: flag === undefined ? {} : { namespace: flag },
    target: context === undefined ? undefined : { namespace: context },
    read: { settings: workspace === undefined ? {} : { defaultNamespace: workspace } },
  };
  expect(namespaceOf(sources, project === undefined ? {} : { namespace: project })).toBe(wanted);
});
