import type { Problem } from '../model';
import { count } from '../report';

/** How containers were compared that hold something else than they should. */
export interface Comparison {
  /** Everything was compared when it connected; else what a sync brought, by its ledger. */
  readonly ofFolder: boolean;
  /** What was edited had been brought just before. */
  readonly once: boolean;
  readonly namespaces: readonly string[];
}

export function containersDiffer(differ: { readonly files: number; readonly containers: number }, comparison: Comparison): Problem {
  const where = differ.containers === 1 ? 'one container' : count(differ.containers, 'container');
  const [are, they] = differ.files === 1 ? ['is', 'it'] : ['are', 'they'];
  return {
    code: 'containersDiffer',
    message: `${count(differ.files, 'file')} in ${where} ${are} not what ${they} should be`,
    hint: hintFor(comparison),
    retry: 'afterDelay',
    exitCode: 1,
  };
}

function hintFor({ ofFolder, once, namespaces }: Comparison): string {
  if (once && ofFolder) return 'what differed was just brought, so something in the container changes it: see what writes there';
  if (once)
    return `it was changed in the container, and goes with its pod: kubectl delete pod POD --namespace ${namespaces.join(', ')}, then sync --once again`;
  return ofFolder
    ? 'sync --once brings what differs'
    : 'sync --once brings what was edited here; what was changed in a container goes with its pod';
}
