import type { FileSet, GraphProject } from '../graph';

/** What says which files count: the `inputs` of targets as they stand in the graph, and the named ones of nx.json and of projects. */
export interface InputsRequest {
  /** As the target declares them; absent: as Nx takes it when there are none. */
  readonly declared: readonly unknown[] | undefined;
  readonly project: string;
  readonly projects: ReadonlyMap<string, Pick<GraphProject, 'root' | 'dependencies'>>;
  /** Those of nx.json with those of the project over them. */
  readonly namedInputs: (project: string) => Readonly<Record<string, readonly unknown[]>>;
}

/** What Nx itself takes when a target declares nothing, and where nobody says what `default` is. */
const undeclared = ['default', '^default'];
const wholeProject = ['{projectRoot}/**/*'];

/** Inputs that are no files. What they are made from shows when the target runs. */
const notFiles = ['env', 'runtime', 'externalDependencies', 'dependentTasksOutputFiles', 'workingDirectory'];

/**
 * The files that Nx counts as inputs of a target, in its own words (https://nx.dev/reference/inputs), or undefined when there is something
 * in them that is not known here: then everything that the target's project depends on counts.
 */
export function fileSetsOf(request: InputsRequest): readonly FileSet[] | undefined {
  const reading = new Reading(request);
  return reading.read(request.project, request.declared ?? undeclared) ? reading.fileSets() : undefined;
}

class Reading {
  private readonly patterns = new Map<string, Set<string>>();
  private readonly seen = new Set<string>();

  constructor(private readonly request: InputsRequest) {}

  fileSets(): readonly FileSet[] {
    return [...this.patterns].map(([project, patterns]) => ({ project, patterns: [...patterns].sort() }));
  }

  /** Whether everything in the list was understood. */
  read(project: string, inputs: readonly unknown[]): boolean {
    return inputs.every((input) => (typeof input === 'string' ? this.readText(project, input) : this.readObject(project, input)));
  }

  private readText(project: string, input: string): boolean {
    if (input.startsWith('^')) {
      const rest = input.slice(1);
      return this.below(project).every((name) => this.readText(name, rest));
    }
    if (/^!?\{(projectRoot|workspaceRoot)\}/.test(input)) return this.add(project, input);
    const key = `${project} ${input}`;
    if (this.seen.has(key)) return true;
    this.seen.add(key);
    const named = this.request.namedInputs(project)[input] ?? (input === 'default' ? wholeProject : undefined);
    return named !== undefined && this.read(project, named);
  }

  private readObject(project: string, input: unknown): boolean {
    if (typeof input !== 'object' || input === null) return false;
    const { fileset, input: name, projects, dependencies, json } = input as Readonly<Record<string, unknown>>;
    if (typeof fileset === 'string')
      return (dependencies === true ? this.readText(project, `^${fileset}`) : true) && this.readText(project, fileset);
    if (typeof json === 'string') return this.readText(project, json);
    if (typeof name === 'string') {
      if (dependencies === true || projects === 'dependencies') return this.readText(project, `^${name}`);
      if (projects === undefined || projects === 'self') return this.readText(project, name);
      const others = (typeof projects === 'string' ? [projects] : projects) as unknown;
      if (!Array.isArray(others)) return false;
      return others.every((other) => typeof other === 'string' && this.request.projects.has(other) && this.readText(other, name));
    }
    return notFiles.some((key) => key in input);
  }

  private add(project: string, fileset: string): boolean {
    const root = this.request.projects.get(project)?.root;
    if (root === undefined) return false;
    const exception = fileset.startsWith('!') ? '!' : '';
    const path = fileset
      .slice(exception.length)
      .replace(/^\{workspaceRoot\}\/?/, '')
      .replace(/^\{projectRoot\}\/?/, root === '' ? '' : `${root}/`);
    const owner = /^!?\{workspaceRoot\}/.test(fileset) ? '' : project;
    const known = this.patterns.get(owner);
    if (known) known.add(exception + path);
    else this.patterns.set(owner, new Set([exception + path]));
    return true;
  }

  /** All projects that one depends on, directly or not. */
  private below(project: string): readonly string[] {
    const found = new Set<string>();
    const visit = (name: string): void => {
      for (const lower of this.request.projects.get(name)?.dependencies ?? []) {
        if (lower === project || found.has(lower)) continue;
        found.add(lower);
        visit(lower);
      }
    };
    visit(project);
    return [...found];
  }
}
