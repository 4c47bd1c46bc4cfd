import { connectEngine, type KubeObject } from '../clients';
import { inApplyOrder, manifestStream, render } from '../deploy';
import { failed, hooksAt, type Artifact, type ArtifactName, type DeliveredImage, type Problem, type World } from '../model';
import { fingerprintOf, viewOf } from '../plan';
import { chooseDelivery } from '../registry';
import { inputDigestTag, nameOfRef } from '../tag';
import type { CommandOptions, CommandResult, RenderDocument } from './command';
import { HookRunner } from './hookRunner';
import { writeOutput } from './outputFile';
import { deployContext, readReleaseManifests } from './releaseManifests';
import { rememberedGraph } from './rememberedGraph';
import { openRun } from './run';
import { deployableGoalFor, noticesOfAll, problemsOf } from './selection';
import { approachClusterOf, deliveryOptions, namesFor, preflight, type Session } from './session';
import { worstExit } from './worstExit';

export interface RenderOptions extends CommandOptions {
  /** Absolute path of a file that gets the YAML. */
  readonly output?: string;
  /** Asks neither the cluster nor a registry. */
  readonly offline?: boolean;
}

/** The manifests as `deploy` would apply them now: images of this state of the files, namespaces, labels and annotations. Changes nothing. */
export async function renderCommand(given: RenderOptions): Promise<CommandResult<RenderDocument>> {
  const options = { ...given, graph: rememberedGraph(given.graph) };
  const empty: RenderDocument = { releases: [], images: [], text: '' };
  const refuse = (problems: readonly Problem[]) => ({ exitCode: worstExit(problems), problems, document: empty });
  const looked = await lookAround(options);
  if (!looked.session) return refuse(looked.problems);
  const { session, offline } = looked;
  const { workspace } = session.read;
  const chosen = deployableGoalFor(workspace, 'deployed', options);
  if (!chosen.ok) return refuse(chosen.problems);
  // Half of what was asked for, piped into something that applies it, would be worse than nothing.
  const broken = problemsOf(workspace, options.projects);
  if (broken.length > 0) return refuse(broken);
  for (const notice of noticesOfAll(workspace)) options.report(notice);

  // Without the workspace among its facts the loop plans nothing, and only reads the disk.
  const run = await openRun({
    session: { ...session, kube: undefined },
    goal: chosen.goal,
    report: options.report,
    watch: false,
    listenOnly: true,
  });
  await run.loop.until((turn) => turn.after.scanned);
  await run.source.settle();
  const world = { ...run.loop.world(), workspace };
  await run.close();

  const hooks = new HookRunner(session, options.report);
  const images = new Images(session, world, offline);
  const releases: RenderDocument['releases'][number][] = [];
  const documents: { readonly comments: readonly string[]; readonly object: KubeObject }[] = [];
  const problems: Problem[] = [];
  for (const name of chosen.goal.releases) {
    const release = workspace.releases.get(name);
    if (!release) continue;
    const used = await Promise.all(release.artifacts.map((artifact) => images.imageOf(artifact)));
    const found = used.flatMap((image) => image ?? []);
    const refs = Object.fromEntries(found.map(({ artifact, ref, inputsHash }) => [artifact, { ref, inputsHash }]));
    const context = deployContext({ session, workspace, release, images: refs, offline: true });
    const stage = { workspace, images: refs, signal: options.signal };
    const wrong = await hooks.run(release, hooksAt(release.hooks, 'before', 'render'), stage);
    const read = wrong ? failed(wrong) : await readReleaseManifests(release, context);
    if (!read.ok) {
      problems.push(read.problem);
      continue;
    }
    const { namespace, imageNames } = context;
    const rendered = render({
      release,
      manifests: read.value.texts,
      images: refs,
      imageNames,
      namespace,
      workspaceId: session.workspaceId,
      fingerprint: fingerprintOf(release, read.value.tree, refs),
    });
    if (!rendered.ok) {
      problems.push(rendered.problem);
      continue;
    }
    const objects = inApplyOrder(rendered.value.map(({ object }) => object));
    releases.push({ release: name, namespace, objects });
    const comments = [`${name} in namespace ${namespace}`, ...found.map((image) => `image ${image.artifact}: ${image.because}`)];
    const input = manifestStream(objects.map((object) => ({ comments: [], object })));
    const refused = await hooks.run(release, hooksAt(release.hooks, 'after', 'render'), { ...stage, input });
    if (refused) problems.push(refused);
    objects.forEach((object, index) => documents.push({ comments: index === 0 ? comments : [], object }));
  }
  if (problems.length > 0) return refuse(problems);
  const text = manifestStream(documents);
  const document: RenderDocument = { releases, images: await images.list(), text };
  if (options.output === undefined) return { exitCode: 0, problems: [], document };
  const notWritten = await writeOutput(options.output, text, '--output');
  if (notWritten) return refuse([notWritten]);
  return { exitCode: 0, problems: [], document: { ...document, file: options.output } };
}

