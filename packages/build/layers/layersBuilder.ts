import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { ownPlatform } from '../../clients';
import {
  followStage,
  needsEngine,
  splitStages,
  stageNamed,
  type CopyStep,
  type EngineHead,
  type FollowedStage,
  type ImageStep,
  type SplitDockerfile,
  type SplitStage,
} from '../../dockerfile';
import { contentDigest, entryAt, failed, messageOf, platformsOf, succeeded, type Problem, type Result } from '../../model';
import { nameOfRef } from '../../tag';
import { baseRefOf } from '../bases';
import { engineNeeded } from '../engineNeeded';
import { filesUnknown, triggerOf } from '../baseTriggers';
import { labelsOf, type Builder, type BuildJob, type BuildTools, type Built } from '../builder';
import { contextOf } from '../docker/context';
import { nameInRegistry } from '../naming';
import { notForPlatform } from '../registryImage';
import { baseImages, keepLayer, type BaseImage, type BaseImages } from './baseImages';
import { blobStore, type BlobStore } from './blobStore';
import { contextTree } from './contextTree';
import { copyFiles, type CopyMistake } from './copyFiles';
import { emptyRoot, FileTree, type Content, type DirNode, type LayerEntry } from './fileTree';
import { dockerTypes, type ImageFile, type ImageHistory, type LayerRef, type MediaTypes } from './imageFile';
import { ownerOf } from './owners';
import { packLayer, type PackedLayer } from './packLayer';
import { publisher, type NewImage, type Publisher } from './publisher';
import { readFilesOf } from './readLayer';

export interface LayersBuilder extends Builder {
  /** Makes what is left when an engine has made the first part of the Dockerfile, whose image is in the registry. */
  buildOn(job: BuildJob, head: HeadImage): Promise<Result<Built>>;
}

export interface HeadImage {
  readonly head: EngineHead;
  /** With its digest. */
  readonly ref: string;
}

/** Puts images together without an engine: the layers of the base, and one for each instruction that writes files. */
export function layersBuilder({ registry, engine, cacheDir }: BuildTools): LayersBuilder {
  const store = blobStore(cacheDir);
  const tools: LayerTools = { registry, store, bases: baseImages({ registry, engine, store }), publisher: publisher({ registry, store }) };
  const buildOn = async (job: BuildJob, head: HeadImage | undefined): Promise<Result<Built>> => {
    try {
      const made = await buildAll(job, tools, head);
      return made.ok ? made : failed({ ...made.problem, project: job.artifact.project });
    } catch (error) {
      // The folder with the layers may be full or not ours; all else is a bug.
      const { code } = Object(error) as { readonly code?: unknown };
      if (typeof code !== 'string') throw error;
      return failed(code === 'ENOSPC' ? diskFull(job) : unusable(job, messageOf(error)));
    }
  };
  return { build: (job) => buildOn(job, undefined), buildOn };
}

interface LayerTools {
  readonly registry: BuildTools['registry'];
  readonly store: BlobStore;
  readonly bases: BaseImages;
  readonly publisher: Publisher;
}

/** Makes the image, or one for each of its platforms, and publishes them. */
async function buildAll(job: BuildJob, tools: LayerTools, head: HeadImage | undefined): Promise<Result<Built>> {
  const { artifact, snapshot, ref, signal } = job;
  const platforms = platformsOf(artifact.recipe);
  const images: NewImage[] = [];
  for (const platform of platforms.length === 0 ? [undefined] : platforms) {
    const made = await new LayersBuild(job, tools, { head, platform }).image();
    if (!made.ok) return made;
    // Something was written since it was looked at: nothing is made of it, and nothing is called by the name.
    if (made.value.kind === 'changed')
      return succeeded({ image: { location: 'registry', ref, id: '' }, sentHash: `changed:${made.value.digest}`, builder: 'layers' });
    images.push(made.value.image);
  }
  const { publisher: to, registry } = tools;
  const [only] = images;
  // Without more to be done the manifest gets its name as it is written.
  const target = job.beforeNaming ? nameOfRef(ref) : ref;
  const published = only && images.length === 1 ? await to.publish(only, target, signal) : await to.publishAll(images, target, signal);
  if (!published.ok) return published;
  const { digest } = published.value;
  const named = job.beforeNaming ? await nameInRegistry(registry, digest, job) : succeeded(undefined);
  if (!named.ok) return named;
  return succeeded({ image: { location: 'registry', ref, id: digest }, sentHash: snapshot.inputsHash, builder: 'layers' });
}

