import { spawn } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { CommandResult } from '../dev';
import { filesBelow } from '../source';
import { withFiles, type GraphSource } from '../graph';
import type { Problem, WorkspacePath } from '../model';
import { nxCommand } from '../nx';
import type { InitDocument } from '../report';
import { importFiles, noteLines, surveyLines, unread, type NextCommands } from '../scaffold';
import { manifestsOf, type WantedManifests } from './newManifests';
import { newPackagesChange, packageManagerOf, scriptCommand, setUp, type PackageManager, type SetUp } from '../turbo';

export interface InitOptions {
  readonly workspace: GraphSource;
  /** Writes nothing. */
  readonly dryRun: boolean;
  readonly json: boolean;
  /** Paths of files of Skaffold, or of Compose. */
  readonly from?: readonly WorkspacePath[];
  readonly manifests?: WantedManifests;
}

/** Sets a workspace up: by the generator in Nx; elsewhere with scripts, tasks of turbo.json and ignore files. Doing it twice changes nothing more. */
export function init(options: InitOptions): Promise<CommandResult<InitDocument>> {
  return options.workspace.kind === 'nx' ? initNx(options) : initPackages(options);
}

async function initPackages({ workspace, dryRun, from = [], manifests }: InitOptions): Promise<CommandResult<InitDocument>> {
  const { root, kind } = workspace;
  const facts = await workspace.read();
  if (!facts.ok) return refused(facts.problem, { kind, root });
  const { projects, notices = [] } = facts.value;
  const there = filesBelow(root);
  const written = manifestsOf(manifests, { projects, files: there });
  const imported = importFiles({ files: there, projects, from, projectFile: packageFile });
  const wrong = [...imported.problems, ...written.problems];
  if (wrong.length > 0) return refusedAll(wrong, { kind, root });
  const manager = packageManagerOf(root);
  const roots = imported.projects.map((project) => project.root);
  const added = [
    ...imported.files.map((file) => ({ ...file, created: true })),
    ...newPackagesChange(roots, { files: there, manager }),
    ...written.changes,
  ];
  const made = setUp({
    kind: kind === 'turbo' ? 'turbo' : 'workspaces',
    manager,
    projects: [...projects, ...imported.projects],
    files: withFiles(there, new Map(added.map(({ path, text }) => [path, text]))),
  });
  const changes = [...added, ...made.changes];
  for (const { path, text } of dryRun ? [] : changes) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
  }
  return {
    exitCode: 0,
    problems: [],
    document: {
      kind,
      root,
      dryRun,
      changes: changes.map(({ path, created, because }) => ({ path, created, because })),
      notes: [
        ...notices.map(({ message, hint }) => (hint === undefined ? message : `${message}: ${hint}`)),
        ...(imported.notes.length === 0 ? [] : [noteLines(imported.notes).join('\n')]),
        ...made.notes,
      ],
      survey: surveyLines(unread(made.survey, from), nextCommands(root, kind, made)),
    },
  };
}

/** What makes a folder a package. */
function packageFile(name: string): { readonly name: string; readonly text: string } {
  return { name: 'package.json', text: `${JSON.stringify({ name, version: '0.0.0', private: true }, undefined, 2)}\n` };
}

/** What a package manager calls a program of node_modules with. */
const runner: Readonly<Record<PackageManager, string>> = { npm: 'npx', pnpm: 'pnpm', yarn: 'yarn', bun: 'bunx' };

function nextCommands(root: string, kind: GraphSource['kind'], { devOf }: SetUp): NextCommands {
  const manager = packageManagerOf(root);
  const dev = (project: string): string => {
    const script = devOf.get(project);
    if (script === undefined) return `${runner[manager]} slipway dev ${project}`;
    // pnpm passes Ctrl+C on to a program that has got it already, and turbo takes the second one for leave to kill. The script is no poorer:
    // what it builds it builds through turbo.
    if (kind === 'turbo' && manager !== 'pnpm') return `${runner[manager]} turbo run ${script} --filter=${project}`;
    const { command, args } = scriptCommand(manager, project, script);
    return [command, ...args].join(' ');
  };
  return {
    dev,
    manifests: (project) => `${runner[manager]} slipway init --manifests ${project}`,
    from: (path) => `${runner[manager]} slipway init --from ${path}`,
    projectFile: 'package.json',
  };
}

/** Nx says itself what its generator does. With JSON that goes where words for people go. */
async function initNx(options: InitOptions): Promise<CommandResult<InitDocument>> {
  const { projects, port } = options.manifests ?? { projects: [] };
  const ofPort = port === undefined ? [] : [`--port=${port}`];
  const generators =
    projects.length === 0
      ? [['init', ...(options.from ?? []).map((file) => `--from=${file}`)]]
      : projects.map((project) => ['manifests', project, ...ofPort]);
  for (const [name = '', ...args] of generators) {
    const ended = await generate(options, [`nx-slipway:${name}`, ...args]);
    if (ended.exitCode !== 0) return ended;
  }
  const { kind, root } = options.workspace;
  return { exitCode: 0, problems: [], document: { kind, root, dryRun: options.dryRun, changes: [], notes: [], survey: [] } };
}

function generate(
  { workspace: { kind, root }, dryRun, json }: InitOptions,
  generator: readonly string[],
): Promise<CommandResult<InitDocument>> {
  const { command, args } = nxCommand(root, ['generate', ...generator, ...(dryRun ? ['--dry-run'] : [])]);
  return new Promise((done) => {
    const child = spawn(command, args, { cwd: root, stdio: ['inherit', json ? 2 : 'inherit', 'inherit'] });
    const ended = (problem: Problem) => done(refused(problem, { kind, root }));
    child.once('error', (error) =>
      ended({ code: 'nxNotStarted', message: `nx did not start: ${error.message}`, retry: 'never', exitCode: 2 }),
    );
    child.once('exit', (code) => {
      if (code === 0) done({ exitCode: 0, problems: [], document: { kind, root, dryRun, changes: [], notes: [], survey: [] } });
      else
        ended({
          code: 'generatorFailed',
          message: `nx generate ended with exit code ${code ?? 1}`,
          retry: 'whenInputChanges',
          exitCode: 1,
        });
    });
  });
}

function refused(problem: Problem, workspace: Pick<GraphSource, 'kind' | 'root'>): CommandResult<InitDocument> {
  return refusedAll([problem], workspace);
}

function refusedAll(problems: readonly Problem[], { kind, root }: Pick<GraphSource, 'kind' | 'root'>): CommandResult<InitDocument> {
  return { exitCode: problems[0]?.exitCode ?? 2, problems, document: { kind, root, dryRun: false, changes: [], notes: [], survey: [] } };
}
