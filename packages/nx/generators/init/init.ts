import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GeneratorCallback, NxJsonConfiguration, Tree } from '@nx/devkit';
import {
  contextLines,
  dockerignoreLines,
  gitignoreLines,
  harmlessLines,
  importFiles,
  noteLines,
  survey,
  surveyLines,
  unread,
  withAllowedContext,
  withLines,
} from '../../../scaffold';
import { readConfig } from '../../../config';
import type { Devkit } from '../../devkit';
import { afterwards, format, nxCommands, pluginName, projectsIn, readNxJson, refusal, runningDevkit } from '../workspace';
import { devTargets } from '../devTargets';
import { treeFiles } from '../treeFiles';
import { lookAtContext } from './lookAtContext';

export interface InitOptions {
  readonly allowContext?: string;
  readonly from?: readonly string[];
  readonly skipFormat?: boolean;
  readonly skipPackageJson?: boolean;
  readonly keepExistingVersions?: boolean;
  /** `nx add` may say it to any plugin. No script of a workspace does what Slipway's targets do, so there is none to replace. */
  readonly updatePackageScripts?: boolean;
}

/** `nx add nx-slipway` and `nx g nx-slipway:init`: sets the workspace up and says what is there to go on with. Doing it twice changes nothing more. */
export default async function init(tree: Tree, options: InitOptions): Promise<GeneratorCallback> {
  const devkit = runningDevkit();
  const files = treeFiles(tree);
  const imported = importFiles({ files, projects: projectsIn(tree, devkit), from: options.from ?? [], projectFile });
  if (imported.problems.length > 0) throw refusal(imported.problems);
  for (const { path, text } of imported.files) tree.write(path, text);
  if (options.allowContext !== undefined) allowContext(tree, options.allowContext);
  const seen = survey({ files, projects: projectsIn(tree, devkit) });
  const install = setUp(tree, devkit, { ...options, copied: seen.copied });
  await format(tree, options.skipFormat);
  return afterwards(tree, devkit, {
    install,
    say: async () => {
      const commands = nxCommands(tree, devkit, await devTargets(tree.root, projectsIn(tree, devkit), readNxJson(tree, devkit)));
      const config = files.textOf('slipway.yaml');
      const allowed = (config === undefined ? undefined : readConfig({ path: 'slipway.yaml', text: config, isRoot: true }).config)
        ?.allowContexts;
      const { exec } = devkit.getPackageManagerCommand(devkit.detectPackageManager(tree.root), tree.root);
      return [
        ...noteLines(imported.notes),
        ...contextLines(
          await lookAtContext(process.env, allowed ?? []),
          (context) => `${exec} nx g ${pluginName}:init --allowContext=${quoted(context)}`,
        ),
        ...surveyLines(unread(seen, options.from), commands),
      ];
    },
  });
}

/** What makes a folder a project of Nx. */
function projectFile(name: string): { readonly name: string; readonly text: string } {
  return { name: 'project.json', text: `${JSON.stringify({ name, projectType: 'application', targets: {} }, undefined, 2)}\n` };
}

export interface SetUp {
  readonly skipPackageJson?: boolean;
  readonly keepExistingVersions?: boolean;
  /** What Dockerfiles of the workspace copy. */
  readonly copied: readonly string[];
}

/** What every generator of Slipway needs of a workspace. Gives whether packages have to be installed. */
export function setUp(tree: Tree, devkit: Devkit, { skipPackageJson, keepExistingVersions, copied }: SetUp): boolean {
  registerPlugin(tree, devkit);
  addLines(tree, '.gitignore', gitignoreLines);
  addLines(tree, '.dockerignore', harmlessLines(dockerignoreLines, copied));
  return skipPackageJson !== true && addToPackageJson(tree, devkit, keepExistingVersions !== false);
}

/** What an edit of must not make other projects' images be made again, where nobody has said yet what production is made of. */
const production = ['default', '!{projectRoot}/k8s/**/*', '!{projectRoot}/slipway.yaml', '!{projectRoot}/**/*.md'];
/** Of one that there is, only what is Slipway's own is left out: a build may well read Markdown. */
const outsideOfProduction = ['!{projectRoot}/k8s/**/*', '!{projectRoot}/slipway.yaml'];

function registerPlugin(tree: Tree, devkit: Devkit): void {
  const before = readNxJson(tree, devkit);
  const plugins = before.plugins ?? [];
  const registered = plugins.some((plugin) => (typeof plugin === 'string' ? plugin : plugin.plugin) === pluginName);
  const existing = before.namedInputs?.['production'];
  const missing = outsideOfProduction.filter((pattern) => existing?.includes(pattern) !== true);
  if (registered && existing && missing.length === 0) return;
  devkit.updateJson<NxJsonConfiguration>(tree, 'nx.json', (nxJson) => ({
    ...nxJson,
    ...(registered ? {} : { plugins: [...plugins, { plugin: pluginName, options: {} }] }),
    // Without this, an edit of one service's manifest deploys the services that depend on it again, and one of its config runs its build.
    namedInputs: { ...nxJson.namedInputs, production: existing ? [...existing, ...missing] : production },
  }));
}

export function addLines(tree: Tree, path: string, lines: readonly string[]): void {
  const before = tree.read(path, 'utf-8') ?? undefined;
  const after = withLines(before, lines);
  if (after !== before && after !== '') tree.write(path, after);
}

function allowContext(tree: Tree, context: string): void {
  const before = tree.read('slipway.yaml', 'utf-8') ?? undefined;
  const after = withAllowedContext(before, context);
  if (after === undefined) {
    const { problems } = readConfig({ path: 'slipway.yaml', text: before ?? '', isRoot: true });
    throw refusal(problems);
  }
  if (after !== before) tree.write('slipway.yaml', after);
}

/** As a word of a shell. */
function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}

/** Whether the file was changed. */
function addToPackageJson(tree: Tree, devkit: Devkit, keepExistingVersions: boolean): boolean {
  if (!tree.exists('package.json')) return false;
  const wanted = `^${ownVersion()}`;
  const { dependencies, devDependencies } = devkit.readJson<PackageJson>(tree, 'package.json');
  const existing = dependencies?.[pluginName] ?? devDependencies?.[pluginName];
  if (existing === wanted || (existing !== undefined && keepExistingVersions)) return false;
  const section = dependencies?.[pluginName] === undefined ? 'devDependencies' : 'dependencies';
  devkit.updateJson<PackageJson>(tree, 'package.json', (json) => ({
    ...json,
    [section]: Object.fromEntries(Object.entries({ ...json[section], [pluginName]: wanted }).sort(([a], [b]) => a.localeCompare(b))),
  }));
  return true;
}

interface PackageJson {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly devDependencies?: Readonly<Record<string, string>>;
}

function ownVersion(): string {
  const { version } = JSON.parse(readFileSync(join(__dirname, '../../../../package.json'), 'utf8')) as { readonly version: string };
  return version;
}