type MadeImage = { readonly kind: 'made'; readonly image: NewImage } | { readonly kind: 'changed'; readonly digest: string };

interface Making {
  readonly head: HeadImage | undefined;
  /** Undefined: that of this machine. */
  readonly platform: string | undefined;
}

/** A stage that was made: what an image of it would be. */
interface MadeStage {
  readonly followed: FollowedStage;
  readonly file: ImageFile;
  readonly types: MediaTypes;
  readonly root: DirNode;
  readonly layers: NewImage['layers'];
  readonly history: readonly ImageHistory[];
}

/** Images are as old everywhere. */
const created = '1970-01-01T00:00:00Z';

/** One build for one platform, from the Dockerfile to what is to be published. */
class LayersBuild {
  private readonly made = new Map<number, MadeStage>();
  private changed: string | undefined;

  private readonly head: HeadImage | undefined;
  private readonly platform: string | undefined;

  constructor(
    private readonly job: BuildJob,
    private readonly tools: LayerTools,
    { head, platform }: Making,
  ) {
    this.head = head;
    this.platform = platform;
  }

  async image(): Promise<Result<MadeImage>> {
    const { artifact, snapshot, root } = this.job;
    const { dockerfile, args, target } = artifact.recipe;
    const options = { args, ...(target !== undefined && { target }), ...(this.platform !== undefined && { platform: this.platform }) };
    const text = await readFile(join(root, dockerfile)).catch(() => Buffer.alloc(0));
    const entry = entryAt(snapshot.sources, dockerfile);
    if (entry?.kind !== 'file' || contentDigest(text) !== entry.digest) return succeeded({ kind: 'changed', digest: contentDigest(text) });
    const need = this.head ? undefined : needsEngine(text.toString('utf8'), { ...options, kindOf: () => 'dir' });
    const split = this.head?.head.split ?? splitStages(text.toString('utf8'), options);
    if (need || !split) return failed(this.needed(need?.because ?? 'it cannot be read', need?.line ?? 1));
    const final = await this.make(split.final, split);
    if (this.changed !== undefined) return succeeded({ kind: 'changed', digest: this.changed });
    return final.ok ? succeeded({ kind: 'made', image: this.imageOf(final.value) }) : final;
  }

  private imageOf({ followed, file, types, layers, history }: MadeStage): NewImage {
    const { architecture, os, variant, rootfs } = file;
    return {
      types,
      layers,
      file: {
        architecture,
        os,
        ...(variant !== undefined && { variant }),
        ...(followed.author !== undefined && { author: followed.author }),
        created,
        config: { ...followed.settings, Labels: { ...followed.settings.Labels, ...labelsOf(this.job) } },
        rootfs,
        history,
      },
    };
  }

  /** Makes a stage, after those that it stands on or copies from. */
  private async make(written: SplitStage, split: SplitDockerfile): Promise<Result<MadeStage>> {
    const known = this.made.get(written.index);
    if (known) return succeeded(known);
    const rest = this.head?.head.rest ?? [];
    const stage = rest.find(({ index }) => index === written.index) ?? written;
    const isOnHead = stage === rest[0];
    const base = isOnHead ? await this.headStage() : await this.baseOf(stage, split);
    if (!base.ok) return base;
    for (const source of sourcesOf(stage, split)) {
      const made = await this.make(source, split);
      if (!made.ok) return made;
    }
    const { args } = this.job.artifact.recipe;
    const commandIsOwn = isOnHead && this.head?.head.commandIsOwn === true;
    const made = await this.stage(base.value, followStage(stage, { split, args, base: base.value.followed, commandIsOwn }));
    if (made.ok) this.made.set(stage.index, made.value);
    return made;
  }

