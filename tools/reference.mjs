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
  if (schema.type === 'object' && typeof schema.additionalProperties === 'object') return `map of ${typeOf(schema.additionalProperties)}`;
  return schema.type ?? 'anything';
}

/** What may stand below a key: of a list in its entries, and of several forms in those that are maps of known keys. */
function formsOf(schema) {
  if (schema.type === 'array') return schema.items ? formsOf(schema.items) : [];
  return schema.oneOf ? schema.oneOf.flatMap(formsOf) : [schema];
}

/** Keys of any name: what they hold. */
function namedFormsOf(form) {
  return typeof form.additionalProperties === 'object' ? formsOf(form.additionalProperties) : [];
}

function propertiesOf(form) {
  return Object.entries(form.properties ?? {});
}

/** All keys that are not below a key of any name. */
function plainKeys(form) {
  return propertiesOf(form).flatMap(([, property]) => [property, ...formsOf(property).flatMap(plainKeys)]);
}

/** Signs that would make emphasis of a text, outside of what is code. */
function asText(description) {
  const parts = description.replaceAll('|', '\\|').replaceAll('\n', ' ').split('`');
  return parts.map((part, index) => (index % 2 === 0 ? part.replaceAll('*', '\\*') : part)).join('`');
}

const shown = new Set(plainKeys(rootSchema));
const rootOnly = new Set(Object.keys(rootSchema.properties).filter((name) => !(name in projectSchema.properties)));

function rowsOf(path, property) {
  const isList = property.type === 'array';
  const at = isList ? `${path}[]` : path;
  // What a list is in whole, as its default, stands behind what each of it is.
  const texts = [rootOnly.has(path) && 'Only at the root.', isList && property.items?.description, property.description];
  const row = `| \`${at}\` | ${typeOf(property)} | ${asText(texts.filter(Boolean).join(' '))} |`;
  const forms = formsOf(property);
  const below = forms.flatMap(propertiesOf).map(([name, each]) => [`${at}.${name}`, each]);
  // What the keys of any name hold is mostly what stands elsewhere, as the description says: only what does not is told.
  const named = forms.flatMap(namedFormsOf).flatMap(propertiesOf);
  const own = named.filter(([, each]) => !shown.has(each)).map(([name, each]) => [`${at}.*.${name}`, each]);
  return [row, ...[...below, ...own].flatMap(([key, each]) => rowsOf(key, each))];
}

const rows = propertiesOf(rootSchema).flatMap(([name, property]) => rowsOf(name, property));
const table = ['| key | value | meaning |', '| --- | --- | --- |', ...rows].join('\n');
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
