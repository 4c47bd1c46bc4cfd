import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { GraphFacts, GraphProject, GraphSource, GraphTarget } from '../graph';
import { succeeded, type Result } from '../model';
import { buildOutputs } from './buildOutputs';
import { dependencyNames, packageManagerOf, readPackages, scriptCommand, startsSlipway, type Package } from './packageManager';

/** The projects of a package manager's workspaces: its packages, and which of them each depends on. */
export function workspacesGraph(root: string): GraphSource {
  return {
    kind: 'workspaces',
    root,
    watch: ['package.json', 'pnpm-workspace.yaml'],
    read: () => Promise.resolve(workspacesFacts(root)),
    runTarget: (project, target) => scriptCommand(packageManagerOf(root), project, target),
  };
}

/** Packages, their edges, and the `build` scripts of those that have one. */
export function workspacesFacts(root: string): Result<GraphFacts> {
  const packages = readPackages(root);
  if (!packages.ok) return packages;
  const byName = new Map(packages.value.map((each) => [each.name, each]));
  return succeeded({ projects: packages.value.map((each) => projectOf(root, each, byName)), runsDependencies: false });
}

/** A package with its edges and no targets. */
export function withoutTargets({ name, root, json }: Package, names: Iterable<string>): GraphProject {
  const known = new Set(names);
  const dependencies = [...dependencyNames(json)].filter((other) => known.has(other) && other !== name).sort();
  return { name, root, dependencies, targets: new Map() };
}

function projectOf(root: string, each: Package, byName: ReadonlyMap<string, Package>): GraphProject {
  const project = withoutTargets(each, byName.keys());
  if (!hasBuild(each)) return project;
  const build: GraphTarget = {
    name: 'build',
    outputs: buildOutputs(each.json, namesIn(join(root, each.root))).map((folder) => `${each.root}/${folder}`),
    dependsOn: buildsBelow(each, byName),
    continuous: false,
  };
  return { ...project, targets: new Map([['build', build]]) };
}

function hasBuild({ json }: Package): boolean {
  const script = json.scripts?.['build'];
  return script !== undefined && !startsSlipway(script);
}

/**
 * The builds that must come first: those of the nearest packages below that have one, also across packages that have none. Of packages
 * that depend on one another none waits for the other: it would wait for ever.
 */
function buildsBelow(each: Package, byName: ReadonlyMap<string, Package>): readonly string[] {
  const nearest = packagesBelow(each, byName, (lower) => !hasBuild(lower));
  return nearest
    .filter((lower) => hasBuild(lower) && !packagesBelow(lower, byName).includes(each))
    .map(({ name }) => `${name}:build`)
    .sort();
}

/** The packages that one depends on, and those that they depend on as far as they are passed. */
function packagesBelow(
  each: Package,
  byName: ReadonlyMap<string, Package>,
  passes: (lower: Package) => boolean = () => true,
): readonly Package[] {
  const dependenciesOf = ({ json }: Package) => [...dependencyNames(json)].flatMap((name) => byName.get(name) ?? []);
  const below = new Set(dependenciesOf(each));
  for (const lower of below) if (passes(lower)) for (const lowest of dependenciesOf(lower)) below.add(lowest);
  return [...below];
}

function namesIn(folder: string): ReadonlySet<string> {
  try {
    return new Set(readdirSync(folder));
  } catch {
    return new Set();
  }
}
