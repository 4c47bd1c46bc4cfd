import type { GraphFacts, GraphSource } from '../graph';
import { failed, succeeded, type Problem, type Result } from '../model';
import { allProjects, chosenProjects } from './chosenProjects';

const project = (name: string, root: string) => ({ name, root, dependencies: [], targets: new Map() });
const projects = [
  project('@shop/api', 'apps/api'),
  project('web', 'apps/web'),
  project('@shop/money', 'libs/money'),
  project('@bank/money', 'libs/bank'),
];

const deployable = () => Promise.resolve(new Set(['@shop/api', 'web']));

function graphOf(facts: Result<GraphFacts>): GraphSource {
  return { kind: 'turbo', root: '/shop', watch: [], read: () => Promise.resolve(facts), runTarget: () => ({ command: 'turbo', args: [] }) };
}

const choices: { what: string; named?: string[]; cwd?: string; env?: Record<string, string>; chosen: string[] }[] = [
  { what: 'all, at the root of the workspace', chosen: [] },
  { what: 'those that are named', named: ['web', '@shop/api'], chosen: ['web', '@shop/api'] },
  { what: 'one by its name without the scope', named: ['api'], chosen: ['@shop/api'] },
  { what: 'one once, by whichever names', named: ['api', '@shop/api'], chosen: ['@shop/api'] },
  { what: 'a name as it is, where several scopes have it', named: ['money'], chosen: ['money'] },
  { what: 'those that a pattern stands for', named: ['apps/*', '!web'], chosen: ['@shop/api'] },
  { what: 'a name as it is, where none has it', named: ['nothing'], chosen: ['nothing'] },
  { what: 'the one around the folder', cwd: '/shop/apps/api/src', chosen: ['@shop/api'] },
  { what: 'all, in a folder between projects', cwd: '/shop/apps', chosen: [] },
  {
    what: 'the one whose script went up to the root',
    env: { npm_package_json: '/shop/apps/web/package.json' },
    chosen: ['web'],
  },
  { what: 'all, in a script of the root', env: { npm_package_json: '/shop/package.json' }, chosen: [] },
  {
    what: 'the one around the folder, whoever started it',
    cwd: '/shop/apps/api',
    env: { npm_package_json: '/shop/apps/web/package.json' },
    chosen: ['@shop/api'],
  },
];

it.each(choices)('a command is for $what', async ({ named = [], cwd = '/shop', env = {}, chosen }) => {
  const graph = graphOf(succeeded({ projects }));
  expect((await chosenProjects({ named, graph, cwd, env, deployable })).projects).toEqual(chosen);
});

it('a graph that cannot be made is left to the command to tell', async () => {
  const problem: Problem = { code: 'turboConfigInvalid', message: 'x', retry: 'whenInputChanges', exitCode: 2 };
  const chosen = await chosenProjects({ named: ['api'], graph: graphOf(failed(problem)), cwd: '/shop', env: {}, deployable });
  expect(chosen.projects).toEqual(['api']);
  expect(await chosen.graph.read()).toEqual(failed(problem));
});

it('for all projects no graph is made, and what is to be known of it is told once when the command makes it', async () => {
  let made = 0;
  const notice = { message: 'turbo is not installed' };
  const graph: GraphSource = { ...graphOf(succeeded({ projects, notices: [notice] })) };
  const read = (): ReturnType<GraphSource['read']> => {
    made += 1;
    return graph.read();
  };
  const told: object[] = [];
  const chosen = allProjects({ ...graph, read }, (each) => told.push(each));
  expect([chosen.projects, made]).toEqual([[], 0]);
  await chosen.graph.read();
  await chosen.graph.read();
  expect([told, made]).toEqual([[notice], 2]);
});
