import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GeneratorCallback, NxJsonConfiguration, Tree } from '@nx/devkit';
import { devkitOf, generatorsDevkitOf, type Devkit } from '../../devkit';

export interface InitOptions {
  readonly skipFormat?: boolean;
  readonly skipPackageJson?: boolean;
  readonly keepExistingVersions?: boolean;
}

const pluginName = 'nx-slipway';

/** What an edit of must not make other projects' images be made again. */
const outsideOfProduction = ['!{projectRoot}/k8s/**/*', '!{projectRoot}/**/*.md'];

/** `nx add nx-slipway` and `nx g nx-slipway:init`: registers the plugin. Doing it twice changes nothing more. */
export default async function init(tree: Tree, options: InitOptions): Promise<GeneratorCallback | undefined> {
  const devkit = devkitOf(__dirname);
  if (!devkit) throw new Error(`${pluginName} found no nx beside it, though nx runs this generator`);
  registerPlugin(tree, devkit);
  ignoreOwnFolder(tree);
  const added = options.skipPackageJson !== true && addToPackageJson(tree, devkit, options.keepExistingVersions !== false);
  // Formatting and installing are in @nx/devkit alone, which not every workspace has; what was written is in order without them.
  const whole = generatorsDevkitOf(__dirname);
  if (options.skipFormat !== true) await whole?.formatFiles(tree);
  return added && whole ? () => whole.installPackagesTask(tree) : undefined;
}

function registerPlugin(tree: Tree, devkit: Devkit): void {
  const before = devkit.readJson<NxJsonConfiguration>(tree, 'nx.json');
  const plugins = before.plugins ?? [];
  const registered = plugins.some((plugin) => (typeof plugin === 'string' ? plugin : plugin.plugin) === pluginName);
  const production = before.namedInputs?.['production'];
  const missing = production ? outsideOfProduction.filter((input) => !production.includes(input)) : [];
  if (registered && missing.length === 0) return;
  devkit.updateJson<NxJsonConfiguration>(tree, 'nx.json', (nxJson) => ({
    ...nxJson,
    ...(registered ? {} : { plugins: [...plugins, { plugin: pluginName, options: {} }] }),
    // Without these, an edit of one service's manifest deploys the services that depend on it again.
    ...(production && missing.length > 0 ? { namedInputs: { ...nxJson.namedInputs, production: [...production, ...missing] } } : {}),
  }));
}

function ignoreOwnFolder(tree: Tree): void {
  const before = tree.read('.gitignore', 'utf-8') ?? '';
  const ignored = before.split(/\r?\n/).some((line) => /^\/?\.slipway\/?$/.test(line.trim()));
  if (!ignored) tree.write('.gitignore', `${before}${before === '' || before.endsWith('\n') ? '' : '\n'}.slipway\n`);
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