  private async stage(base: MadeStage, followed: FollowedStage): Promise<Result<MadeStage>> {
    const [mistake] = followed.mistakes;
    if (mistake) return failed(this.invalid(mistake.message, mistake.line));
    const tree = new FileTree(base.root);
    const layers = [...base.layers];
    const diffIds = [...base.file.rootfs.diff_ids];
    const history = [...base.history];
    for (const step of followed.steps) {
      const mistaken = await this.take(step, tree);
      if (mistaken !== undefined) return failed(this.mistaken(mistaken, step.line));
      // There is no use in going on; whoever asked looks at this first.
      if (this.changed !== undefined) return failed(this.invalid('a file changed meanwhile', step.line));
      const entries = tree.takeLayer();
      if (entries.length > 0) {
        const { blob, isNew } = await this.pack(entries);
        layers.push({ mediaType: base.types.layer, digest: blob.digest, size: blob.size, repository: undefined, isNew });
        diffIds.push(blob.diffId);
      }
      history.push({ created, created_by: step.text, comment: 'slipway', ...(entries.length === 0 && { empty_layer: true }) });
    }
    const file: ImageFile = { ...base.file, rootfs: { type: 'layers', diff_ids: diffIds } };
    return succeeded({ followed, file, types: base.types, root: tree.snapshot(), layers, history });
  }

  /** Does what one instruction says of files. Returns what is wrong with it. */
  private async take(step: ImageStep, tree: FileTree): Promise<CopyMistake | undefined> {
    if (step.kind === 'setting') return undefined;
    const read = (content: Content, size: number) => this.textOf(content, size);
    const owner = step.owner === undefined ? undefined : await ownerOf(step.owner, tree, read);
    if (typeof owner === 'string') return owner;
    if (step.kind === 'copy') return this.copy(step, owner, tree);
    return tree.makeDirectories(step.path, owner ?? { uid: 0, gid: 0 }) ? undefined : `${step.path} is not a directory`;
  }

  private copy(
    step: CopyStep,
    owner: Exclude<Awaited<ReturnType<typeof ownerOf>>, string> | undefined,
    tree: FileTree,
  ): CopyMistake | undefined {
    const { artifact, snapshot } = this.job;
    const from = step.from === undefined ? contextTree(contextOf(artifact, snapshot).entries) : this.made.get(step.from)?.root;
    // What is linked is laid over the image without a look at what is there.
    const into = step.link ? new FileTree() : tree;
    const mistake = copyFiles({ step, owner, from: new FileTree(from ?? emptyRoot), into });
    if (step.link && mistake === undefined) for (const { path, node } of into.takeLayer()) layOver(tree, path, node);
    return mistake;
  }

  private async pack(entries: readonly LayerEntry[]): Promise<PackedLayer> {
    const bytes = await this.readLayers(entries);
    const { store } = this.tools;
    const packed = await packLayer(entries, {
      root: this.job.root,
      store,
      bytesOf: ({ layer, name }) => bytes.get(layer)?.get(name),
    });
    const [first] = packed.changed;
    this.changed ??= first?.[1];
    return packed;
  }

  /** The bytes of files that come from other layers, by layer and name. */
  private async readLayers(entries: readonly LayerEntry[]): Promise<ReadonlyMap<string, ReadonlyMap<string, Buffer>>> {
    const wanted = new Map<string, Set<string>>();
    for (const { node } of entries) {
      if (node.kind !== 'file' || node.content.kind !== 'layer') continue;
      const names = wanted.get(node.content.layer) ?? new Set();
      wanted.set(node.content.layer, names.add(node.content.name));
    }
    const read = new Map<string, ReadonlyMap<string, Buffer>>();
    for (const [digest, names] of wanted) {
      const layer = [...this.made.values()].flatMap(({ layers }) => layers).find((each) => each.digest === digest);
      if (layer?.repository !== undefined) await keepLayer(layer, layer.repository, { ...this.tools, signal: this.job.signal });
      read.set(digest, await readFilesOf(this.tools.store.open(digest), layer === undefined || /gzip/.test(layer.mediaType), names));
    }
    return read;
  }

  private async textOf(content: Content, size: number): Promise<string | undefined> {
    if (content.kind === 'layer') return content.bytes?.toString('utf8');
    const bytes = await readFile(join(this.job.root, content.path)).catch(() => Buffer.alloc(size));
    if (contentDigest(bytes) !== content.digest) this.changed ??= contentDigest(bytes);
    return bytes.toString('utf8');
  }

  private async headStage(): Promise<Result<MadeStage>> {
    const { head, ref = '' } = this.head ?? {};
    return this.baseImage(ref, head?.line ?? 1);
  }

  private async baseOf({ base, line }: SplitStage, split: SplitDockerfile): Promise<Result<MadeStage>> {
    switch (base.kind) {
      case 'stage': {
        const stage = split.stages[base.index];
        if (!stage) throw new Error(`there is no stage ${base.index}`);
        return this.make(stage, split);
      }
      case 'scratch':
        return succeeded(fromScratch(this.platform ?? ownPlatform));
      case 'image':
        return this.baseImage(baseRefOf(base.name, this.job.bases) ?? base.name, line);
    }
  }

