import { diffTrees, type World } from '../model';
import { noReleaseState, releasesOf, suits, type ArtifactView } from './need';
import { classifyFor } from './classify';

/** Differences that are looked at for a reason; the first one found is told. */
const explainedChanges = 200;

/**
 * Why only another image than the one that runs would bring what is on disk, as one phrase for people; undefined when copying files
 * brings all of it, or when nothing runs that could be compared.
 */
export function newImageBecause(world: World, view: ArtifactView): string | undefined {
  const { artifact, image, now } = view;
  if (image && suits(image.snapshot, view)) return undefined;
  const runs = releasesOf(world, artifact.name).some(({ name }) => {
    const { live } = world.releases.get(name) ?? noReleaseState;
    return live.state === 'found' && live.value.images[artifact.name] !== undefined;
  });
  if (!runs) return undefined;
  if (!image) return 'this machine does not know what the image that runs was made from';
  const { workspace } = world;
  for (const { path } of workspace ? diffTrees(image.snapshot.sources, now.sources, explainedChanges) : []) {
    const answer = workspace && classifyFor(workspace, artifact, path);
    if (answer?.action === 'rebuild') return answer.because.includes(path) ? answer.because : `${path}, ${answer.because}`;
  }
  return 'it is made in another way than the image that runs';
}
