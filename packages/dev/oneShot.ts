import { isOfUsedImage, succeeded, type Event, type ExitCode, type GoalKind, type Problem, type Workspace, type World } from '../model';
import { progressOf, type AffectedProject } from '../plan';
import { inputDigestTag, tagOfRef } from '../tag';
import { affectedEvents, affectedProjects, type AffectedOptions } from './affected';
import type { BuildDocument, CommandOptions, CommandResult, DeleteDocument, DeployDocument } from './command';
import type { Turn } from './converge';
import { dryRunCode, hasIt, wouldBuild } from './dryRun';
import { forwardUntilStopped } from './forwardUntilStopped';
import { readGivenImages, withGivenImages, withNamedImages, type GivenImages } from './givenImages';
import { givingUp } from './givingUp';
import { giveBackHeld } from './holding';
import { removeUnsaid } from './leftBehind';
import { failedEvent } from './narrator';
import { writeOutput } from './outputFile';
import { comesAlong, namedImages, requiredBy } from './required';
import { refusedBuilds } from './refusedBuilds';
import { openRun } from './run';
import { deployableGoalFor, goalFor, noticesOfAll, problemsOf } from './selection';
import { namespaceOf, preflight, readFor, withBrokenReleases, type Need, type Preflight, type Session } from './session';
import { untilAborted } from './untilAborted';
import { withProblems, worstExit } from './worstExit';

export interface BuildOptions extends CommandOptions {
  /** Only the projects that what changed reaches; of those that are named, when any are. */
  readonly affected?: AffectedOptions;
  /** Of the projects' images only these. */
  readonly artifacts?: readonly string[];
  /** Only says what would be built, and why. */
  readonly dryRun?: boolean;
  /** Absolute path of a file that gets the document. */
  readonly fileOutput?: string;
}

export interface DeployOptions extends Omit<BuildOptions, 'artifacts' | 'dryRun' | 'fileOutput'> {
  /** Absolute path of the document of a build, whose images are used: nothing is built. */
  readonly buildArtifacts?: string;
  /** Refuses to build what is not in the registry. */
  readonly noBuild?: boolean;
  /** Deploys what the projects require too. */
  readonly withRequired?: boolean;
  /** Then forwards ports, until it is interrupted. */
  readonly portForward?: boolean;
}

/** Builds the images of the projects that are not in the registry yet, and delivers them. */
export async function buildCommand(options: BuildOptions): Promise<CommandResult<BuildDocument>> {
  const images = new ImageNotes();
  const dryRun = options.dryRun === true;
  const ended = await runOnce({ options, kind: 'built', images, dryRun });
  const { session, world, exitCode, problems } = ended;
  const list = !session || !world ? [] : dryRun ? await wouldBuild(session, world) : images.list(session, world);
  const document: BuildDocument = { ...told(ended), ...(dryRun && { dryRun }), images: list };
  if (options.fileOutput === undefined || exitCode !== 0) return { exitCode, problems, document };
  const notWritten = await writeOutput(options.fileOutput, `${JSON.stringify(document, null, 2)}\n`, '--file-output');
  return { ...withProblems(notWritten ? [...problems, notWritten] : problems), document };
}

/** Brings the projects' releases to what is on disk, and waits for the rollout. */
export async function deployCommand(options: DeployOptions): Promise<CommandResult<DeployDocument>> {
  const images = new ImageNotes();
  const given = options.buildArtifacts === undefined ? undefined : await readGivenImages(options.buildArtifacts, options.root);
  if (given?.ok === false) return { ...withProblems([given.problem]), document: { images: [], releases: [] } };
  const ended = await runOnce({ options, kind: 'deployed', images, noBuild: options.noBuild === true, given: given?.value });
  const { session, world } = ended;
  if (options.portForward === true && ended.exitCode === 0 && session && world) await forwardUntilStopped(session, world, options);
  return {
    exitCode: ended.exitCode,
    problems: ended.problems,
    document: {
      ...told(ended),
      images: session ? images.list(session, world) : [],
      releases: session ? releasesOf(session, world, images) : [],
    },
  };
}

