import { keepEqual, type GraphSource } from '../graph';
import { emptyDir, succeeded, type ArtifactName, type Goal, type Problem, type Snapshot, type Workspace, type World } from '../model';
import { snapshotOf, visibleTree } from '../plan';
import { watchPods, type ReleaseSighting } from '../status';
import { AttachedWorkspace } from './attachedWorkspace';
import type { CommandOptions } from './command';
import { folderWorkspace } from './folderWorkspace';
import { foreignWorkloads, watchForeign, type ForeignWorkload } from './foreignWorkloads';
import { failedEvent } from './narrator';
import { rememberedGraph } from './rememberedGraph';
import type { RunOptions } from './run';
import { deployableGoalFor } from './selection';
import { contextOf, preflight, readFor, type Session } from './session';
import type { FolderSync, SyncSettings } from './syncSettings';

/** What is attached to, and how it is found. */
export interface Attachment {
  readonly session: Session;
  readonly goal: Goal;
  /** A folder, and the pods that get it: no project describes them. */
  readonly folder: (FolderSync & { readonly namespace: string }) | undefined;
  /** What somebody else applied of what the projects describe. */
  readonly foreign: readonly ForeignWorkload[];
  /** The readings of the workspace that may fit what runs. */
  readonly readings: () => readonly Workspace[];
  /** As it fits what runs; the same object while nothing has changed. */
  readonly workspace: () => Workspace;
  readonly seenAs?: (sighting: ReleaseSighting, world: World) => ReleaseSighting;
  readonly watchContainers?: NonNullable<RunOptions['watchContainers']>;
  /** Reads the workspace again. Its problems are told, not returned. */
  readonly reread: () => Promise<void>;
}

type Attached = { readonly ok: true; readonly value: Attachment } | { readonly ok: false; readonly problems: readonly Problem[] };

/** Finds out what containers are to be kept in step with, and where they are; looks at the cluster, changes nothing. */
export function attach(options: CommandOptions, settings: SyncSettings): Promise<Attached> {
  const { folder } = settings;
  return folder ? attachFolder(options, folder, settings.deletes) : attachProjects(options, settings.deletes);
}

async function attachFolder(options: CommandOptions, folder: FolderSync, deletes: boolean): Promise<Attached> {
  const { session, problems } = await preflight({ ...options, graph: withoutProjects(options.graph) }, needs, 'dev');
  const kube = session?.kube;
  if (!kube) return { ok: false, problems };
  const namespace = options.namespace ?? kube.target.namespace;
  const { selector, container, localPath } = folder;
  // What the API server refuses, such as a selector that it cannot read, is told now; a watch would try again for ever.
  const listed = await kube.list({ apiVersion: 'v1', kind: 'Pod' }, { namespace, labelSelector: selector });
  if (!listed.ok)
    return { ok: false, problems: [listed.problem.code === 'objectInvalid' ? selectorInvalid(selector, listed.problem) : listed.problem] };
  const { workspace, artifact, goal, unknownImage } = folderWorkspace({ folder, namespace, deletes });
  return {
    ok: true,
    value: {
      session: {
        ...session,
        options: { ...session.options, root: localPath, namespace },
        read: { ...session.read, workspace, configFiles: [], projectFolders: [], newcomers: [] },
      },
      goal,
      folder: { ...folder, namespace },
      foreign: [],
      readings: () => [workspace],
      workspace: () => workspace,
      watchContainers: (_release, { kube: watched, onSeen }) =>
        watchPods({
          kube: watched,
          namespace,
          selector,
          artifact: artifact.name,
          snapshot: unknownImage,
          onSeen,
          ...(container !== undefined && { container }),
        }),
      reread: () => Promise.resolve(),
    },
  };
}

function selectorInvalid(selector: string, { message }: Problem): Problem {
  return {
    code: 'selectorInvalid',
    message: `--selector ${selector} is no selector of labels`,
    hint: 'write it like app=web, or app=web,tier!=cache',
    detail: message,
    retry: 'never',
    exitCode: 2,
  };
}

const needs = new Set(['workspace', 'cluster'] as const);

/** The root's config says which clusters may be touched; the graph says nothing about a folder. */
function withoutProjects(graph: GraphSource): GraphSource {
  return { ...graph, watch: [], read: () => Promise.resolve(succeeded({ projects: [] })) };
}

async function attachProjects(options: CommandOptions, deletes: boolean): Promise<Attached> {
  const { session, problems } = await preflight(options, needs, 'dev');
  if (!session) return { ok: false, problems };
  const { projects } = options;
  const read = (mode: 'dev' | 'deploy', graph = options.graph) => readFor({ ...options, graph, ...contextOf(session) }, mode);
  const deployed = await read('deploy');
  if (!deployed.ok) return { ok: false, problems: [deployed.problem] };
  const chosen = deployableGoalFor(session.read.workspace, 'attached', { projects });
  if (!chosen.ok) return chosen;
  const foreign = await foreignWorkloads(session, session.read.workspace, chosen.goal.releases);
  const attached = new AttachedWorkspace({ dev: session.read.workspace, deployed: deployed.value.workspace, deletes });
  return {
    ok: true,
    value: {
      session,
      goal: chosen.goal,
      folder: undefined,
      foreign,
      readings: () => attached.all(),
      workspace: () => attached.workspace(),
      seenAs: (sighting, world) => attached.seen(sighting, world),
      watchContainers: (release, { kube, world, onSeen }) => {
        const workloads = foreign.filter((each) => each.release === release);
        if (workloads.length === 0) return undefined;
        return watchForeign({ kube, workloads, snapshotOf: (name) => unknownImage(attached.workspace(), name, world), onSeen });
      },
      reread: async () => {
        const graph = rememberedGraph(options.graph);
        const [dev, deploy] = await Promise.all([read('dev', graph), read('deploy', graph)]);
        for (const one of [dev, deploy]) if (!one.ok) options.report(failedEvent(one.problem, 'workspace'));
        if (!dev.ok || !deploy.ok) return;
        const before = attached.readings;
        attached.read({ dev: keepEqual(before.dev, dev.value.workspace), deployed: keepEqual(before.deployed, deploy.value.workspace) });
      },
    },
  };
}

/** Of an image that somebody else made nothing is known; it is taken for one that what changes from now on can be copied into. */
function unknownImage({ artifacts }: Workspace, name: ArtifactName, world: World): Snapshot | undefined {
  const artifact = artifacts.get(name);
  return artifact && { ...snapshotOf(artifact, visibleTree(world), {}), tree: emptyDir, imageTree: emptyDir };
}
