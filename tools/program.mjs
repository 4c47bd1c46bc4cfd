// Makes one file of all that a process of Slipway may run, as packages/start/program.ts has it: finding and reading some three hundred
// modules takes longer than most commands. Each is still loaded when it is first used, and knows the place that it has in dist.
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';
import { relative, sep } from 'node:path';
import { forNode } from './bundling.mjs';

const path = (name) => fileURLToPath(new URL(name, import.meta.url));
const dist = path('../dist/');

const { schemaDigest } = createRequire(import.meta.url)('../dist/config/validators.js');

// What stands in a module of dist, and what in the bundle.
const inBundle = [
  // What is loaded late, and by nearly every command, is a part of the one file.
  ["(0, node_module_1.createRequire)(__filename)('yaml')", "require('yaml')"],
  ["load('./bundled/kubernetes')", "require('./bundled/kubernetes')"],
  // The schema stays as it is.
  ['(0, validators_1.schemaDigest)()', JSON.stringify(schemaDigest())],
];
const replaced = new Set();

function asInBundle(text) {
  for (const [written, bundled] of inBundle) {
    if (!text.includes(written)) continue;
    text = text.replace(written, bundled);
    replaced.add(written);
  }
  return withLateExports(text);
}

// As the compiler writes `export { a, b } from './module'`.
const exported = String.raw`Object\.defineProperty\(exports, "\w+", \{ enumerable: true, get: function \(\) \{ return \1\.\w+; \} \}\);\n`;
const exportedFrom = new RegExp(String.raw`^var (\w+) = require\(("[^"]+")\);\n((?:${exported})+)`, 'gm');

// The door of a folder loads what is behind it when that is first used: a command uses little of what it could.
let lateExports = 0;
function withLateExports(text) {
  return text.replace(exportedFrom, (_, name, module, getters) => {
    lateExports += 1;
    return `var ${name};\n${getters.replaceAll(`return ${name}.`, `return (${name} ??= require(${module})).`)}`;
  });
}

const inPlace = {
  name: 'in place',
  setup(bundle) {
    bundle.onLoad({ filter: /\.js$/ }, ({ path: file }) => {
      if (!file.startsWith(dist)) return undefined;
      const text = asInBundle(readFileSync(file, 'utf8'));
      if (!/\b__(file|dir)name\b/.test(text)) return { contents: text };
      const at = JSON.stringify(relative(dist, file).split(sep).join('/'));
      const place = `var __filename = placeInDist(${at}), __dirname = require("node:path").dirname(__filename);`;
      if (!text.includes('"use strict";')) throw new Error(`tools/program.mjs: ${file} is not strict, so its place cannot be told`);
      return { contents: text.replace('"use strict";', (strict) => `${strict} ${place}`) };
    });
  },
};

const { outputFiles } = await build({
  entryPoints: [path('../dist/start/program.js')],
  write: false,
  charset: 'ascii',
  ...forNode,
  banner: { js: 'const placeInDist = (path) => require("node:path").join(__dirname, "..", path);' },
  // Its other form asks for its parts in a way that no bundler follows.
  alias: { 'jsonc-parser': path('../node_modules/jsonc-parser/lib/esm/main.js') },
  plugins: [inPlace],
});
const missing = inBundle.filter(([written]) => !replaced.has(written));
if (missing.length > 0)
  throw new Error(`tools/program.mjs: no module of dist has ${missing.map(([written]) => written).join(', nor ')} any more`);
if (lateExports === 0)
  throw new Error('tools/program.mjs: the compiler writes exports in another way, so that all of them are loaded at once');
// V8 compares no more than the length of what it has compiled before: this line tells one program from another.
const [{ contents, text }] = outputFiles;
const name = `// ${createHash('sha256').update(contents).digest('hex')}`;
// It is read as ASCII, and expressions keep what is not.
const ascii = text.replace(/[^\0-\x7f]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
writeFileSync(path('../dist/start/program.bundle.js'), `${name}\n${ascii}`);
rmSync(path('../dist/start/compiled'), { recursive: true, force: true });
