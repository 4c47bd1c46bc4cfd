import { isOwnLine, outcomesIn } from './turboOutput';

/** Of turbo 2.11 with npm: one task that fails, and one that does not. */
const printed = `
   • turbo 2.11.11
   • Packages in scope: @shop/api, @shop/web
   • Running build in 2 packages

@shop/web:build: cache miss, executing 614e9d5768b2e304
@shop/api:build: cache hit, suppressing logs 349d300207f1cd83
@shop/web:build:
@shop/web:build: > @shop/web@0.0.0 build
@shop/web:build: > tsc
@shop/web:build: src/a.ts:3:4: error TS1: bad
@shop/web:build: npm error code 2
@shop/web#build:  ERROR  command (/w/apps/web) /usr/bin/npm run build exited (2)

 Tasks:    1 successful, 2 total
Cached:    1 cached, 2 total
  Time:    1.3s
Failed:    @shop/web#build

 ERROR  run failed: command  exited (2)`.split('\n');

it('what a run of several tasks says tells how each of them ended', () => {
  expect([...outcomesIn(printed)]).toEqual([
    ['@shop/web:build', { ok: false, lines: ['', 'src/a.ts:3:4: error TS1: bad'] }],
    ['@shop/api:build', { ok: true }],
  ]);
});

it('a run that was stopped tells nothing for sure', () => {
  expect(outcomesIn(printed.slice(0, 8)).size).toBe(0);
});

it('only what a tool says is not of turbo itself', () => {
  expect(printed.filter((line) => !isOwnLine(line) && !/^(\S+:)?$/.test(line))).toEqual(['@shop/web:build: src/a.ts:3:4: error TS1: bad']);
  expect(isOwnLine('src/a.ts:3:4: error TS1: bad')).toBe(false);
});
