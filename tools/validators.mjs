// Writes dist/config/validators.made.js: what checks config files, made from their schema now and not whenever a command starts. It says
// which schema it was made from, and config/validators.ts takes no other.
import { Ajv } from 'ajv';
import standalone from 'ajv/dist/standalone/index.js';
import { readFileSync, renameSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { fileURLToPath } from 'node:url';

const require = createRequire(import.meta.url);
const { ajvOptions, schemaDigest } = require('../dist/config/validators.js');
const { projectSchema, rootSchema } = require('../dist/config/schema.js');
const file = fileURLToPath(new URL('../dist/config/validators.made.js', import.meta.url));

const digest = schemaDigest();
if (!isOf(digest)) {
  const ajv = new Ajv({ ...ajvOptions, keywords: [...ajvOptions.keywords], code: { source: true } });
  ajv.addSchema(rootSchema, 'root').addSchema(projectSchema, 'project');
  const code = standalone.default(ajv, { root: 'root', project: 'project' });
  // Somebody else may build too, or be reading.
  const unfinished = `${file}.${process.pid}.tmp`;
  writeFileSync(unfinished, `${code}\nexports.schemaDigest = ${JSON.stringify(digest)};\n`);
  renameSync(unfinished, file);
}

function isOf(wanted) {
  try {
    return readFileSync(file, 'utf8').endsWith(`exports.schemaDigest = ${JSON.stringify(wanted)};\n`);
  } catch {
    return false;
  }
}
