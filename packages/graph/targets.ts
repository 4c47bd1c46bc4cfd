import picomatch from 'picomatch';
import { acceptsDefinedBy, below } from '../dockerfile';
import type { Artifact, Project, Target, TargetId, WorkspacePath } from '../model';
import type { GraphFacts, GraphProject, GraphTarget } from './graphSource';
import type { Output } from './outputs';
import type { WorkspaceFiles } from './workspaceFiles';

export interface TargetsRequest {
  readonly graph: GraphFacts;
  readonly outputs: readonly Output[];
  readonly artifacts: readonly Artifact[];
  readonly files: WorkspaceFiles;
  /** Files of a project that say how it is deployed, not what it is made of. */
  readonly deployFilesOf: (project: string) => readonly WorkspacePath[];
  /** Whether targets that run until they are stopped may make what images take, instead of those that end. */
  readonly watching: boolean;
}

/** Files at the root that may change what any target makes. */
const sharedFiles = ['package.json', 'package-lock.json', 'pnpm-lock.yaml', 'yarn.lock', 'bun.lock', 'tsconfig.json', 'tsconfig.base.json'];

/** Directories that no target is made from. */
const generated: ReadonlySet<string> = new Set(['node_modules', '.git', '.nx', '.turbo', '.slipway']);

/** The targets whose outputs images take, and which artifact takes which. */
export function targetsOf(request: TargetsRequest): {
  readonly targets: readonly Target[];
  readonly byArtifact: ReadonlyMap<string, readonly TargetId[]>;
} {
  const used = new Map<TargetId, Output>();
  const byArtifact = new Map<string, readonly TargetId[]>();
  const candidates = candidatesOf(request);
  for (const artifact of request.artifacts) {
    const taken = candidates.filter((output) => takes(artifact, output.path, request.files));
    for (const output of taken) used.set(idOf(output), output);
    byArtifact.set(artifact.name, [...new Set(taken.map(idOf))]);
  }
  addDependencies(used, request);
  const targets = [...used].map(([id, output]) => targetOf(id, output, { ...request, used }));
  return { targets, byArtifact };
}

/** A target that watches makes the same files as the one of its project that ends; both would write over each other. */
function candidatesOf({ outputs, watching }: TargetsRequest): readonly Output[] {
  const ending = outputs.filter(({ target }) => !target.continuous);
  if (!watching) return ending;
  const continuous = new Map<WorkspacePath, Output>();
  for (const output of outputs) if (output.target.continuous && !continuous.has(output.path)) continuous.set(output.path, output);
  const overlap = (a: WorkspacePath, b: WorkspacePath) => below(a, b) !== undefined || below(b, a) !== undefined;
  const left = ending.filter(
    ({ project, path }) => ![...continuous.values()].some((other) => other.project.name === project.name && overlap(other.path, path)),
  );
  return [...continuous.values(), ...left];
}

/**
 * Where a target's run does not run those below it, they are run like it, each when its own inputs change. A runner does it only once for
 * one that goes on, so then too; those that it starts beside it and goes on with are left to it.
 */
function addDependencies(used: Map<TargetId, Output>, { graph, outputs }: TargetsRequest): void {
  const byId = new Map(outputs.filter(({ target }) => !target.continuous).map((output) => [idOf(output), output]));
  const projects = new Map(graph.projects.map((project) => [project.name, project]));
  for (const { project, target } of used.values()) {
    if (graph.runsDependencies !== false && !target.continuous) continue;
    for (const id of target.dependsOn.flatMap((wanted) => dependencyIds(wanted, project, projects))) {
      const output = byId.get(id);
      const sameFiles = target.continuous && output?.project.name === project.name;
      if (output && !sameFiles && !used.has(id)) used.set(id, output);
    }
  }
}

function idOf({ project, target }: { readonly project: GraphProject; readonly target: GraphTarget }): TargetId {
  return `${project.name}:${target.name}`;
}

/** Whether an output goes into an image: what is taken lies in it, or it lies in what is taken and is there. */
function takes(artifact: Artifact, output: WorkspacePath, files: WorkspaceFiles): boolean {
  return artifact.inputs.some((input) => {
    if (below(output, input.path) !== undefined) return true;
    if (below(input.path, output) === undefined) return false;
    const kind = files.kindOf(output);
    return kind !== undefined && isReached(input, output, kind === 'dir' ? 'dir' : 'file');
  });
}

