import { saidIn, type Said } from './toolLine';

it.each<readonly [string, (keyof Said)[]]>([
  ['[watch] build started (change: "src/a.ts")', ['begins']],
  ['[watch] build finished, watching for changes...', ['ends']],
  ['✘ [ERROR] Unexpected ";"', ['wrong']],
  ['\u001b[31m✘ \u001b[41;31m[\u001b[41;97mERROR\u001b[41;31m]\u001b[0m \u001b[1mUnexpected ";"\u001b[0m', ['wrong']],
  ['2:08:05 PM - File change detected. Starting incremental compilation...', ['begins']],
  ['2:08:05 PM - Found 0 errors. Watching for file changes.', ['ends']],
  ['2:08:05 PM - Found 1 error. Watching for file changes.', ['ends', 'wrong']],
  ['src/a.ts(3,5): error TS2322: Type X', ['wrong']],
  ['build started...', ['begins']],
  ['✓ built in 123ms', ['ends']],
  ['built in 1.2s.', ['ends']],
  ['error during build:', ['wrong']],
  ['bundles src/main.js → dist/main.js...', ['begins']],
  ['created dist/main.js in 12ms', ['ends']],
  ['[!] RollupError: Expression expected', ['wrong']],
  ['CLI Change detected: change src/a.ts', ['begins']],
  ['ESM ⚡️ Build success in 12ms', ['ends']],
  ['Successfully compiled: 2 files with swc (31.2ms)', ['ends']],
  ['webpack 5.90.0 compiled successfully in 120 ms', ['ends']],
  ['webpack 5.90.0 compiled with 1 error in 120 ms', ['ends', 'wrong']],
  ['webpack 5.90.0 compiled with 2 warnings in 120 ms', ['ends']],
  ['ERROR in ./src/a.js 1:2', ['wrong']],
  ['✨ Built in 31ms', ['ends']],
  ['🚨 Build failed.', ['wrong']],
  ['SyntaxError: Unexpected token', ['wrong']],
  ['0 errors', []],
  ['▲ [WARNING] Comparison with -0', []],
  ['dist/errors.js  1.2kb', []],
])('%s', (line, expected) => {
  const said = saidIn(line);
  expect((['begins', 'ends', 'wrong'] as const).filter((key) => said[key])).toEqual(expected);
});
