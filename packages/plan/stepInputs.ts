import type { Step } from '../model';

/** What a step's success depends on, as one text: a failure holds only as long as this stays the same. */
export function stepInputs(step: Step): string {
  switch (step.kind) {
    case 'lookUp':
    case 'build':
      return step.snapshot.inputsHash;
    case 'deliver':
      return step.image.ref;
    case 'runTarget':
    case 'watchTarget':
      return step.inputsHash;
    case 'apply':
    case 'runHooks':
      return step.fingerprint;
    case 'remove':
      return step.release;
    case 'connect':
      return step.container;
    case 'sync':
      return `${step.container} ${String(step.batch)}`;
    case 'reload':
      return step.treeHash;
  }
}
