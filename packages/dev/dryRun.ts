import type { Artifact, Problem, Step, World } from '../model';
import { viewOf } from '../plan';
import { digestOfRef, inputDigestTag } from '../tag';
import type { BuildDocument } from './command';
import type { Session } from './session';

/** What a step would do that changes something: a dry run ends there. Undefined: the step only looks. */
export function notInDryRun(step: Step): Problem | undefined {
  switch (step.kind) {
    case 'build':
    case 'deliver':
    case 'runTarget':
    case 'watchTarget':
    case 'apply':
    case 'runHooks':
    case 'remove':
    case 'connect':
    case 'sync':
    case 'reload':
      return { code: dryRunCode, message: `a dry run ends before ${step.kind}`, retry: 'never', exitCode: 1 };
    case 'lookUp':
      return undefined;
  }
}

export const dryRunCode = 'dryRun';

type Image = BuildDocument['images'][number];

/** What a build would do for each image, and why. `built` and `delivered` say what would be; nobody can tell of what takes the output of a target that has to run before. */
export async function wouldBuild(session: Session, world: World): Promise<readonly Image[]> {
  const images = [...wanted(world)].map(async (artifact): Promise<Image> => {
    const { project, image } = artifact;
    const { now, image: found } = viewOf(world, artifact);
    const tag = await session.names.tagFor(artifact, now);
    const content = inputDigestTag(now.inputsHash);
    const named = session.names.refFor(artifact, (tag.ok ? tag.value : undefined) ?? content);
    const until = targetsToRun(artifact, world);
    const common = { project, artifact: artifact.name, image, tag: (tag.ok ? tag.value : undefined) ?? content };
    if (found) {
      const { ref, digest } = found.delivered;
      // Only a run that may change something puts the tag of people on it.
      const tagged = digestOfRef(ref) === undefined ? named : `${named}@${digest}`;
      return { ...common, digest, ref: tagged, built: false, delivered: false, because: hasIt(session) };
    }
    if (until.length > 0) {
      const because = `not known until ${until.join(' and ')} ${until.length === 1 ? 'has' : 'have'} run`;
      return { ...common, digest: '', ref: named, built: null, delivered: null, because, notKnownUntil: until };
    }
    return {
      ...common,
      digest: '',
      ref: named,
      built: true,
      delivered: session.delivery?.repo !== undefined,
      because: reasonOf(artifact, world, session),
    };
  });
  return Promise.all(images);
}

/** Why an image that is found is not built. */
export function hasIt({ delivery }: Pick<Session, 'delivery'>): string {
  return delivery?.repo === undefined ? 'the cluster has it already' : 'the registry has it already';
}

/** Targets whose output an image takes, or one that it stands on, and that a dry run does not run. */
function targetsToRun({ targets, requires }: Artifact, world: World): readonly string[] {
  const own = targets.filter((target) => world.failures.has(`runTarget:${target}`));
  const below = requires.flatMap((name) => {
    const base = world.workspace?.artifacts.get(name);
    return base ? targetsToRun(base, world) : [];
  });
  return [...new Set([...below, ...own])];
}

function reasonOf({ requires, name }: Artifact, world: World, session: Session): string {
  const bases = requires.filter((base) => !world.artifacts.get(base)?.image);
  if (bases.length > 0) return `it stands on ${bases.join(' and ')}, which would be built before and decides on the tag`;
  if (!world.failures.has(`build:${name}`)) return 'it could not be looked up';
  return session.delivery?.repo === undefined ? 'the cluster has no image of this content' : 'the registry has no image of this content';
}

/** The goal's artifacts, after those that they stand on. */
function wanted({ workspace, goal }: World): ReadonlySet<Artifact> {
  const all = new Set<Artifact>();
  const add = (name: string): void => {
    const artifact = workspace?.artifacts.get(name);
    if (!artifact || all.has(artifact)) return;
    for (const base of artifact.requires) add(base);
    all.add(artifact);
  };
  for (const name of goal.artifacts) add(name);
  return all;
}
