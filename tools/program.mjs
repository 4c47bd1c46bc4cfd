// Makes one file of all that a process of Slipway may run, as packages/start/program.ts has it: finding and reading some three hundred
// modules takes longer than most commands. Each is still loaded when it is first used, and knows the place that it has in dist.
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { relative, sep } from 'node:path';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const dist = path('../dist/');

const inPlace = {
  name: 'in place',
  setup(bundle) {
    bundle.onLoad({ filter: /\.js$/ }, ({ path: file }) => {
      if (!file.startsWith(dist)) return undefined;
      // What is loaded late, and by nearly every command.
      const text = readFileSync(file, 'utf8')
        .replace(/\(0, node_module_1\.createRequire\)\(__filename\)\('yaml'\)/, "require('yaml')")
        .replace("load('./bundled/kubernetes')", "require('./bundled/kubernetes')");
      if (!/\b__(file|dir)name\b/.test(text)) return { contents: text };
      const at = JSON.stringify(relative(dist, file).split(sep).join('/'));
      const place = `var __filename = placeInDist(${at}), __dirname = require("node:path").dirname(__filename);`;
      return { contents: text.replace('"use strict";', (strict) => `${strict} ${place}`) };
    });
  },
};

const { outputFiles } = await build({
  entryPoints: [path('../dist/start/program.js')],
  write: false,
  charset: 'ascii',
  bundle: true,
  platform: 'node',
  format: 'cjs',
  target: 'node20',
  minifySyntax: true,
  legalComments: 'eof',
  banner: { js: 'const placeInDist = (path) => require("node:path").join(__dirname, "..", path);' },
  // Its other form asks for its parts in a way that no bundler follows.
  alias: { 'jsonc-parser': path('../node_modules/jsonc-parser/lib/esm/main.js') },
  plugins: [inPlace],
  logLevel: 'warning',
});
// V8 compares no more than the length of what it has compiled before: this line tells one program from another.
const [{ contents, text }] = outputFiles;
const name = `// ${createHash('sha256').update(contents).digest('hex')}`;
// It is read as ASCII, and expressions keep what is not.
const ascii = text.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
writeFileSync(path('../dist/start/program.bundle.js'), `${name}\n${ascii}`);
rmSync(path('../dist/start/compiled'), { recursive: true, force: true });
