import { realpathSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import type { ProjectGraph, ProjectGraphProjectNode, TargetConfiguration } from '@nx/devkit';
import type { GraphFacts, GraphProject, GraphSource, GraphTarget } from '../graph';
import { consoleAside } from './consoleAside';
import { devkitOf, firstFound, graphReadingOf, type Devkit, type GraphReading } from './devkit';
import { failed, messageOf, succeeded, type Result, type TargetId } from '../model';
import { importChanges } from './imports';
import { readNxJson, type NamedInputs } from './nxJson';
import { isOwnLine, outcomesIn } from './runnerOutput';
import { fileSetsOf } from './targetInputs';

interface LoadedNx {
  readonly devkit: Devkit;
  /** Makes the next graph see files that came since the last one. */
  readonly forgetFiles: () => void;
}

export interface NxGraphOptions {
  /** What Nx gave to the executor that it started. The first read uses it, which saves making it again. */
  readonly projectGraph?: ProjectGraph;
  /** What Nx has run before that executor. */
  readonly hasRun?: ReadonlySet<TargetId>;
  /**
   * This process ends soon. Without a daemon, Nx starts a process for each of its plugins, half a second of a processor each; such a process
   * loads them itself.
   */
  readonly isBrief?: boolean;
}

/**
 * The project graph of an Nx workspace, from the Nx that is installed there. A process that has read it before must run with its
 * working directory inside the workspace: Nx takes its root from there when it is loaded.
 */
export function nxGraph(root: string, { projectGraph, hasRun, isBrief = false }: NxGraphOptions = {}): GraphSource {
  let first = projectGraph;
  let reading: GraphReading | undefined;
  let loaded: LoadedNx | undefined;
  const importsChanged = importChanges(root);
  return {
    kind: 'nx',
    root,
    watch: ['project.json', 'package.json', 'nx.json', 'tsconfig.json', 'tsconfig.base.json', 'pnpm-workspace.yaml', '.nxignore'],
    importsChanged: async (paths) => readsImports(root) && (await importsChanged(paths)),
    async read() {
      // Whoever has decided it has decided it.
      if (isBrief) process.env['NX_ISOLATE_PLUGINS'] ??= 'false';
      reading ??= graphReadingOf(root);
      if (!reading) return nxNotFound(root);
      if (realpathSync(reading.workspaceRoot) !== realpathSync(root)) return otherRoot(root, reading.workspaceRoot);
      let graph = first;
      first = undefined;
      if (!graph) {
        const current = (loaded ??= loadNx(root));
        if (!current) return nxNotFound(root);
        const make = () => currentGraph(root, current);
        const made = await (isBrief ? consoleAside(make) : make());
        if (!made.ok) return made;
        graph = made.value;
      }
      return succeeded(graphFacts(graph, reading, namedInputsOf(root)));
    },
    ...(hasRun && { hasRun }),
    defaultBase: () => defaultBaseOf(root),
    runTarget: (project, target) => nxCommand(root, ['run', `${project}:${target}`]),
    runTargets: (projects, target) =>
      nxCommand(root, ['run-many', `--targets=${target}`, `--projects=${projects.join(',')}`, '--output-style=static']),
    outcomesIn,
    isOwnLine,
  };
}

interface JsPlugin {
  readonly jsPluginConfig?: (nxJson: object) => { readonly analyzeSourceFiles?: boolean };
}

/** Whether Nx looks for dependencies in source files too, which it does where a plugin of its own for JavaScript is installed, or nx.json says so. */
function readsImports(root: string): boolean {
  const plugin = firstFound(root, ['nx/src/plugins/js/utils/config'], (path) => createRequire(path)(path) as JsPlugin);
  const nxJson = readNxJson(root);
  if (!plugin?.jsPluginConfig || !nxJson) return false;
  try {
    return plugin.jsPluginConfig(nxJson).analyzeSourceFiles === true;
  } catch {
    // Nx has said what is wrong with it.
    return false;
  }
}

/** `defaultBase`, or where it was before Nx 20. A file that cannot be read is told of when the graph is. */
function defaultBaseOf(root: string): string | undefined {
  const { defaultBase, affected } = readNxJson(root) ?? {};
  return defaultBase ?? affected?.defaultBase;
}

/** The workspace's own nx, started through node and not by its link in .bin, which is a script of another kind on Windows. */
export function nxCommand(root: string, args: readonly string[]): { readonly command: string; readonly args: readonly string[] } {
  const bin = firstFound(root, ['nx/bin/nx.js', 'nx/bin/nx'], (path) => path) ?? join(root, 'node_modules/nx/bin/nx.js');
  return { command: process.execPath, args: [bin, ...args] };
}

function loadNx(root: string): LoadedNx | undefined {
  const devkit = devkitOf(root);
  if (!devkit) return undefined;
  // A spinner of Nx would be drawn over the lines of dev.
  const spinner = firstFound(root, ['nx/src/utils/spinner'], (path) => createRequire(path)(path) as { SHOULD_SHOW_SPINNERS?: boolean });
  if (spinner?.SHOULD_SHOW_SPINNERS === true) spinner.SHOULD_SHOW_SPINNERS = false;
  // Nx 22 keeps its list of files for the life of a process when no daemon runs; later ones look again by themselves.
  const files = firstFound(
    root,
    ['nx/src/utils/workspace-context'],
    (path) => createRequire(path)(path) as { readonly resetWorkspaceContext?: () => void },
  );
  return { devkit, forgetFiles: () => files?.resetWorkspaceContext?.() };
}

async function currentGraph(root: string, { devkit, forgetFiles }: LoadedNx): Promise<Result<ProjectGraph>> {
  try {
    if (!devkit.isDaemonEnabled()) forgetFiles();
    return succeeded(await devkit.createProjectGraphAsync({ exitOnError: false, resetDaemonClient: true }));
  } catch (error) {
    const lines = reasonsOf(error).map((line) => line.replaceAll(`${root}/`, ''));
    // The line with a place says more than the sentence above it.
    const placed = lines.map((line) => / in (\S+) at (\d+):(\d+)$/.exec(line)).find((match) => match !== null);
    const [, file, line, column] = placed ?? [];
    const summary = (placed?.input ?? lines[0] ?? '').trim();
    const rest = lines.filter((each) => each.trim() !== summary);
    return failed({
      code: 'projectGraphFailed',
      message: `Nx cannot make the project graph: ${summary.replace(/[.:]$/, '')}`,
      hint:
        file === undefined ? 'run `npx nx report` or `npx nx graph` to see what Nx says, and correct the file it names' : `correct ${file}`,
      retry: 'whenInputChanges',
      exitCode: 2,
      ...(file !== undefined && { location: { file, line: Number(line), column: Number(column) } }),
      ...(rest.length > 0 ? { detail: rest.join('\n') } : {}),
    });
  }
}

/** Nx sums up several errors in one; the single ones say what to correct. Those of its plugins come from other processes, as plain objects. */
function reasonsOf(error: unknown): readonly string[] {
  const single =
    error instanceof Error && 'getErrors' in error && typeof error.getErrors === 'function'
      ? (error.getErrors as () => unknown)()
      : undefined;
  const messages = Array.isArray(single) && single.length > 0 ? single.map(textOf) : [messageOf(error)];
  return messages.flatMap((message) => message.split('\n')).filter((line) => line.trim() !== '');
}

function textOf(error: unknown): string {
  if (typeof error === 'object' && error !== null && 'message' in error && typeof error.message === 'string') return error.message;
  return messageOf(error);
}

/** The named inputs of nx.json. Undefined: not known. */
function namedInputsOf(root: string): NamedInputs | undefined {
  const json = readNxJson(root);
  return json && (json.namedInputs ?? {});
}

/**
 * The graph without packages from outside the workspace.
 * @param shared the named inputs of nx.json; without them nobody knows which files count for a target.
 */
export function graphFacts(
  graph: ProjectGraph,
  devkit: Pick<Devkit, 'getOutputsForTargetAndConfiguration'>,
  shared?: NamedInputs,
): GraphFacts {
  const nodes = Object.values(graph.nodes);
  const projects = new Map(
    nodes.map((node) => [
      node.name,
      { root: node.data.root === '.' ? '' : node.data.root, dependencies: dependenciesOf(graph, node.name) },
    ]),
  );
  const inputsOf = (project: string, { inputs }: TargetConfiguration) =>
    shared &&
    fileSetsOf({ declared: inputs, project, projects, namedInputs: (name) => ({ ...shared, ...graph.nodes[name]?.data.namedInputs }) });
  const facts = nodes.map((node): GraphProject => {
    const targets = Object.entries(node.data.targets ?? {}).map(([name, target]) => {
      let inputs: { readonly known: ReturnType<typeof inputsOf> } | undefined;
      const facts = {
        ...graphTarget(node, name, target, devkit),
        // Of the few targets whose outputs images take they are asked for.
        get inputs() {
          inputs ??= { known: inputsOf(node.name, target) };
          return inputs.known;
        },
      };
      return [name, facts] as const;
    });
    const { root, dependencies } = projects.get(node.name) ?? { root: '', dependencies: [] };
    const { tags } = node.data;
    return { name: node.name, root, dependencies, targets: new Map(targets), ...(tags && tags.length > 0 && { tags }) };
  });
  // In the order of their code units: the collator of a language takes longer to load than all the rest of this.
  return { projects: facts.sort((a, b) => (a.name < b.name ? -1 : 1)) };
}

function dependenciesOf(graph: ProjectGraph, project: string): readonly string[] {
  const names = (graph.dependencies[project] ?? []).map((edge) => edge.target);
  return [...new Set(names.filter((name) => name in graph.nodes && name !== project))].sort();
}

function graphTarget(
  node: ProjectGraphProjectNode,
  name: string,
  target: TargetConfiguration,
  devkit: Pick<Devkit, 'getOutputsForTargetAndConfiguration'>,
): GraphTarget {
  return {
    name,
    // No image takes what Slipway's own targets write, and there are several in each project.
    outputs: target.executor?.startsWith('nx-slipway:') ? [] : outputsOf(node, name, devkit),
    dependsOn: (target.dependsOn ?? []).flatMap(dependencyNames),
    continuous: target.continuous ?? false,
  };
}

/** With the tokens replaced, and the conventional folders for a `build` that declares none. */
function outputsOf(
  node: ProjectGraphProjectNode,
  target: string,
  devkit: Pick<Devkit, 'getOutputsForTargetAndConfiguration'>,
): readonly string[] {
  try {
    return devkit.getOutputsForTargetAndConfiguration({ project: node.name, target }, {}, node);
  } catch {
    // Nx refuses outputs outside of the workspace and project; running that target tells so.
    return [];
  }
}

/** `build`, `^build` or `project:build`, the short forms of Nx itself. */
function dependencyNames(dependency: NonNullable<TargetConfiguration['dependsOn']>[number]): readonly string[] {
  if (typeof dependency === 'string') return [dependency];
  if (dependency.dependencies) return [`^${dependency.target}`];
  if (dependency.projects === undefined) return [dependency.target];
  const projects = typeof dependency.projects === 'string' ? [dependency.projects] : dependency.projects;
  return projects.map((project) => `${project}:${dependency.target}`);
}

function nxNotFound(root: string): Result<never> {
  return failed({
    code: 'nxNotFound',
    message: `Nx is not installed in ${root}, though it has an nx.json`,
    hint: 'install the packages of the workspace (`npm install`, or what its package manager calls that)',
    retry: 'whenInputChanges',
    exitCode: 2,
  });
}

function otherRoot(root: string, seen: string): Result<never> {
  return failed({
    code: 'otherWorkspace',
    message: `Nx was loaded for the workspace ${seen}, and ${root} was asked for`,
    hint: `run the command inside ${root}`,
    retry: 'never',
    exitCode: 2,
  });
}
