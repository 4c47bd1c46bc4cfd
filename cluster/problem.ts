export interface ProblemOptions extends ErrorOptions {
  /** 2: wrong use; 3: no cluster; 130: stopped by a signal. */
  readonly exitCode?: 2 | 3 | 130;
  /** The component whose log tells more. */
  readonly log?: string;
}

/** Something that can be expected to go wrong, with what to do about it. */
export class ClusterProblem extends Error {
  readonly exitCode: 2 | 3 | 130;
  readonly log: string | undefined;

  constructor(
    message: string,
    /** The next thing to do, in one or two sentences. */
    readonly hint?: string,
    { exitCode = 3, log, ...options }: ProblemOptions = {},
  ) {
    super(message, options);
    this.name = 'ClusterProblem';
    this.exitCode = exitCode;
    this.log = log;
  }
}

/** The words of anything thrown. */
export function wordsOf(thrown: unknown): string {
  return thrown instanceof Error ? thrown.message : String(thrown);
}
