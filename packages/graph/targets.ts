import { acceptsDefinedBy, below } from '../dockerfile';
import type { Artifact, Project, Target, TargetId, WorkspacePath } from '../model';
import type { GraphFacts, GraphProject } from './graphSource';
import type { Output } from './outputs';
import type { WorkspaceFiles } from './workspaceFiles';

export interface TargetsRequest {
  readonly graph: GraphFacts;
  readonly outputs: readonly Output[];
  readonly artifacts: readonly Artifact[];
  readonly files: WorkspaceFiles;
  /** Files of a project that say how it is deployed, not what it is made of. */
  readonly deployFiles: ReadonlyMap<string, readonly WorkspacePath[]>;
}

/** Files at the root that may change what any target makes. */
const sharedFiles = ['package.json', 'package-lock.json', 'pnpm-lock.yaml', 'yarn.lock', 'bun.lock', 'tsconfig.json', 'tsconfig.base.json'];

/** Directories that no target is made from. */
const generated: ReadonlySet<string> = new Set(['node_modules', '.git', '.nx', '.turbo', '.slipway']);

/** The targets whose outputs images take, and which artifact takes which. Targets that run until they are stopped are left to whoever runs them. */
export function targetsOf(request: TargetsRequest): {
  readonly targets: readonly Target[];
  readonly byArtifact: ReadonlyMap<string, readonly TargetId[]>;
} {
  const used = new Map<TargetId, Output>();
  const byArtifact = new Map<string, readonly TargetId[]>();
  const candidates = request.outputs.filter((output) => !output.target.continuous);
  for (const artifact of request.artifacts) {
    const taken = candidates.filter((output) => takes(artifact, output.path, request.files));
    for (const output of taken) used.set(idOf(output), output);
    byArtifact.set(artifact.name, [...new Set(taken.map(idOf))]);
  }
  if (request.graph.runsDependencies === false) addDependencies(used, candidates);
  const targets = [...used].map(([id, output]) => targetOf(id, output, { ...request, used }));
  return { targets, byArtifact };
}

/** Where a target's run does not run those below it, they are run like it, each when its own inputs change. */
function addDependencies(used: Map<TargetId, Output>, candidates: readonly Output[]): void {
  const byId = new Map(candidates.map((output) => [idOf(output), output]));
  for (const { project, target } of used.values()) {
    for (const id of target.dependsOn.flatMap((wanted) => dependencyIds(wanted, project))) {
      const output = byId.get(id);
      if (output && !used.has(id)) used.set(id, output);
    }
  }
}

function idOf({ project, target }: Output): TargetId {
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
  const sources = closureOf(project, projects);
  const shared = sharedFiles.filter((path) => files.kindOf(path) === 'file' && !sources.some((source) => source.root === ''));
  const ownOutputs = outputs.filter((output) => output.project.name === project.name && output.target.name === target.name);
  return {
    id,
    project: project.name,
    inputs: [...sources.map((source) => sourcesOf(source, { ...request, sources })), ...shared.map((path) => ({ path }))],
    outputs: [...new Set(ownOutputs.map((output) => output.path))],
    dependsOn: target.dependsOn.flatMap((wanted) => dependencyIds(wanted, project)).filter((other) => other !== id && used.has(other)),
  };
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

function sourcesOf(
  project: Project,
  { graph, outputs, deployFiles, sources }: TargetsRequest & { readonly sources: readonly GraphProject[] },
): Target['inputs'][number] {
  const inside = (path: WorkspacePath) => below(project.root, path) !== undefined;
  const nested = graph.projects
    .filter((other) => other.root !== project.root && inside(other.root) && !sources.includes(other))
    .map((other) => other.root);
  const excluded = [...new Set([...outputs.map((output) => output.path), ...(deployFiles.get(project.name) ?? []), ...nested])]
    .filter(inside)
    .sort();
  const accepts = acceptsDefinedBy(JSON.stringify(['sources', project.root, excluded]), (path) => {
    const rest = below(project.root, path);
    if (rest === undefined || rest.split('/').some((name) => generated.has(name))) return false;
    return !excluded.some((other) => below(other, path) !== undefined);
  });
  return { path: project.root, accepts };
}

/** `build`, `^build` and `lib:build` as Nx writes them. */
function dependencyIds(wanted: string, project: GraphProject): TargetId[] {
  if (wanted.startsWith('^')) return project.dependencies.map((name) => `${name}:${wanted.slice(1)}`);
  return [wanted.includes(':') ? wanted : `${project.name}:${wanted}`];
}
