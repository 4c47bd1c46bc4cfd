import type { Project, Result, TargetId, WorkspacePath } from '../model';

/** Files that count as inputs: those of a project, or (with an empty name) any of the workspace, that one of the patterns takes and none with `!` leaves out. */
export interface FileSet {
  readonly project: string;
  /** Globs relative to the workspace. */
  readonly patterns: readonly string[];
}

/** A target of a project as its task runner declares it. */
export interface GraphTarget {
  readonly name: string;
  /** Paths or globs relative to the workspace, tokens such as `{projectRoot}` already replaced. */
  readonly outputs: readonly string[];
  readonly dependsOn: readonly string[];
  /** The files that the runner says count. Absent: not known, so everything that its project depends on does. */
  readonly inputs?: readonly FileSet[] | undefined;
  /** Runs until it is stopped. */
  readonly continuous: boolean;
}

export interface GraphProject extends Project {
  readonly targets: ReadonlyMap<string, GraphTarget>;
  /** What the graph's tool groups projects by. */
  readonly tags?: readonly string[];
}

export interface GraphFacts {
  readonly projects: readonly GraphProject[];
  /** Whether a target's run runs those it depends on first, as a task runner does and a package manager does not. Default: it does. */
  readonly runsDependencies?: boolean;
  /** What the user should know of how the graph was made. */
  readonly notices?: readonly { readonly message: string; readonly hint?: string }[];
}

export interface RunnerCommand {
  readonly command: string;
  readonly args: readonly string[];
}

export type TargetEnd = { readonly ok: true } | { readonly ok: false; readonly lines: readonly string[] };

/** Where the project graph comes from: Nx, Turborepo, or a package manager's workspaces. */
export interface GraphSource {
  readonly kind: 'nx' | 'turbo' | 'workspaces';
  /** Absolute path of the workspace. */
  readonly root: string;
  read(): Promise<Result<GraphFacts>>;
  /** Files whose change may change the graph: exact paths, or a bare file name for one anywhere. */
  readonly watch: readonly WorkspacePath[];
  /**
   * Whether source files that were saved name other modules than they did, by which the graph may be another one. Absent: the graph is
   * made of what `watch` names alone.
   */
  readonly importsChanged?: (paths: readonly WorkspacePath[]) => Promise<boolean>;
  /**
   * Targets that the runner has run before it started this process, because what it runs depends on them. They are taken for fresh, and
   * run again only when one of their files changes.
   */
  readonly hasRun?: ReadonlySet<TargetId>;
  /** What the workspace's own configuration calls the branch that changes are compared with. */
  readonly defaultBase?: () => string | undefined;
  /** The command that runs one target of one project through the workspace's own runner and cache. */
  runTarget(project: string, target: string): RunnerCommand;
  /** The same for one target of several projects in one process: what they share is run once. Absent where the runner cannot. */
  runTargets?(projects: readonly string[], target: string): RunnerCommand;
  /** Of what such a process printed, which targets ended how and with which lines. What is not told is left out. */
  readonly outcomesIn?: (lines: readonly string[]) => ReadonlyMap<TargetId, TargetEnd>;
  /** Whether a line is one of the runner about itself, and not of the tool that it ran. */
  readonly isOwnLine?: (line: string) => boolean;
}
