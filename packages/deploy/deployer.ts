import type { KubeObject, KubeTarget, Processes } from '../clients';
import type { ArtifactName, HelmSource, KubectlSource, KustomizeSource, ManifestSource, Result, WorkspacePath } from '../model';
import { helmDeployer } from './helm/helmDeployer';
import { kubectlDeployer } from './kubectl/kubectlDeployer';
import type { ManifestText } from './kubectl/manifest';
import { kustomizeDeployer } from './kustomize/kustomizeDeployer';

/** What a deployer works with. */
export interface DeployContext {
  /** Absolute path of the workspace. */
  readonly root: string;
  readonly processes: Processes;
  readonly signal: AbortSignal;
  /** Files of the workspace that the release is made from. */
  readonly inputs: readonly WorkspacePath[];
  /** The release's. */
  readonly namespace: string;
  /** Release of helm → what it would be installed from now, but for images. */
  readonly chartFingerprints: Readonly<Record<string, string>>;
  readonly images: Readonly<Record<ArtifactName, { readonly ref: string; readonly inputsHash: string }>>;
  /** Artifact → its image's name as it stands in manifests, without tag. */
  readonly imageNames: Readonly<Record<ArtifactName, string>>;
  /** The project's own image, as manifests name it. */
  readonly ownImage: string | undefined;
  /** The cluster that was judged. Absent: none is asked, nothing is installed. */
  readonly cluster: KubeTarget | undefined;
}

/** One way from files of the workspace to objects in a cluster. Which files those are is said in `graph/manifestSources.ts`. */
export interface Deployer<Source extends ManifestSource> {
  /** The manifests of a source, made by its tool. They say who applies them: the one with a `part` is installed by this deployer. */
  manifests(source: Source, context: DeployContext): Promise<Result<readonly ManifestText[]>>;
  /** Installs objects as one. Absent: Slipway applies them itself. */
  readonly install?: (source: Source, objects: readonly KubeObject[], context: DeployContext) => Promise<Result<void>>;
}

interface Deployers {
  readonly kubectl: Deployer<KubectlSource>;
  readonly kustomize: Deployer<KustomizeSource>;
  readonly helm: Deployer<HelmSource>;
}

/** All kinds of deployers. */
export const deployers: Deployers = { kubectl: kubectlDeployer, kustomize: kustomizeDeployer, helm: helmDeployer };
