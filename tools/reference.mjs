// Writes the config reference into README.md from the schema that config files are checked against. `--check` only looks whether it is up to date.
import { readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { format, resolveConfig } from 'prettier';
import { root } from './steps.mjs';

const require = createRequire(import.meta.url);
const { projectSchema, rootSchema } = require('../dist/config');

function typeOf(schema) {
  if (schema.const !== undefined) return `\`${schema.const}\``;
  if (schema.enum) return schema.enum.map((value) => `\`${value}\``).join(', ');
  for (const several of [schema.oneOf, schema.anyOf]) if (several) return several.map(typeOf).join(' or ');
  if (Array.isArray(schema.type)) return schema.type.join(' or ');
  if (schema.type === 'array') return `list of ${schema.items ? typeOf(schema.items) : 'anything'}`;
  if (schema.type === 'object' && schema.additionalProperties?.type) return `map of ${typeOf(schema.additionalProperties)}`;
  return schema.type ?? 'anything';
}

function rows(schema, prefix, rootOnly) {
  return Object.entries(schema.properties ?? {}).flatMap(([name, property]) => {
    const path = prefix === '' ? name : `${prefix}.${name}`;
    const nested = property.type === 'array' ? property.items : property;
    const text = (property.description ?? '').replaceAll('|', '\\|').replaceAll('\n', ' ');
    const row = `| \`${path}${property.type === 'array' ? '[]' : ''}\` | ${typeOf(property)} | ${rootOnly.has(path) ? 'Only at the root. ' : ''}${text} |`;
    return [row, ...rows(nested ?? {}, property.type === 'array' ? `${path}[]` : path, rootOnly)];
  });
}

const rootOnly = new Set(Object.keys(rootSchema.properties).filter((name) => !(name in projectSchema.properties)));
const table = ['| key | value | meaning |', '| --- | --- | --- |', ...rows(rootSchema, '', rootOnly)].join('\n');
const file = join(root, 'README.md');
const text = readFileSync(file, 'utf8');
const [begin, end] = ['<!-- config reference: written by tools/reference.mjs -->', '<!-- end of the config reference -->'];
const [from, to] = [text.indexOf(begin), text.indexOf(end)];
if (from < 0 || to < 0) throw new Error('README.md has no place for the config reference');
const next = await format(`${text.slice(0, from + begin.length)}\n\n${table}\n\n${text.slice(to)}`, {
  ...(await resolveConfig(file)),
  filepath: file,
});
if (process.argv.includes('--check')) {
  if (next !== text) {
    console.error('the config reference in README.md is not that of the schema: node tools/reference.mjs writes it');
    process.exitCode = 1;
  }
} else {
  writeFileSync(file, next);
}