interface Looked {
  readonly session: Session | undefined;
  readonly problems: readonly Problem[];
  /** Why nothing is looked up; undefined when it is. */
  readonly offline: string | undefined;
}

/** With a cluster where there is one; rendering needs none. */
async function lookAround(options: RenderOptions): Promise<Looked> {
  let offline = '--offline was given';
  if (options.offline !== true) {
    const { session, problems } = await preflight(options, new Set(['workspace', 'cluster', 'delivery']), 'deploy');
    if (session || options.signal.aborted) return { session, problems, offline: undefined };
    offline = problems.map(({ message }) => message).join('; ');
  }
  const { session, problems } = await preflight(options, new Set(['workspace']), 'deploy');
  if (!session) return { session, problems, offline };
  // A kubeconfig names the namespace, and defaultRepo the registry, without anything being asked.
  const approached = await approachClusterOf(options);
  const { settings } = session.read;
  const engine = connectEngine({ env: options.env });
  const chosen =
    settings.defaultRepo.repo === undefined
      ? undefined
      : await chooseDelivery(deliveryOptions({ options, settings, kube: undefined, engine, registry: session.registry }));
  if (chosen && !chosen.ok) return { session: undefined, problems: [chosen.problem], offline };
  const named = { ...session, delivery: chosen?.value };
  return {
    session: { ...named, names: namesFor(named), target: approached.ok ? approached.value.target : undefined },
    problems: [],
    offline,
  };
}

interface RenderedImage {
  readonly artifact: ArtifactName;
  readonly project: string;
  readonly image: string;
  readonly tag: string;
  readonly digest: string | undefined;
  readonly ref: string;
  readonly inputsHash: string;
  readonly because: string;
}

/** The images of this state of the files, each looked up once. */
class Images {
  private readonly answers = new Map<ArtifactName, Promise<RenderedImage | undefined>>();

  constructor(
    private readonly session: Session,
    private world: World,
    private readonly offline: string | undefined,
  ) {}

  imageOf(name: ArtifactName): Promise<RenderedImage | undefined> {
    let answer = this.answers.get(name);
    if (!answer) this.answers.set(name, (answer = this.ask(name)));
    return answer;
  }

  async list(): Promise<RenderDocument['images']> {
    const all = await Promise.all(this.answers.values());
    return all.flatMap((image) => {
      if (!image) return [];
      const { project, artifact, image: name, tag, digest, ref, because } = image;
      return [{ project, artifact, image: name, tag, digest, ref, because }];
    });
  }

  private async ask(name: ArtifactName): Promise<RenderedImage | undefined> {
    const artifact = this.world.workspace?.artifacts.get(name);
    if (!artifact) return undefined;
    // What an image stands on is part of its tag.
    const bases = await Promise.all(artifact.requires.map((base) => this.imageOf(base)));
    const { now } = viewOf(this.world, artifact);
    const { names } = this.session;
    const bare = names.contentRef(artifact, now);
    const known = await names.tagFor(artifact, now);
    const tag = (known.ok ? known.value : undefined) ?? inputDigestTag(now.inputsHash);
    const found = await this.lookUp(bare);
    const delivered: DeliveredImage = found.image ?? { ref: bare, digest: '' };
    const state = { lookedUp: { state: 'unknown' }, lookedUpFor: undefined, built: undefined, stoppedOnce: false } as const;
    this.world = {
      ...this.world,
      artifacts: new Map(this.world.artifacts).set(name, { ...state, image: { snapshot: now, delivered, leftToFinish: false } }),
    };
    const missingBase = bases.find((base) => base && base.digest === undefined);
    return {
      artifact: name,
      project: artifact.project,
      image: artifact.image,
      tag,
      digest: found.image?.digest,
      ref: `${nameOfRef(bare)}:${tag}${found.image && found.image.ref.includes('@') ? `@${found.image.digest}` : ''}`,
      inputsHash: now.inputsHash,
      because: [
        found.because,
        ...(known.ok ? [] : [`by the tag of its content, as ${known.problem.message}`]),
        ...(missingBase ? [`it stands on ${missingBase.artifact}, so its tag will be another`] : []),
        ...ofTargets(artifact),
      ].join('; '),
    };
  }

  private async lookUp(ref: string): Promise<{ readonly image: DeliveredImage | undefined; readonly because: string }> {
    const { delivery } = this.session;
    if (this.offline !== undefined || !delivery)
      return { image: undefined, because: `its tag only, not looked up: ${this.offline ?? 'nothing says where images are'}` };
    const answer = await delivery.lookUp(ref);
    if (!answer.ok) return { image: undefined, because: `its tag only: ${answer.problem.message}` };
    if (!answer.value) return { image: undefined, because: 'its tag only, as it is not built yet' };
    return { image: answer.value, because: 'found where the cluster pulls it from' };
  }
}

/** What a target makes is taken as it is on disk. */
function ofTargets({ targets }: Artifact): readonly string[] {
  return targets.length === 0 ? [] : [`with the output of ${targets.join(', ')} as it is on disk`];
}
