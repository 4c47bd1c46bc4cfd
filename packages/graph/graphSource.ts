import type { Project, Result, WorkspacePath } from '../model';

/** A target of a project as its task runner declares it. */
export interface GraphTarget {
  readonly name: string;
  /** Paths or globs relative to the workspace, tokens such as `{projectRoot}` already replaced. */
  readonly outputs: readonly string[];
  readonly dependsOn: readonly string[];
  /** Runs until it is stopped. */
  readonly continuous: boolean;
}

export interface GraphProject extends Project {
  readonly targets: ReadonlyMap<string, GraphTarget>;
}

export interface GraphFacts {
  readonly projects: readonly GraphProject[];
  /** Whether a target's run runs those it depends on first, as a task runner does and a package manager does not. Default: it does. */
  readonly runsDependencies?: boolean;
  /** What the user should know of how the graph was made. */
  readonly notices?: readonly { readonly message: string; readonly hint?: string }[];
}

/** Where the project graph comes from: Nx, Turborepo, or a package manager's workspaces. */
export interface GraphSource {
  readonly kind: 'nx' | 'turbo' | 'workspaces';
  /** Absolute path of the workspace. */
  readonly root: string;
  read(): Promise<Result<GraphFacts>>;
  /** Files whose change may change the graph: exact paths, or a bare file name for one anywhere. */
  readonly watch: readonly WorkspacePath[];
  /** The command that runs one target of one project through the workspace's own runner and cache. */
  runTarget(project: string, target: string): { readonly command: string; readonly args: readonly string[] };
}
