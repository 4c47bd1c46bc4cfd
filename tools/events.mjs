// Writes docs/events.md from the types in packages/model/event.ts; with --check it only says whether it is as it should be.
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import ts from 'typescript';
import prettier from 'prettier';

const root = join(import.meta.dirname, '..');
const source = join(root, 'packages/model/event.ts');
const file = join(root, 'docs/events.md');

const text = readFileSync(source, 'utf8');
const parsed = ts.createSourceFile(source, text, ts.ScriptTarget.Latest, true);
const union = parsed.statements.find((node) => ts.isTypeAliasDeclaration(node) && node.name.text === 'Event');

/** Names that types have for people who change Slipway, as what they are in JSON. */
const inJson = {
  ArtifactName: 'string',
  ReleaseName: 'string',
  TargetId: 'string',
  WorkspacePath: 'string',
  ContainerPath: 'string',
  Action: "'sync' | 'target-then-sync' | 'target-then-rebuild' | 'rebuild' | 'redeploy' | 'none'",
  WaitedFor: '{ object, message: string, detail?: string }',
  SyncTiming: '{ detect, read, send, apply, total: number }',
  Problem: '{ code, message, hint, detail, location: { file, line, column }, retry, exitCode }',
};

const sections = union.type.types.map((type, index, all) => {
  const fields = type.members.map((member) => ({
    name: member.name.text,
    optional: member.questionToken !== undefined,
    type: member.type
      .getText()
      .replace(/\breadonly /g, '')
      .replace(/\s+/g, ' ')
      .replace(/Readonly<Record<([^,]+), (\w+)>>/g, (_, keys, value) => `{ ${keys.replace(/'/g, '').replace(/ \| /g, ', ')}: ${value} }`)
      .replace(/\b[A-Z]\w+\b/g, (name) => inJson[name] ?? name),
    about: commentIn(text.slice(member.getFullStart(), member.getStart())),
  }));
  const kind = fields.find(({ name }) => name === 'kind').type.replace(/'/g, '');
  return {
    kind,
    about: commentIn(text.slice(all[index - 1]?.end ?? union.type.getFullStart(), type.getStart())),
    fields: fields.filter(({ name }) => name !== 'kind'),
  };
});

function commentIn(between) {
  const [, said = ''] = /\/\*\*([\s\S]*?)\*\/(?![\s\S]*\/\*\*)/.exec(between) ?? [];
  return said
    .replace(/^\s*\* ?/gm, '')
    .replace(/\s+/g, ' ')
    .trim();
}

const cell = (value) => value.replace(/\|/g, '\\|');
const lines = sections.flatMap(({ kind, about, fields }) => [
  `### \`${kind}\``,
  '',
  ...(about === '' ? [] : [about, '']),
  ...(fields.length === 0
    ? []
    : [
        '| field | type | |',
        '| --- | --- | --- |',
        ...fields.map(
          ({ name, optional, type, about: what }) => `| \`${name}\`${optional ? '?' : ''} | \`${cell(type)}\` | ${cell(what)} |`,
        ),
        '',
      ]),
]);
const page = `# Events

\`slipway dev --events FILE\`, and \`--json\` on stdout, write one JSON object a line: \`{"v":1,"at":<ms since 1970>,"kind":…}\` and the fields of its kind. \`v\` is the version: within it kinds and optional fields may be
added, and nothing is taken away or means something else. A field with a \`?\` may be absent. With \`--json\` the last line is \`{"kind":"ended","exitCode":…,"document":…,"problems":[…]}\`: without \`document\` when the command could not begin, and without \`problems\` when there are none.
Logs of containers are not among them, and what tools print (\`output\`) only with \`--verbosity debug\`.

The file is begun anew by the first \`dev\` that opens it. Those that open it while it is written, as the tasks of \`nx run-many -t dev --events=FILE\` do, add to it: each writes what concerns its own part, in whole lines, and each
line of the file has \`"part":[…]\`, the projects that its \`dev\` was started with (none: all of them). What concerns several parts is there once for each. Lines that cannot be written, on a full disk, wait until they can.

This page is made from the types by \`node tools/events.mjs\`.

${lines.join('\n')}`;

const wanted = await prettier.format(page, { ...(await prettier.resolveConfig(file)), filepath: file });
if (process.argv.includes('--check')) {
  if (readFileSync(file, 'utf8') !== wanted) {
    console.error('docs/events.md is not what packages/model/event.ts says: node tools/events.mjs');
    process.exit(1);
  }
} else writeFileSync(file, wanted);
