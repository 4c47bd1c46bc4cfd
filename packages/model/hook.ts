import type { Location } from './problem';
import type { WorkspacePath } from './tree';

export type HookStage = 'render' | 'build' | 'sync' | 'deploy';
export type HookSystem = 'linux' | 'darwin' | 'windows';

/** A command of the workspace that is run before or after a stage of one project. */
export interface Hook {
  readonly stage: HookStage;
  readonly when: 'before' | 'after';
  /** For a shell when it is a text. */
  readonly run: string | readonly string[];
  readonly where: HookPlace;
  /** Of sync: whether a changed file of the workspace asks for it. Absent: every one does. */
  readonly accepts?: (path: WorkspacePath) => boolean;
  readonly timeoutMs: number;
  /** Where the config has it. */
  readonly location?: Location;
}

export type HookPlace =
  | {
      readonly kind: 'host';
      /** Only there; absent: everywhere. */
      readonly os?: readonly HookSystem[];
      readonly folder: WorkspacePath;
      readonly env: Readonly<Record<string, string>>;
    }
  /** Every running one of that name, in the pods of the release, or in those that the selector names. */
  | {
      readonly kind: 'container';
      readonly container: string;
      readonly selector?: string;
      /** Of a command for a shell. */
      readonly env?: Readonly<Record<string, string>>;
    };

/** The hooks of one moment, in their order. */
export function hooksAt(hooks: readonly Hook[] | undefined, when: Hook['when'], stage: HookStage): readonly Hook[] {
  return (hooks ?? []).filter((hook) => hook.when === when && hook.stage === stage);
}