/** One pass of build and deploy. */
export const runCommand = deployCommand;

/** Deletes what the projects' releases own in the cluster. */
export async function deleteCommand(options: CommandOptions): Promise<CommandResult<DeleteDocument>> {
  const images = new ImageNotes();
  // Also where the loop removes nothing, what is removed is told and noted.
  const report: CommandOptions['report'] = (event) => {
    images.note(event);
    options.report(event);
  };
  const ended = await runOnce({ options, kind: 'removed', images });
  const isDone = ended.exitCode === 0 && !options.signal.aborted;
  const unsaid = isDone && ended.session ? await removeUnsaid({ ...ended.session, options: { ...options, report } }) : [];
  if (isDone && ended.session) await giveBackHeld(ended.session, options.projects);
  if (isDone && images.removed.size === 0 && unsaid.length === 0) options.report({ kind: 'notice', message: 'nothing was deployed' });
  return {
    ...withProblems([...ended.problems, ...unsaid]),
    document: { releases: [...images.removed].map(([release, objects]) => ({ release, objects })) },
  };
}

function told({ affected }: Ended): Pick<BuildDocument, 'affected'> {
  return affected ? { affected: affected.map(({ project, because }) => ({ project, because })) } : {};
}

interface Ended {
  /** When it was asked for. */
  readonly affected?: readonly AffectedProject[];
  readonly exitCode: 0 | ExitCode;
  readonly problems: readonly Problem[];
  readonly session: Session | undefined;
  readonly world: World | undefined;
}

type OneShot = Exclude<GoalKind, 'live' | 'attached'>;

interface OnceOptions {
  readonly options: BuildOptions | DeployOptions;
  readonly kind: OneShot;
  readonly images: ImageNotes;
  readonly noBuild?: boolean;
  readonly dryRun?: boolean;
  readonly given?: GivenImages | undefined;
}

const needsOf: Readonly<Record<OneShot, readonly Need[]>> = {
  built: ['workspace', 'clusterUnlessRepo', 'engine', 'delivery'],
  deployed: ['workspace', 'cluster', 'engine', 'delivery'],
  removed: ['workspace', 'cluster'],
};

async function runOnce(once: OnceOptions): Promise<Ended> {
  const { options, kind } = once;
  let begun: { readonly reading: ReturnType<typeof readFor>; readonly looking: Promise<Preflight> } | undefined;
  const begin = (): NonNullable<typeof begun> => {
    const reading = begun?.reading ?? readFor(options, 'deploy', isAbout(once));
    begun ??= { reading, looking: preflightFor(once, reading) };
    return begun;
  };
  if (!options.affected) return runFor(once, begin().looking);
  const found = await Promise.race([affectedProjects(options, options.affected, () => begin().reading), untilAborted(options.signal)]);
  // The look around is interrupted too, and says so.
  if (!found) return runFor(once, begin().looking);
  if (!found.ok) return notBegun([found.problem]);
  const { workspace, since } = found.value;
  const only = 'artifacts' in options ? options.artifacts : undefined;
  const isNarrowed = options.projects.length > 0 || only !== undefined;
  const chosen = !isNarrowed || !workspace ? undefined : goalFor(workspace, kind, options);
  if (chosen?.ok === false) return notBegun(chosen.problems);
  const all = found.value.projects.filter(({ image }) => image || kind !== 'built');
  const named = chosen ? all.filter(({ project }) => options.projects.length === 0 || options.projects.includes(project)) : all;
  const picked = only && new Set([...(chosen?.goal.artifacts ?? [])].map((name) => workspace?.artifacts.get(name)?.project));
  const affected = picked ? named.filter(({ project }) => picked.has(project)) : named;
  for (const event of affectedEvents(affected, since)) options.report(event);
  // What is out of reach does not matter when nothing is to be done there.
  if (affected.length === 0) return { ...notBegun([]), affected };
  const projects = affected.map(({ project }) => project);
  return { ...(await runFor({ ...once, options: { ...options, projects } }, begin().looking)), affected };
}

