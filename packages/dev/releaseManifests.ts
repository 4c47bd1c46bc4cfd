import { lstat, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ManifestText } from '../deploy';
import {
  contentDigest,
  emptyDir,
  failed,
  fileEntry,
  messageOf,
  succeeded,
  withEntries,
  type DirEntry,
  type Release,
  type Result,
} from '../model';

export interface ReleaseManifests {
  readonly texts: readonly ManifestText[];
  /** The same as a tree of the workspace, for the fingerprint of exactly what was read. */
  readonly tree: DirEntry;
}

/** Reads a release's manifests from disk. Failure: `manifestUnreadable`. */
export async function readReleaseManifests(root: string, release: Release): Promise<Result<ReleaseManifests>> {
  const texts: ManifestText[] = [];
  for (const path of release.manifests) {
    try {
      texts.push({ path, text: await readFile(join(root, path), 'utf8') });
    } catch (error) {
      return failed({
        code: 'manifestUnreadable',
        message: `${path} cannot be read`,
        retry: 'afterDelay',
        exitCode: 1,
        location: { file: path },
        detail: messageOf(error),
      });
    }
  }
  const stats = await Promise.all(release.manifests.map((path) => lstat(join(root, path)).catch(() => undefined)));
  const tree = withEntries(
    emptyDir,
    texts.map(
      ({ path, text }, index) =>
        [path, fileEntry({ digest: contentDigest(text), size: Buffer.byteLength(text), mode: stats[index]?.mode ?? 0o644 })] as const,
    ),
  );
  return succeeded({ texts, tree });
}
