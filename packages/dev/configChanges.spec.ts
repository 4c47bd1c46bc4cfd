import { succeeded, type Workspace } from '../model';
import { isConfigOf } from './configChanges';

const workspace: Workspace = {
  root: '/w',
  projects: new Map([['api', { name: 'api', root: 'apps/api', dependencies: [] }]]),
  artifacts: new Map(),
  releases: new Map(),
  targets: new Map(),
  forwards: [],
  problems: [],
};
const packages = [{ name: 'x.org/lib', folder: 'libs/go', embeds: [] }];
const listedDependencies = new Map([['api', succeeded({ kind: 'go', packages, modules: ['libs/go'] } as const)]]);
const configFiles = ['apps/api/slipway.yaml', 'apps/api/k8s'];

it.each([
  ['apps/api/slipway.yaml', true],
  ['apps/api/k8s/new.yaml', true],
  ['apps/api', true],
  ['libs/x/project.json', true],
  ['apps/new', true],
  ['apps/api/src', false],
  ['apps/api/main.go', false],
  ['libs/go/any.go', true],
  ['libs/go/any_test.go', false],
  ['libs/go/README.md', false],
  ['libs/go/inner/x.go', false],
])('a change of %s may make another workspace: %s', (path, is) => {
  expect(
    isConfigOf(
      {
        options: { graph: { watch: ['project.json'] } },
        read: { workspace, configFiles, projectFolders: ['apps'], facts: { listedDependencies } },
      },
      path,
    ),
  ).toBe(is);
});
