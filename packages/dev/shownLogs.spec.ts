import type { LogChoice, Workspace } from '../model';
import { shownLogs } from './shownLogs';

const names = ['@shop/api', 'web', 'worker'];
const workspace: Pick<Workspace, 'releases' | 'projects'> = {
  releases: new Map(names.map((name) => [name, { name, project: name, sources: [], inputs: [], artifacts: [] }])),
  projects: new Map([...names, 'broken'].map((name) => [name, { name, root: name, dependencies: [] }])),
};

it.each<readonly [LogChoice, LogChoice]>([
  ['all', 'all'],
  [[], []],
  [
    ['web', 'api'],
    ['web', '@shop/api'],
  ],
  [['broken'], ['broken']],
])('logs of %j', (choice, expected) => {
  expect(shownLogs(choice, workspace)).toEqual({ ok: true, value: expected });
});

it.each([
  [['web', 'wrker'], 'there is no service "wrker" whose logs could be shown', 'perhaps worker was meant'],
  [['x', 'y'], 'there is no service "x" and "y" whose logs could be shown', 'services: @shop/api, web, worker'],
])('logs of %j are refused, as nobody is called so', (choice, message, hint) => {
  expect(shownLogs(choice, workspace)).toMatchObject({ ok: false, problem: { code: 'serviceUnknown', message, hint, exitCode: 2 } });
});
