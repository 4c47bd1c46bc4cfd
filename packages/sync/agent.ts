import type { SyncChange, ContainerPath, Entry, NotWritten, Result, SyncTiming } from '../model';
import type { LedgerEntry } from './ledger';
import type { ReadSource } from './sourceReader';

export type AgentName = 'node' | 'sh';

/** What runs in a container and does there what it is told, over one long stream. */
export interface Agent {
  readonly name: AgentName;
  readonly hello: {
    /** The number of the user it runs as; '' when it cannot be told. */
    readonly user: string;
    /** What it, or one before it, has done in this very container. */
    readonly ledger: readonly LedgerEntry[];
    /** Below directories of which the ledger says that nobody knows what they hold: what was brought there, and may still be. */
    readonly perhaps: readonly ContainerPath[];
    /** Where that is kept; undefined where nothing could be written: then a lost stream leaves nobody who knows. */
    readonly ledgerFile: string | undefined;
  };
  /**
   * Brings changes into the container, in the order in which they are asked for; several batches may be on their way. A path that
   * cannot be written does not keep the others back. Failure: `agentLost`, then it is not known what the batch's paths hold, but the
   * ledger tells after a new start. Stopping it leaves out what was not sent yet.
   */
  apply(batch: SyncBatch, signal?: AbortSignal): Promise<Result<Applied>>;
  /** Runs a command in the container's working directory, one after another. Its exit code is a value. Failure: `agentLost`. */
  run(command: readonly string[]): Promise<Result<{ readonly exitCode: number; readonly output: string }>>;
  /** Ends the agent; only its ledger stays. */
  close(): Promise<void>;
}

export interface SyncBatch {
  readonly changes: readonly SyncChange[];
  readonly read: ReadSource;
}

export interface Applied {
  /** What each path holds now: the content that was sent, which may be newer than what was asked for. */
  readonly holds: readonly (readonly [ContainerPath, Entry | undefined])[];
  /** Paths that were not sent, because their source was gone, or no file any more, when it was read. */
  readonly skipped: readonly ContainerPath[];
  /** Those that could not be written (`syncRefused`) or read (`sourceUnreadable`), and those that went together with one of them. */
  readonly notWritten: readonly NotWritten[];
  /** Bytes of content that were sent. */
  readonly bytes: number;
  readonly timing: Pick<SyncTiming, 'read' | 'send' | 'apply'>;
}
