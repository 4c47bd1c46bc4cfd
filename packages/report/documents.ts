import type { Action, ArtifactName } from '../model';

// What each command has to say: printed as it is by `--json`, and in sentences by documentLines.

export interface BuildDocument {
  /** Nothing was done: `built` and `delivered` say what would be, and a tag may be another when it is. */
  readonly dryRun?: boolean;
  /** The projects that what changed reaches, and why; when that was asked for. */
  readonly affected?: readonly { readonly project: string; readonly because: readonly string[] }[];
  readonly images: readonly {
    readonly project: string;
    /** As the project, or of several images of one PROJECT/NAME. */
    readonly artifact: ArtifactName;
    readonly image: string;
    readonly tag: string;
    readonly digest: string;
    readonly ref: string;
    /** A hash of all that it was made from: `deploy --build-artifacts` tells by it what it deploys. Absent when the image was given, and in a dry run. */
    readonly inputs?: string;
    /** As `delivered` null in a dry run while nobody can tell. */
    readonly built: boolean | null;
    readonly delivered: boolean | null;
    readonly because: string;
    /** Targets that have to run before anybody can tell whether the image would be built; then `tag` and `ref` may be others. Absent: it is known. */
    readonly notKnownUntil?: readonly string[];
  }[];
}

export interface DeployDocument extends BuildDocument {
  readonly releases: readonly {
    readonly release: string;
    readonly namespace: string;
    readonly state: 'ready' | 'failed';
    readonly objects: readonly string[];
  }[];
}

export interface DeleteDocument {
  readonly releases: readonly { readonly release: string; readonly objects: readonly string[] }[];
}

export interface PruneDocument {
  readonly dryRun: boolean;
  /** What has no project any more. */
  readonly releases: readonly {
    readonly release: string;
    readonly namespaces: readonly string[];
    readonly objects: readonly string[];
    readonly removed: boolean;
  }[];
  /** Images of the workspace that nothing uses any more; when they were asked for. */
  readonly images?: readonly { readonly where: 'engine' | 'registry'; readonly ref: string; readonly removed: boolean }[];
}

export interface LogsDocument {
  readonly containers: number;
  readonly lines: number;
}

export interface RenderDocument {
  /** Objects in the order in which they are applied. */
  readonly releases: readonly { readonly release: string; readonly namespace: string; readonly objects: readonly object[] }[];
  readonly images: readonly {
    readonly project: string;
    readonly artifact: ArtifactName;
    readonly image: string;
    readonly tag: string;
    /** Undefined when it was not found, or not looked for. */
    readonly digest: string | undefined;
    readonly ref: string;
    readonly because: string;
  }[];
  /** The same objects as YAML. */
  readonly text: string;
  /** Where it was written to. */
  readonly file?: string;
}

export interface SyncDocument {
  readonly containers: readonly {
    readonly artifact: ArtifactName;
    readonly pod: string;
    readonly container: string;
    /** By what its agent wrote there; undefined when that was not asked. */
    readonly inSync: boolean | undefined;
    /** What is really there and should not be so; only when it was looked at. */
    readonly differences?: readonly { readonly path: string; readonly is: 'missing' | 'different' | 'left over' | 'unknown' }[];
  }[];
  /** Files that were copied, each container counted. */
  readonly files: number;
  readonly removed: number;
}

/** A sync that runs somewhere on this machine, as it says itself. */
export interface SyncSession {
  /** What `sync --stop` takes: the projects, or the selector; with a number where there are several. */
  readonly name: string;
  readonly pid: number;
  readonly context: string;
  readonly namespace: string;
  /** The workspace, or the folder that is brought. */
  readonly folder: string;
  /** Where a folder goes; of projects their images say it. */
  readonly remotePath?: string;
  /** Milliseconds since 1970. */
  readonly since: number;
  readonly containers: readonly { readonly pod: string; readonly container: string; readonly inSync: boolean | undefined }[];
  readonly files: number;
  readonly removed: number;
  /** What keeps it from having all in step, one sentence each. */
  readonly problems: readonly string[];
}

export interface StopDocument {
  readonly stopped: readonly SyncSession[];
}

export interface StatusDocument {
  readonly containers: readonly {
    readonly artifact: ArtifactName;
    readonly pod: string;
    readonly container: string;
    readonly agent: string | undefined;
    readonly files: number;
    readonly treeHash: string | undefined;
    readonly inSync: boolean | undefined;
    readonly running: boolean;
    readonly restarts: number;
  }[];
  readonly releases: readonly {
    readonly release: string;
    readonly namespace: string;
    readonly state: 'absent' | 'progressing' | 'ready' | 'failed';
    readonly message: string;
    readonly current: boolean;
  }[];
  /** All of this user, of this workspace or not. */
  readonly sessions: readonly SyncSession[];
}

export interface InputsDocument {
  readonly project: string;
  readonly artifact: ArtifactName;
  readonly image: string;
  readonly dockerfile: string;
  /** The stage that `dev` builds. Absent: the last one. */
  readonly target?: string;
  readonly context: string;
  readonly contextBytes: number;
  readonly files: readonly {
    readonly path: string;
    readonly containerPaths: readonly string[];
    readonly onChange: 'sync' | 'rebuild';
    readonly because: string;
  }[];
}

/** A setting that holds. */
export interface Setting {
  /** As in slipway.yaml: `image.docker.target`. */
  readonly key: string;
  readonly value: unknown;
  /** Where it stands, or what else says it; absent where nothing does, and Slipway decides. */
  readonly from?: string;
  /** Why it was decided so. */
  readonly because?: string;
}

export interface ConfigDocument {
  readonly workspace: readonly Setting[];
  readonly projects: readonly {
    readonly project: string;
    readonly root: string;
    /** Those that are active. */
    readonly profiles: readonly string[];
    readonly settings: readonly Setting[];
  }[];
}

export interface ExplainDocument {
  readonly files: readonly {
    readonly path: string;
    readonly projects: readonly string[];
    /** Nothing is known to take it, but not all could be read: a mistake is among the problems. */
    readonly isUncertain?: true;
    /** No such file is there now: it is told what one would do. */
    readonly missing?: true;
    /** It says what is built and deployed, and how: what an edit changes is known when it is read anew, beside what is done because artifacts take the file. */
    readonly isConfig?: boolean;
    readonly artifacts: readonly {
      readonly name: ArtifactName;
      readonly action: Action;
      readonly containerPaths: readonly string[];
      readonly because: string;
    }[];
  }[];
}

export interface DoctorDocument {
  readonly checks: readonly { readonly name: string; readonly ok: boolean; readonly message: string; readonly hint?: string }[];
}

export interface InitDocument {
  readonly kind: 'nx' | 'turbo' | 'workspaces';
  /** Absolute path of the workspace. */
  readonly root: string;
  /** Nothing was written. */
  readonly dryRun: boolean;
  /** Files that were written, or would be; in Nx its generator tells them. */
  readonly changes: readonly { readonly path: string; readonly created: boolean; readonly because: readonly string[] }[];
  /** What is left to the user. */
  readonly notes: readonly string[];
  /** What was found, project by project, and the command to go on with. */
  readonly survey: readonly string[];
}