/** A path counts only when each directory on the way to it does too. */
function isReached(input: Artifact['inputs'][number], path: WorkspacePath, kind: 'file' | 'dir'): boolean {
  const { accepts } = input;
  if (!accepts) return true;
  for (let at = path.lastIndexOf('/'); at > input.path.length; at = path.lastIndexOf('/', at - 1)) {
    if (!accepts(path.slice(0, at), 'dir')) return false;
  }
  return accepts(path, kind);
}

function targetOf(
  id: TargetId,
  { project, target }: Output,
  request: TargetsRequest & { readonly used: ReadonlyMap<TargetId, Output> },
): Target {
  const { graph, files, outputs, used } = request;
  const projects = new Map(graph.projects.map((each) => [each.name, each]));
  const read = filesReadBy({ project, target }, projects);
  const isWhole = (root: WorkspacePath) => read.whole.some((source) => source.root === root);
  const shared = sharedFiles.filter((path) => files.kindOf(path) === 'file' && !isWhole(''));
  const ownOutputs = outputs.filter((output) => output.project.name === project.name && output.target.name === target.name);
  const sources = [...new Set([...read.whole, ...read.parts.keys()])];
  return {
    id,
    project: project.name,
    inputs: [
      ...sources.map((source) =>
        sourcesOf(source, { ...request, sources, patterns: isWhole(source.root) ? undefined : read.parts.get(source) }),
      ),
      ...[...read.anywhere].sort().flatMap((pattern) => anywhereIn(pattern, request)),
      ...shared.map((path) => ({ path })),
    ],
    outputs: [...new Set(ownOutputs.map((output) => output.path))],
    dependsOn: target.dependsOn
      .flatMap((wanted) => dependencyIds(wanted, project, projects))
      .filter((other) => other !== id && used.has(other)),
    runsDependencies: graph.runsDependencies ?? true,
    ...(target.continuous && { continuous: true as const }),
  };
}

interface Task {
  readonly project: GraphProject;
  readonly target: GraphTarget;
}

interface FilesRead {
  /** Projects of which everything counts. */
  readonly whole: readonly GraphProject[];
  /** Projects of which what some pattern list takes counts. */
  readonly parts: ReadonlyMap<GraphProject, readonly (readonly string[])[]>;
  /** Pattern lists over the whole workspace, as JSON. */
  readonly anywhere: ReadonlySet<string>;
}

/** What a target reads, and what those read that are run before it: their outputs may be among what it reads. */
function filesReadBy(first: Task, projects: ReadonlyMap<string, GraphProject>): FilesRead {
  const whole = new Set<GraphProject>();
  const parts = new Map<GraphProject, (readonly string[])[]>([[first.project, []]]);
  const anywhere = new Set<string>();
  for (const { project, target } of tasksOf(first, projects)) {
    if (!target.inputs) for (const source of closureOf(project, projects)) whole.add(source);
    for (const { project: name, patterns } of target.inputs ?? []) {
      const source = projects.get(name);
      if (!source) anywhere.add(JSON.stringify(patterns));
      else parts.set(source, [...(parts.get(source) ?? []), patterns]);
    }
  }
  return { whole: [...whole], parts, anywhere };
}

/** A task and all that the runner runs before it. */
function tasksOf(first: Task, projects: ReadonlyMap<string, GraphProject>): readonly Task[] {
  const tasks = new Map([[idOf(first), first]]);
  for (const { project, target } of tasks.values()) {
    for (const id of target.dependsOn.flatMap((wanted) => dependencyIds(wanted, project, projects))) {
      const task = tasks.has(id) ? undefined : taskNamed(id, projects);
      if (task) tasks.set(id, task);
    }
  }
  return [...tasks.values()];
}

function taskNamed(id: TargetId, projects: ReadonlyMap<string, GraphProject>): Task | undefined {
  const at = id.indexOf(':');
  const project = projects.get(id.slice(0, at));
  const target = project?.targets.get(id.slice(at + 1));
  return project && target && { project, target };
}