/** The projects that a command is about, where it needs nothing of the others. */
function isAbout({ options, kind, given }: OnceOptions): readonly string[] | undefined {
  // What changed, and images that were made before, are of any project; which port a service gets follows from all that forward some.
  const needsAll = options.affected !== undefined || given !== undefined || ('portForward' in options && options.portForward);
  return needsAll || kind === 'removed' || options.projects.length === 0 ? undefined : options.projects;
}

function notBegun(problems: readonly Problem[]): Ended {
  return { ...withProblems(problems), session: undefined, world: undefined };
}

function preflightFor({ options, kind, given }: OnceOptions, reading: ReturnType<typeof readFor>): Promise<Preflight> {
  const needs = new Set(needsOf[kind].filter((need) => !given || need !== 'engine'));
  return preflight(options, needs, 'deploy', reading);
}

async function runFor(once: OnceOptions, looking: Promise<Preflight>): Promise<Ended> {
  const { options, kind, images, given, noBuild = false, dryRun = false } = once;
  const { session: found, problems } = await looking;
  if (!found) return { exitCode: worstExit(problems), problems, session: undefined, world: undefined };
  const whole = { ...(kind === 'removed' ? withBrokenReleases(found) : found), dryRun, noBuild };
  const { workspace } = whole.read;
  const along = 'withRequired' in options && options.withRequired;
  const required = along ? requiredBy(workspace, options.projects) : [];
  const projects = options.projects.length === 0 ? [] : [...options.projects, ...required.map(({ project }) => project)];
  const broken = problemsOf(workspace, projects).filter((problem) => concerns(kind, problem));
  // Of what changed an image may be all.
  const choose = kind === 'deployed' && !options.affected ? deployableGoalFor : goalFor;
  const chosen = choose(workspace, kind, { ...options, projects });
  const nowhere = kind === 'removed' ? placesUnknown(workspace, broken) : undefined;
  if (nowhere) options.report(nowhere);
  if (!chosen.ok) return { exitCode: worstExit(chosen.problems), problems: chosen.problems, session: whole, world: undefined };
  const said = comesAlong(required, new Set());
  if (said !== undefined) options.report({ kind: 'notice', message: said });
  const named = { ...whole, read: { ...whole.read, workspace: withNamedImages(workspace, namedImages(required)) } };
  const prepared = given ? withGivenImages(named, chosen.goal, given) : succeeded(named);
  if (!prepared.ok) return notBegun([prepared.problem]);
  const session = prepared.value;
  if (kind !== 'removed') for (const notice of noticesOfAll(workspace)) options.report(notice);
  // What goes on after the goal is reached, as forwarding does, gives up nothing.
  const report = givingUp(options.report);
  for (const problem of broken) report(failedEvent(problem, problem.artifact ?? problem.project ?? 'workspace'));

  const refused: Problem[] = [];
  const run = await openRun({
    session,
    goal: chosen.goal,
    watch: false,
    report: (event) => {
      images.note(event);
      // What a dry run keeps from being done is what it has to tell.
      if (event.kind !== 'failed' || event.code !== dryRunCode) report(event);
    },
    onTurn: (turn) => {
      if (noBuild) refused.push(...refusedBuilds(turn.plan.start, turn.after.workspace));
    },
  });
  const aborted = untilAborted(options.signal).then(() => {
    options.report({ kind: 'stopping', removes: false });
    return undefined;
  });
  const ended = await Promise.race([run.loop.until((turn) => refused.length > 0 || isOver(turn)), aborted]);
  await run.close();
  const world = run.loop.world();
  const progress = ended ? progressOf(ended.after, ended.plan) : undefined;
  const stuck = progress?.state === 'stuck' ? progress.problems.filter(({ code }) => code !== dryRunCode) : [];
  const all = distinct([...broken, ...refused, ...stuck, ...(ended ? [] : [interrupted([...images.applied.keys()])])]);
  return { ...withProblems(all), session, world };
}

