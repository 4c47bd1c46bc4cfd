import type { Result } from '../model';

export interface ProcessRequest {
  readonly command: string;
  readonly args: readonly string[];
  readonly cwd: string;
  /** Over this process's own environment; undefined takes a variable away. */
  readonly env?: Readonly<Record<string, string | undefined>>;
  readonly signal?: AbortSignal;
  /** Standard input, when it gets any. */
  readonly input?: string;
  /** Standard input stays open and says nothing, as a terminal at which nobody types: what watches files often ends when it is closed. */
  readonly holdsInput?: true;
  /** Every line as it comes, from both streams. */
  readonly onLine?: (line: string, stream: 'stdout' | 'stderr') => void;
}

/**
 * Programs of this machine. Failures: `commandNotFound`, `directoryNotFound`, `aborted`. A program that ends badly is a value: its exit code.
 * Both outputs come back without their last line break; of very long ones (64 MB) the end.
 */
export interface Processes {
  run(request: ProcessRequest): Promise<Result<{ readonly exitCode: number; readonly stdout: string; readonly stderr: string }>>;
}