/** A project and all that it depends on, itself first. */
function closureOf(project: GraphProject, projects: ReadonlyMap<string, GraphProject>): readonly GraphProject[] {
  const closure = new Set([project]);
  for (const each of closure) {
    for (const name of each.dependencies) {
      const dependency = projects.get(name);
      if (dependency) closure.add(dependency);
    }
  }
  return [...closure];
}

interface Sources extends TargetsRequest {
  readonly sources: readonly GraphProject[];
  /** Undefined: everything counts. */
  readonly patterns: readonly (readonly string[])[] | undefined;
}

/** Files that say what a project is: they count whatever a target's inputs are. */
const projectFiles: ReadonlySet<string> = new Set(['package.json', 'project.json']);

function sourcesOf(project: Project, { graph, outputs, deployFilesOf, sources, patterns }: Sources): Target['inputs'][number] {
  const inside = (path: WorkspacePath) => below(project.root, path) !== undefined;
  const nested = graph.projects
    .filter((other) => other.root !== project.root && inside(other.root) && !sources.some(({ name }) => name === other.name))
    .map((other) => other.root);
  const excluded = [...new Set([...outputs.map((output) => output.path), ...deployFilesOf(project.name), ...nested])].filter(inside).sort();
  const counts = patterns && matcherOf(patterns);
  const accepts = acceptsDefinedBy(JSON.stringify(['sources', project.root, excluded, patterns]), (path, kind) => {
    const rest = below(project.root, path);
    if (rest === undefined || rest.split('/').some((name) => generated.has(name))) return false;
    if (excluded.some((other) => below(other, path) !== undefined)) return false;
    // What is in a directory may count, whatever its name.
    return counts === undefined || kind === 'dir' || projectFiles.has(rest) || counts(path);
  });
  return { path: project.root, accepts };
}

/** Files of one list of patterns over the whole workspace. */
function anywhereIn(json: string, { outputs }: TargetsRequest): Target['inputs'] {
  const patterns = JSON.parse(json) as readonly string[];
  const counts = matcherOf([patterns]);
  const excluded = outputs.map((output) => output.path).sort();
  const folders = new Set(patterns.filter((pattern) => !pattern.startsWith('!')).map((pattern) => picomatch.scan(pattern).base));
  return [...folders].map((path) => ({
    path,
    accepts: acceptsDefinedBy(JSON.stringify(['anywhere', path, patterns, excluded]), (at, kind) => {
      if (at.split('/').some((name) => generated.has(name)) || excluded.some((other) => below(other, at) !== undefined)) return false;
      return kind === 'dir' || counts(at);
    }),
  }));
}

/** Whether one of several lists takes a path. A list takes what a pattern of it matches and none with `!` does. */
function matcherOf(lists: readonly (readonly string[])[]): (path: WorkspacePath) => boolean {
  const matchers = lists.map((patterns) => {
    const wanted = patterns.filter((pattern) => !pattern.startsWith('!'));
    const unwanted = patterns.filter((pattern) => pattern.startsWith('!')).map((pattern) => pattern.slice(1));
    // A directory's name stands for all in it.
    const takes = wanted.length === 0 ? () => true : picomatch([...wanted, ...wanted.map((pattern) => `${pattern}/**`)], { dot: true });
    const leavesOut = unwanted.length === 0 ? () => false : picomatch(unwanted, { dot: true });
    return (path: WorkspacePath) => takes(path) && !leavesOut(path);
  });
  return (path) => matchers.some((matches) => matches(path));
}

/** `build`, `^build` and `lib:build` as Nx writes them. A dependency without the target is passed on to those below it. */
function dependencyIds(wanted: string, project: GraphProject, projects: ReadonlyMap<string, GraphProject>): TargetId[] {
  if (!wanted.startsWith('^')) return [wanted.includes(':') ? wanted : `${project.name}:${wanted}`];
  const name = wanted.slice(1);
  const found = new Set<TargetId>();
  const seen = new Set([project.name]);
  const visit = (each: GraphProject): void => {
    for (const lower of each.dependencies) {
      const dependency = projects.get(lower);
      if (!dependency || seen.has(lower)) continue;
      seen.add(lower);
      if (dependency.targets.has(name)) found.add(`${lower}:${name}`);
      else visit(dependency);
    }
  };
  visit(project);
  return [...found];
}
