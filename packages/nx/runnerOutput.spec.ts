import { isOwnLine, outcomesIn } from './runnerOutput';

/** As Nx 24 prints it when its output is no terminal. */
const failedTogether = `
 NX   Running target build for 4 projects:

- api
- bff
- catalog
- worker


✔  nx run bff:build
✔  nx run catalog:build  [existing outputs match the cache, left as is]

> nx run api:build

> esbuild apps/api/src/main.ts --bundle

✘ [ERROR] Unexpected "="

    apps/api/src/main.ts:10:9:
      10 │ const x: = 3
         ╵          ^

1 error
Warning: command "esbuild apps/api/src/main.ts --bundle" exited with non-zero status code

  Run duration:      114ms
  Cache:             0/1 hit (0%)
  Critical path:     95ms (1 task)
  Recoverable time:  <1ms

 NX   Running target build for 4 projects failed

Failed tasks:

- api:build

Hint: run the command with --verbose for more details.
`.split('\n');

it('of targets that ran together tells which are done, which failed and with what, and nothing of those that were skipped', () => {
  const ends = outcomesIn(failedTogether);
  expect([...ends.keys()].sort()).toEqual(['api:build', 'bff:build', 'catalog:build']);
  expect(ends.get('bff:build')).toEqual({ ok: true });
  const api = ends.get('api:build');
  expect(api?.ok === false && api.lines.filter((line) => line !== '')).toEqual([
    '✘ [ERROR] Unexpected "="',
    '    apps/api/src/main.ts:10:9:',
    '      10 │ const x: = 3',
    '         ╵          ^',
    '1 error',
  ]);
});

it('of what it does not understand tells nothing', () => {
  expect(outcomesIn(['Segmentation fault', '- api:build'])).toEqual(new Map());
});

it.each([
  '> nx run api:build',
  '> esbuild src/main.ts',
  ' NX   Successfully ran target build for project api',
  '  Cache:             0/1 hit (0%)',
])('takes %j for its own line', (line) => {
  expect(isOwnLine(line)).toBe(true);
});

it.each(['src/main.ts:3:5 - error TS2322: wrong', '- a list of the tool', '✔ built in 300ms', '  Cached modules: 3'])(
  'takes %j for one of the tool',
  (line) => {
    expect(isOwnLine(line)).toBe(false);
  },
);
