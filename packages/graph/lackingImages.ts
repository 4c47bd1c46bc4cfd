import type { Problem } from '../model';
import { isImage } from '../tag';
import type { ProjectImage } from './artifact';
import type { SourceFacts } from './manifestSources';

/** What is said of something that needs an image which cannot be made, and what is to be done about that. */
export function cannotBeMade({ settings: { artifact, own }, problems }: ProjectImage): { readonly image: string; readonly hint: string } {
  const [why = own?.problems[0]] = problems;
  const image = `the image of ${artifact}, which cannot be made${why ? `: ${why.message}` : ''}`;
  return { image, hint: why?.hint ?? `correct ${artifact}` };
}

export interface RunImages {
  readonly project: { readonly name: string };
  readonly manifests: Pick<SourceFacts, 'containers'>;
}

/**
 * Whether manifests run an image that cannot be made: applied without it, they would name one that nobody has. Where it is another
 * project's, nothing else says that their own cannot be deployed.
 */
export function lackingImage(
  { project, manifests }: RunImages,
  { missing, defaultRepo }: { readonly missing: readonly ProjectImage[]; readonly defaultRepo: string | undefined },
): { readonly lacksImage: boolean; readonly problem?: Problem } {
  const lacking = missing.flatMap((image) => {
    const container = manifests.containers.find((each) => isImage(each.image, { image: image.settings.image, repo: defaultRepo }));
    return container ? [{ image, location: container.location }] : [];
  });
  const ofAnother = lacking.find(({ image }) => image.settings.project.name !== project.name);
  if (!ofAnother) return { lacksImage: lacking.length > 0 };
  const { image, hint } = cannotBeMade(ofAnother.image);
  const problem: Problem = {
    code: 'usedImageBroken',
    message: `${project.name}: it runs ${image}`,
    hint,
    retry: 'whenInputChanges',
    exitCode: 2,
    project: project.name,
    location: ofAnother.location,
  };
  return { lacksImage: true, problem };
}
