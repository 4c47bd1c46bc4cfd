import { folderOf, type Event, type Project, type Workspace, type WorkspacePath } from '../model';
import { isAppliedAlike, isMadeAlike } from '../plan';

type Told = Extract<Event, { kind: 'decision' | 'notice' }>;

const configName = 'slipway.yaml';

/**
 * What a saved slipway.yaml asks for. It is no input of anything by itself: what it says of images and of deployments is compared with what it said before, and all else
 * that it says is taken up as it is.
 */
export function configDecisions(before: Workspace, after: Workspace, path: WorkspacePath): readonly Told[] {
  if (path !== configName && !path.endsWith(`/${configName}`)) return [];
  const owners = [...after.projects.values()].filter(({ root }) => path === configName || root === folderOf(path));
  return owners.flatMap((owner): readonly Told[] => {
    const told = decisionsFor(owner, { before, after, path });
    const isWrong = after.problems.some(({ project }) => project === owner.name);
    // The root's is of all of them, and hardly anything in it is of one.
    if (told.length > 0 || isWrong || path === configName || !isRun(owner, after)) return told;
    return [
      { kind: 'notice', subject: owner.name, message: `${path} is read anew; neither an image nor what is deployed is another by it` },
    ];
  });
}

interface Change {
  readonly before: Workspace;
  readonly after: Workspace;
  readonly path: WorkspacePath;
}

function decisionsFor({ name }: Project, { before, after, path }: Change): readonly Extract<Event, { kind: 'decision' }>[] {
  const about = { kind: 'decision', files: [path], containerPaths: [] } as const;
  const images = [...after.artifacts.values()].filter(({ project }) => project === name);
  // While there was a mistake in it, nothing was known of what it said before.
  const isMended = before.problems.some(({ project }) => project === name);
  const remade = images.filter((image) => {
    const was = before.artifacts.get(image.name);
    return was ? !isMadeAlike(was, image) : isMended;
  });
  const releases = [...after.releases.values()].filter((release) => {
    const was = before.releases.get(release.name);
    return release.project === name && (was ? !isAppliedAlike(was, release) : isMended);
  });
  const anew = new Set(remade.map((image) => image.name));
  // A new image is applied anyway.
  const reapplied = releases.filter(({ artifacts }) => !artifacts.some((each) => anew.has(each)));
  return [
    ...remade.map((image) => ({
      ...about,
      artifact: image.name,
      action: 'rebuild' as const,
      because: `what ${path} says of its image is another now`,
    })),
    ...reapplied.map((release) => ({
      ...about,
      artifact: release.artifacts.find((each) => images.some((image) => image.name === each)) ?? release.name,
      action: 'redeploy' as const,
      because: `what ${path} says of its deployment is another now`,
    })),
  ];
}

/** Whether something of a project is built or deployed. */
function isRun({ name }: Project, { artifacts, releases }: Workspace): boolean {
  return [...artifacts.values(), ...releases.values()].some(({ project }) => project === name);
}