/** Whether a mistake keeps a command from doing some of what it is for. */
function concerns(kind: OneShot, problem: Problem): boolean {
  if (kind === 'removed') return problem.code === 'configInvalid';
  return kind === 'deployed' || !isOfUsedImage(problem);
}

/** What cannot be removed, because only a config that cannot be read says where it is. */
function placesUnknown({ releases }: Workspace, broken: readonly Problem[]): Extract<Event, { kind: 'notice' }> | undefined {
  const names = [...new Set(broken.flatMap(({ project }) => (project === undefined || releases.has(project) ? [] : [project])))];
  if (names.length === 0) return undefined;
  const message = `in which namespace ${names.join(', ')} would be is not known while the config cannot be read: nothing of that is removed`;
  return { kind: 'notice', message, hint: 'correct it, or name the namespace with --namespace' };
}

function isOver(turn: Turn): boolean {
  return progressOf(turn.after, turn.plan).state !== 'working';
}

/** A mistake that is told before anything is done also ends the steps that meet it. */
function distinct(problems: readonly Problem[]): readonly Problem[] {
  const byText = new Map(problems.map((problem) => [`${problem.code} ${problem.message}`, problem] as const));
  return [...byText.values()];
}

function interrupted(applied: readonly string[]): Problem {
  const stays = applied.length === 0 ? {} : { hint: `what was applied stays; slipway delete ${applied.join(' ')} removes it` };
  return { code: 'interrupted', message: 'interrupted before it was done', ...stays, retry: 'never', exitCode: 1 };
}

/** What the events of a run said about images and objects, for the document at its end. */
class ImageNotes {
  readonly built = new Set<string>();
  readonly delivered = new Set<string>();
  readonly applied = new Map<string, readonly string[]>();
  readonly removed = new Map<string, readonly string[]>();

  note(event: Parameters<CommandOptions['report']>[0]): void {
    if (event.kind === 'built') this.built.add(event.artifact);
    if (event.kind === 'delivered') this.delivered.add(event.artifact);
    if (event.kind === 'applied') this.applied.set(event.release, event.objects);
    if (event.kind === 'removed') this.removed.set(event.release, event.objects);
  }

  list(session: Session, world: World | undefined): BuildDocument['images'] {
    const images: BuildDocument['images'][number][] = [];
    for (const name of world?.goal.artifacts ?? []) {
      const artifact = world?.workspace?.artifacts.get(name);
      const image = world?.artifacts.get(name)?.image;
      if (!artifact || !image) continue;
      const built = this.built.has(name);
      images.push({
        project: artifact.project,
        artifact: name,
        image: artifact.image,
        tag: tagOfRef(image.delivered.ref) ?? inputDigestTag(image.snapshot.inputsHash),
        digest: image.delivered.digest,
        ref: image.delivered.ref,
        ...(!artifact.given && { inputs: image.snapshot.inputsHash }),
        built,
        delivered: this.delivered.has(name),
        because: built ? (session.delivery?.because ?? '') : artifact.given ? 'it was given' : hasIt(session),
      });
    }
    return images;
  }
}

function releasesOf(session: Session, world: World | undefined, notes: ImageNotes): DeployDocument['releases'] {
  return [...(world?.goal.releases ?? [])].flatMap((name) => {
    const release = world?.workspace?.releases.get(name);
    const live = world?.releases.get(name)?.live;
    if (!release) return [];
    const isFailed = ['apply', 'runHooks'].some((step) => world?.failures.has(`${step}:${name}`));
    const ready = live?.state === 'found' && live.value.rollout.state === 'ready' && !isFailed;
    return [
      {
        release: name,
        namespace: namespaceOf(session, release),
        state: ready ? ('ready' as const) : ('failed' as const),
        objects: notes.applied.get(name) ?? [],
      },
    ];
  });
}
