import type { KindRef, Kube, KubeObject } from '../clients';
import type { Result } from '../model';
import { labels, selectorOf } from './ownership';

/** Lists what carries a workspace's label, of all its releases. Without a namespace what lies in none. */
export type ListWorkspace = (kind: KindRef, namespace: string | undefined) => Promise<Result<readonly KubeObject[]>>;

/** For so long a list answers for others too. What somebody else has applied since is pruned by the next apply. */
const maxAgeMs = 3_000;

interface Listed {
  readonly begunAt: number;
  readonly answer: ReturnType<ListWorkspace>;
}

/**
 * Lists that several releases share: each of a hundred would ask for every kind by itself. `since` is when this process has last written
 * something of the release, milliseconds since 1970: a list that was begun before may not show it.
 */
export function sharedLists(kube: Pick<Kube, 'list'>, workspaceId: string, now = Date.now): (since: number) => ListWorkspace {
  const known = new Map<string, Listed>();
  const labelSelector = selectorOf({ [labels.workspace]: workspaceId });
  return (since) => (kind, namespace) => {
    const key = `${kind.apiVersion} ${kind.kind} ${namespace ?? ''}`;
    const before = known.get(key);
    if (before && before.begunAt > since && now() - before.begunAt < maxAgeMs) return before.answer;
    const answer = kube.list(kind, { labelSelector, ...(namespace === undefined ? {} : { namespace }) });
    const listed = { begunAt: now(), answer };
    known.set(key, listed);
    const forget = (): void => {
      if (known.get(key) === listed) known.delete(key);
    };
    void answer.then(({ ok }) => (ok ? setTimeout(forget, maxAgeMs).unref() : forget()));
    return answer;
  };
}