  private async baseImage(ref: string, line: number): Promise<Result<MadeStage>> {
    const { signal, artifact } = this.job;
    const location = { file: artifact.recipe.dockerfile, line };
    const image = await this.tools.bases.get(ref, { platform: this.platform ?? ownPlatform, target: this.job.ref, signal });
    if (!image.ok) return failed({ ...image.problem, location });
    const { os, architecture, config } = image.value.file;
    const triggers = config?.OnBuild ?? [];
    if (triggers.length > 0) {
      const left = { base: ref, triggers, location };
      return failed(filesUnknown(left) ?? engineNeeded(triggerOf(left), location));
    }
    // What is for one platform alone is found whichever is asked for.
    const fits = this.platform === undefined || `${this.platform}/`.startsWith(`${os}/${architecture}/`);
    return fits ? succeeded(asStage(image.value)) : failed({ ...notForPlatform(ref, this.platform), location });
  }

  private mistaken(mistake: CopyMistake, line: number): Problem {
    if (typeof mistake === 'string') return this.invalid(mistake, line);
    const location = { file: this.job.artifact.recipe.dockerfile, line };
    return engineNeeded(`${mistake.engineNeeded} (${location.file}:${line}),`, location);
  }

  private invalid(reason: string, line: number): Problem {
    const file = this.job.artifact.recipe.dockerfile;
    return {
      code: 'buildFailed',
      message: `the build failed at ${file}:${line}: ${reason}`,
      retry: 'whenInputChanges',
      exitCode: 1,
      location: { file, line },
    };
  }

  private needed(because: string, line: number): Problem {
    const file = this.job.artifact.recipe.dockerfile;
    return {
      code: 'engineNeeded',
      message: `${file}:${line}: ${because} needs an engine`,
      hint: 'set image.builder to docker or auto in slipway.yaml',
      retry: 'whenInputChanges',
      exitCode: 1,
      location: { file, line },
    };
  }
}

function asStage({ file, layers, types, root, repository }: BaseImage): MadeStage {
  const settings = { settings: file.config ?? {}, author: file.author, steps: [], args: new Map<string, string>(), mistakes: [] };
  return {
    followed: settings,
    file,
    types,
    root,
    layers: layers.map((layer: LayerRef) => ({ ...layer, repository })),
    history: file.history ?? [],
  };
}

function fromScratch(platform: string): MadeStage {
  const [os = 'linux', architecture = 'amd64', variant] = platform.split('/');
  const file: ImageFile = { architecture, os, ...(variant !== undefined && { variant }), rootfs: { type: 'layers', diff_ids: [] } };
  return asStage({ file, layers: [], types: dockerTypes, root: emptyRoot, repository: undefined });
}

/** The stages that a stage copies from. */
function sourcesOf(stage: SplitStage, { stages }: SplitDockerfile): readonly SplitStage[] {
  return stage.instructions.flatMap(({ keyword, flags }) => {
    const from = keyword === 'COPY' ? flags.find(({ name }) => name === 'from')?.value : undefined;
    const source = from === undefined ? undefined : stageNamed(from, stages.slice(0, stage.index));
    return source ? [source] : [];
  });
}

/** Directories get what is said of them, whatever was in their place. */
function layOver(tree: FileTree, path: string, node: LayerEntry['node']): void {
  const there = tree.at(path);
  if (node.kind !== 'dir') tree.put(path, node);
  else tree.put(path, { ...node, entries: there?.kind === 'dir' ? there.entries : new Map() });
}

/** What was half written is not kept, so nothing has to be mended. */
function diskFull({ artifact }: BuildJob): Problem {
  return {
    code: 'diskFull',
    message: `${artifact.name}: no space is left for its layers in .slipway/layers`,
    hint: 'free some; that folder itself can be removed, as all in it can be made again',
    retry: 'afterDelay',
    exitCode: 1,
    project: artifact.project,
  };
}

function unusable({ artifact }: BuildJob, reason: string): Problem {
  return {
    code: 'layerCacheUnusable',
    message: `${artifact.name}: its layers could not be made: ${reason}`,
    hint: 'they are kept in .slipway/layers, all of which can be removed and made again',
    retry: 'afterDelay',
    exitCode: 1,
    project: artifact.project,
  };
}
