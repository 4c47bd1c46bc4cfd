import type { Artifact, Problem, Release, Workspace } from '../model';
import { deployableGoalFor, goalFor, noticesOf } from './selection';

const release = (name: string): Release => ({ name, project: name, sources: [], inputs: [], artifacts: [] });

function workspace(names: readonly string[], more: Partial<Workspace> = {}): Workspace {
  return {
    root: '/w',
    projects: new Map([...names, 'lib'].map((name) => [name, { name, root: `apps/${name}`, dependencies: [] }])),
    artifacts: new Map(),
    releases: new Map(names.map((name) => [name, release(name)])),
    targets: new Map(),
    forwards: [],
    problems: [],
    ...more,
  };
}

it('is everything when nothing is named, else what is', () => {
  expect(goalFor(workspace(['web', 'api']), 'live', { projects: [] })).toMatchObject({
    ok: true,
    goal: { releases: new Set(['web', 'api']) },
  });
  expect(goalFor(workspace(['web', 'api']), 'live', { projects: ['api'] })).toMatchObject({
    ok: true,
    goal: { releases: new Set(['api']) },
  });
});

const image = (name: string): Artifact => ({
  name,
  project: name,
  image: name,
  recipe: { builder: 'layers/1', context: '', dockerfile: 'Dockerfile', args: {} },
  inputs: [],
  requires: [],
  targets: [],
  reload: { kind: 'hot', because: '' },
  after: [],
});

it.each([
  ['wbe', ['web', 'api'], 'perhaps web was meant'],
  ['@shop/web', ['web', 'api'], 'perhaps web was meant'],
  ['web', ['@shop/web', '@shop/api'], 'perhaps @shop/web was meant'],
  ['web', ['@shop/web', '@other/web'], 'projects with an image or manifests: @other/web, @shop/web'],
  ['database', ['web', 'api'], 'projects with an image or manifests: api, web'],
])('says of the unknown project %s what may have been meant', (name, names, hint) => {
  expect(goalFor(workspace(names), 'live', { projects: [name] })).toMatchObject({
    ok: false,
    problems: [{ code: 'projectUnknown', exitCode: 2, hint }],
  });
});

it('says of an image that is named like a project how it is named', () => {
  const migrate: Artifact = { ...image('api/migrate'), project: 'api' };
  const shop = workspace(['api'], { artifacts: new Map([['api/migrate', migrate]]) });
  expect(goalFor(shop, 'deployed', { projects: ['api/migrate'] })).toMatchObject({
    ok: false,
    problems: [{ code: 'projectUnknown', hint: expect.stringMatching(/^it is an image of api: .* --artifact migrate$/) as string }],
  });
});

it('says which mistakes leave nothing to do, and not that there is nothing', () => {
  const mistake = (project: string): Problem => ({
    code: 'dockerfileInvalid',
    message: 'x',
    project,
    retry: 'whenInputChanges',
    exitCode: 2,
  });
  const broken = workspace([], { problems: [mistake('lib'), mistake('other')] });
  expect(goalFor(broken, 'live', { projects: ['lib'] })).toEqual({ ok: false, problems: [mistake('lib')] });
  // It may have been deployed when it had manifests.
  expect(goalFor(workspace([]), 'removed', { projects: ['lib'] })).toMatchObject({ ok: true });
  expect(goalFor(workspace([]), 'removed', { projects: [] })).toMatchObject({ ok: false, problems: [{ code: 'nothingToDo' }] });
  expect(goalFor(workspace([]), 'live', { projects: ['lib'] })).toMatchObject({
    ok: false,
    problems: [{ code: 'nothingToDo', exitCode: 2 }],
  });
});

describe('an image without manifests', () => {
  const shop = workspace(['web'], { artifacts: new Map([['lib', image('lib')]]) });

  it('is built, and is nothing that could be deployed', () => {
    expect(goalFor(shop, 'deployed', { projects: ['lib'] })).toMatchObject({ ok: true });
    expect(deployableGoalFor(shop, 'deployed', { projects: ['lib'] })).toMatchObject({
      ok: false,
      problems: [{ code: 'noManifests', message: 'lib: an image, but no manifests that say how it runs', exitCode: 2 }],
    });
  });

  it('comes along with what is deployed', () => {
    expect(deployableGoalFor(shop, 'deployed', { projects: ['lib', 'web'] })).toMatchObject({
      ok: true,
      goal: { artifacts: new Set(['lib']), releases: new Set(['web']) },
    });
  });

  it('says nothing of missing manifests where a mistake may hide them', () => {
    const mistake: Problem = { code: 'manifestInvalid', message: 'x', project: 'lib', retry: 'whenInputChanges', exitCode: 2 };
    expect(deployableGoalFor({ ...shop, problems: [mistake] }, 'deployed', { projects: ['lib'] })).toMatchObject({ ok: true });
  });
});

describe('images that are named', () => {
  const image = (name: string, project: string): Artifact => ({
    name,
    project,
    image: name,
    recipe: { builder: 'layers/1', context: '', dockerfile: 'Dockerfile', args: {} },
    inputs: [],
    requires: [],
    targets: [],
    after: [],
    reload: { kind: 'rebuild', because: 'it is a test' },
  });
  const all = [image('@shop/api', '@shop/api'), image('@shop/api/migrate', '@shop/api'), image('web', 'web')];
  const shop = workspace(['@shop/api', 'web'], { artifacts: new Map(all.map((each) => [each.name, each])) });
  const chosen = (projects: readonly string[], artifacts: readonly string[]) => goalFor(shop, 'built', { projects, artifacts });

  it.each([
    ['by their name in the project', ['@shop/api'], ['migrate'], ['@shop/api/migrate']],
    ['by their whole name', [], ['@shop/api/migrate', 'web'], ['@shop/api/migrate', 'web']],
    ['by the name of the project without its scope', [], ['api'], ['@shop/api']],
  ])('are found %s', (_, projects, artifacts, expected) => {
    expect(chosen(projects, artifacts)).toMatchObject({ ok: true, goal: { artifacts: new Set(expected) } });
  });

  it.each([
    [[], 'migrat', 'perhaps migrate was meant'],
    [['web'], 'migrate', 'images: web'],
  ])('are of the projects: of %j there is no %s', (projects, name, hint) => {
    expect(chosen(projects, [name])).toMatchObject({ ok: false, problems: [{ code: 'artifactUnknown', exitCode: 2, hint }] });
  });
});

it('tells what is of the whole workspace whichever projects are meant, and of images what is of theirs', () => {
  const notice = { message: 'slipway.yaml:2: hooks counts for nobody', hint: 'move it' };
  const noticed: Artifact = { ...image('web'), notices: [{ message: 'a rule matches nothing', hint: 'correct it' }] };
  const shop = workspace(['web', 'api'], { artifacts: new Map([['web', noticed]]), notices: [notice] });
  expect(noticesOf(shop, ['api'])).toEqual([{ kind: 'notice', ...notice }]);
  expect(noticesOf(shop, []).map(({ subject }) => subject)).toEqual([undefined, 'web']);
});
