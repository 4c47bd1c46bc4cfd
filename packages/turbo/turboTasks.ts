import { joinPath } from '../graph';
import type { FileSet, GraphFacts, GraphProject, GraphTarget } from '../graph';
import { succeeded, type Result } from '../model';
import { packagesAt, startsSlipway, type Package } from './packageManager';
import { readTurboConfig, taskDefinition, type TaskDefinition, type TurboConfig, type TurboConfigs } from './turboConfig';
import { rootPackage } from './turboPackages';

/** Packages with their tasks: the scripts that turbo.json knows, as it defines them. */
export function withTasks(root: string, facts: GraphFacts): Result<GraphFacts> {
  const packages = packagesAt(
    root,
    facts.projects.map((project) => project.root),
  );
  if (!packages.ok) return packages;
  const configs = configsOf(root, packages.value);
  if (!configs.ok) return configs;
  const scripts = new Map(packages.value.map((each) => [each.root, each.json.scripts ?? {}]));
  const byName = new Map(facts.projects.map((project) => [project.name, project]));
  const projects = facts.projects.map((project) => {
    const targets = Object.entries(scripts.get(project.root) ?? {}).flatMap(([name, script]): (readonly [string, GraphTarget])[] => {
      const definition = startsSlipway(script) ? undefined : taskDefinition(configs.value, project.name, name);
      if (!definition) return [];
      const inputs = inputsOf(project, name, { configs: configs.value, projects: byName });
      return [[name, { ...graphTarget(project, name, definition), ...(inputs && { inputs }) }]];
    });
    return { ...project, targets: new Map(targets) };
  });
  return succeeded({ ...facts, projects });
}

function configsOf(root: string, packages: readonly Package[]): Result<TurboConfigs> {
  const own = readTurboConfig(root, '');
  if (!own.ok) return own;
  const configs = new Map<string, TurboConfig>();
  for (const each of packages) {
    const config = readTurboConfig(root, each.root);
    if (!config.ok) return config;
    if (config.value) configs.set(each.name, config.value);
  }
  return succeeded({ root: own.value ?? {}, packages: configs });
}

function graphTarget(project: GraphProject, name: string, { outputs, dependsOn, persistent }: TaskDefinition): GraphTarget {
  return {
    name,
    outputs: (outputs ?? []).map((output) => pathOf(output, project)),
    dependsOn: (dependsOn ?? []).flatMap((wanted) => dependencyOf(wanted, project)),
    continuous: persistent ?? false,
  };
}

/** A glob of turbo.json, which is relative to the package, as one of the workspace. */
function pathOf(glob: string, { root }: GraphProject): string {
  const fromRoot = glob.replace(/^(!?)\$TURBO_ROOT\$\//, '$1');
  return fromRoot === glob ? joined(root, glob) : joined('', fromRoot);
}

function joined(folder: string, glob: string): string {
  return glob.startsWith('!') ? `!${joinPath(folder, glob.slice(1))}` : joinPath(folder, glob);
}

interface Graph {
  readonly configs: TurboConfigs;
  readonly projects: ReadonlyMap<string, GraphProject>;
}

/**
 * The files that count for a task: what turbo.json says of it, and of the same task of all that its package depends on, whether that has
 * such a script or is taken as it is. Undefined where no file says anything: then all of them count.
 */
function inputsOf(project: GraphProject, task: string, { configs, projects }: Graph): readonly FileSet[] | undefined {
  const shared = configs.root.globalDependencies ?? [];
  const sources = new Set([project]);
  for (const each of sources) for (const lower of each.dependencies.flatMap((name) => projects.get(name) ?? [])) sources.add(lower);
  const declared = [...sources].map((source) => ({ source, inputs: taskDefinition(configs, source.name, task)?.inputs }));
  if (shared.length === 0 && declared.every(({ inputs }) => inputs === undefined)) return undefined;
  const sets = declared.flatMap(({ source, inputs = [wholePackage] }) => fileSets(inputs, source));
  return shared.length === 0 ? sets : [...sets, { project: '', patterns: shared.map((glob) => joined('', glob)) }];
}

/** In `inputs`: all that would count without them. */
const wholePackage = '$TURBO_DEFAULT$';

/** Only exclusions take away from all that counts; globs that lead out of the package are of the whole workspace. */
function fileSets(globs: readonly string[], project: GraphProject): readonly FileSet[] {
  const wanted = globs.some((glob) => !glob.startsWith('!')) ? globs : [wholePackage, ...globs];
  const patterns = wanted.map((glob) => (glob === wholePackage ? joined('', `${project.root}/**`) : pathOf(glob, project)));
  const inside = patterns.filter((pattern) => pattern.replace(/^!/, '').startsWith(`${project.root}/`));
  const outside = patterns.filter((pattern) => !inside.includes(pattern));
  return [
    ...(inside.length === 0 ? [] : [{ project: project.name, patterns: inside }]),
    ...(outside.length === 0 ? [] : [{ project: '', patterns: outside }]),
  ];
}

/** `build`, `^build` and `package#build` as the graph writes them; a task's own name may hold a colon. */
function dependencyOf(wanted: string, { name }: GraphProject): readonly string[] {
  if (wanted.startsWith('^')) return [wanted];
  if (wanted.startsWith('$') || wanted.startsWith(`${rootPackage}#`)) return [];
  const hash = wanted.indexOf('#');
  return [hash < 0 ? `${name}:${wanted}` : `${wanted.slice(0, hash)}:${wanted.slice(hash + 1)}`];
}
