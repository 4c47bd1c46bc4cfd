import type { ReleaseName, Workspace } from '../model';
import { holderOf } from './leases';
import { placesOf, type Place, type Session } from './session';

/** What the process that stands by while dev cleans up is told to remove, as JSON. */
export interface CleanUpOrder {
  readonly kubeconfig?: string;
  readonly context: string;
  readonly allowContexts: readonly string[];
  readonly workspaceId: string;
  /** Who held the releases. */
  readonly holder: string;
  readonly keepVolumes: boolean;
  readonly releases: readonly Place[];
}

/** Undefined without a cluster. */
export function cleanUpOrder(session: Session, workspace: Workspace, releases: ReadonlySet<ReleaseName>): CleanUpOrder | undefined {
  const { kube, options, read, workspaceId } = session;
  if (!kube) return undefined;
  return {
    ...(options.kubeconfig !== undefined && { kubeconfig: options.kubeconfig }),
    context: kube.target.context,
    allowContexts: read.settings.allowContexts,
    workspaceId,
    holder: holderOf(options.root),
    keepVolumes: options.keepVolumes === true,
    releases: placesOf(session, workspace, releases),
  };
}
