import { fakeProcesses, type FakeRun } from '../testkit/fakeProcesses';
import { succeeded } from '../model';
import { listDependencies } from './listDependencies';

const location = { file: 'api/slipway.yaml', line: 5 };

async function listed(run: FakeRun | undefined) {
  const processes = fakeProcesses(() => run);
  const all = await listDependencies(
    [{ project: 'api', artifact: 'api', folder: 'apps/api', asks: { kind: 'command', command: 'list' }, location }],
    {
      root: '/w',
      env: {},
      processes,
    },
  );
  expect(processes.runs).toMatchObject([{ command: 'sh', args: ['-c', 'list'], cwd: '/w/apps/api' }]);
  return all.get('api');
}

describe('what a command says a build reads', () => {
  it.each([
    ['lines', 'main.go\n\n../../libs/x/y.go\n', ['apps/api/main.go', 'libs/x/y.go']],
    ['JSON', '["main.go", "/w/libs/x"]', ['apps/api/main.go', 'libs/x']],
    ['nothing', '', []],
  ])('is read from %s', async (_, stdout, paths) => {
    expect(await listed({ stdout })).toEqual(succeeded({ kind: 'paths', paths }));
  });

  it.each([
    ['a command that fails', { exitCode: 2, stderr: 'no such target' }, /ended with exit code 2$/, 'no such target'],
    ['a command that is not there', undefined, /did not run: sh is not installed/, undefined],
    [
      'paths elsewhere',
      { stdout: '../../../etc/passwd' },
      /names \.\.\/\.\.\/\.\.\/etc\/passwd, which is outside of the workspace$/,
      undefined,
    ],
  ])('is not known of %s', async (_, run, message, detail) => {
    expect(await listed(run)).toMatchObject({
      ok: false,
      problem: {
        code: 'dependenciesNotListed',
        message: expect.stringMatching(message) as string,
        project: 'api',
        location,
        ...(detail && { detail }),
      },
    });
  });
});
