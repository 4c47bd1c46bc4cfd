import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import {
  followStage,
  needsEngine,
  splitStages,
  type CopyStep,
  type FollowedStage,
  type ImageStep,
  type SplitStage,
} from '../../dockerfile';
import { contentDigest, entryAt, failed, messageOf, succeeded, type Problem, type Result } from '../../model';
import { labels, type Builder, type BuildJob, type BuildTools, type Built } from '../builder';
import { contextOf } from '../docker/context';
import { baseImages, keepLayer, type BaseImage, type BaseImages } from './baseImages';
import { blobStore, type BlobStore, type PackedBlob } from './blobStore';
import { contextTree } from './contextTree';
import { copyFiles } from './copyFiles';
import { emptyRoot, FileTree, type Content, type DirNode, type LayerEntry } from './fileTree';
import { dockerTypes, type ImageFile, type ImageHistory, type LayerRef, type MediaTypes } from './imageFile';
import { ownerOf } from './owners';
import { packLayer } from './packLayer';
import { publisher, type NewImage, type Publisher } from './publisher';
import { readFilesOf } from './readLayer';

/** Puts images together without an engine: the layers of the base, and one for each instruction that writes files. */
export function layersBuilder({ registry, engine, cacheDir }: BuildTools): Builder {
  const store = blobStore(cacheDir);
  const tools: LayerTools = { registry, store, bases: baseImages({ registry, engine, store }), publisher: publisher({ registry, store }) };
  return {
    async build(job) {
      try {
        const made = await new LayersBuild(job, tools).build();
        return made.ok ? made : failed({ ...made.problem, project: job.artifact.project });
      } catch (error) {
        // The folder with the layers may be full or not ours; all else is a bug.
        if (!(error instanceof Error && 'code' in error && typeof error.code === 'string')) throw error;
        return failed(unusable(job, messageOf(error)));
      }
    },
  };
}

interface LayerTools {
  readonly registry: BuildTools['registry'];
  readonly store: BlobStore;
  readonly bases: BaseImages;
  readonly publisher: Publisher;
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

/** One build, from the Dockerfile to the registry. */
class LayersBuild {
  private readonly made = new Map<number, MadeStage>();
  private changed: string | undefined;

  constructor(
    private readonly job: BuildJob,
    private readonly tools: LayerTools,
  ) {}

  async build(): Promise<Result<Built>> {
    const { artifact, snapshot, root, ref, signal } = this.job;
    const { recipe } = artifact;
    const text = await readFile(join(root, recipe.dockerfile)).catch(() => Buffer.alloc(0));
    const entry = entryAt(snapshot.sources, recipe.dockerfile);
    if (entry?.kind !== 'file' || contentDigest(text) !== entry.digest) return succeeded(this.notSent(contentDigest(text)));
    const need = needsEngine(text.toString('utf8'), { ...recipe, kindOf: () => 'dir' });
    const split = splitStages(text.toString('utf8'), recipe);
    if (need || !split) return failed(this.needed(need?.because ?? 'it cannot be read', need?.line ?? 1));
    for (const stage of split.reached) {
      const made = await this.stage(stage, split);
      if (!made.ok) return made;
      this.made.set(stage.index, made.value);
      if (this.changed !== undefined) return succeeded(this.notSent(this.changed));
    }
    const final = this.made.get(split.final.index);
    if (!final) throw new Error(`stage ${split.final.index} was not made`);
    const published = await this.tools.publisher.publish(this.imageOf(final), ref, signal);
    if (!published.ok) return published;
    return succeeded({
      image: { location: 'registry', ref, id: published.value.digest },
      sentHash: snapshot.inputsHash,
      builder: 'layers',
    });
  }

  private imageOf({ followed, file, types, layers, history }: MadeStage): NewImage {
    const { artifact, snapshot } = this.job;
    const own = { [labels.project]: artifact.project, [labels.inputs]: snapshot.inputsHash };
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
        config: { ...followed.settings, Labels: { ...followed.settings.Labels, ...own } },
        rootfs,
        history,
      },
    };
  }

  private async stage(stage: SplitStage, split: NonNullable<ReturnType<typeof splitStages>>): Promise<Result<MadeStage>> {
    const base = await this.baseOf(stage);
    if (!base.ok) return base;
    const followed = followStage(stage, { split, args: this.job.artifact.recipe.args, base: base.value.followed });
    const [mistake] = followed.mistakes;
    if (mistake) return failed(this.invalid(mistake.message, mistake.line));
    const tree = new FileTree(base.value.root);
    const layers = [...base.value.layers];
    const diffIds = [...base.value.file.rootfs.diff_ids];
    const history = [...base.value.history];
    for (const step of followed.steps) {
      const mistaken = await this.take(step, tree);
      if (mistaken !== undefined) return failed(this.invalid(mistaken, step.line));
      const entries = tree.takeLayer();
      if (entries.length > 0) {
        const blob = await this.pack(entries);
        layers.push({ mediaType: base.value.types.layer, digest: blob.digest, size: blob.size, repository: undefined });
        diffIds.push(blob.diffId);
      }
      history.push({ created, created_by: step.text, comment: 'slipway', ...(entries.length === 0 && { empty_layer: true }) });
    }
    const file: ImageFile = { ...base.value.file, rootfs: { type: 'layers', diff_ids: diffIds } };
    return succeeded({ followed, file, types: base.value.types, root: tree.snapshot(), layers, history });
  }

  /** Does what one instruction says of files. Returns what is wrong with it. */
  private async take(step: ImageStep, tree: FileTree): Promise<string | undefined> {
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
  ): string | undefined {
    const { artifact, snapshot } = this.job;
    const from = step.from === undefined ? contextTree(contextOf(artifact, snapshot).entries) : this.made.get(step.from)?.root;
    // What is linked is laid over the image without a look at what is there.
    const into = step.link ? new FileTree() : tree;
    const mistake = copyFiles({ step, owner, from: new FileTree(from ?? emptyRoot), into });
    if (step.link && mistake === undefined) for (const { path, node } of into.takeLayer()) layOver(tree, path, node);
    return mistake;
  }

  private async pack(entries: readonly LayerEntry[]): Promise<PackedBlob> {
    const bytes = await this.readLayers(entries);
    const { store } = this.tools;
    const { blob, changed } = await packLayer(entries, {
      root: this.job.root,
      store,
      bytesOf: ({ layer, name }) => bytes.get(layer)?.get(name),
    });
    const [first] = changed;
    this.changed ??= first?.[1];
    return blob;
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

  private async baseOf(stage: SplitStage): Promise<Result<MadeStage>> {
    const { base, line } = stage;
    switch (base.kind) {
      case 'stage': {
        const made = this.made.get(base.index);
        if (!made) throw new Error(`stage ${base.index} was not made`);
        return succeeded(made);
      }
      case 'scratch':
        return succeeded(fromScratch(this.platform));
      case 'image': {
        const image = await this.tools.bases.get(refOfBase(base.name, this.job.bases), this.platform, this.job.signal);
        if (image.ok) return succeeded(asStage(image.value));
        return failed({ ...image.problem, location: { file: this.job.artifact.recipe.dockerfile, line } });
      }
    }
  }

  private get platform(): string {
    return this.job.artifact.recipe.platform ?? `linux/${process.arch === 'x64' ? 'amd64' : process.arch}`;
  }

  /** Something was written since it was looked at: nothing is made of it, and nothing is called by the name. */
  private notSent(digest: string): Built {
    return { image: { location: 'registry', ref: this.job.ref, id: '' }, sentHash: `changed:${digest}`, builder: 'layers' };
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

/** The image of this workspace that a FROM names, with any tag, or what it says. */
function refOfBase(name: string, bases: Readonly<Record<string, string>>): string {
  const withoutTag = name.replace(/:[^/:]*$/, '');
  return (Object.hasOwn(bases, name) ? bases[name] : Object.hasOwn(bases, withoutTag) ? bases[withoutTag] : undefined) ?? name;
}

/** Directories get what is said of them, whatever was in their place. */
function layOver(tree: FileTree, path: string, node: LayerEntry['node']): void {
  const there = tree.at(path);
  if (node.kind !== 'dir') tree.put(path, node);
  else tree.put(path, { ...node, entries: there?.kind === 'dir' ? there.entries : new Map() });
}

function unusable({ artifact }: BuildJob, reason: string): Problem {
  return {
    code: 'layerCacheUnusable',
    message: `${artifact.name}: its layers could not be made: ${reason}`,
    retry: 'afterDelay',
    exitCode: 1,
    project: artifact.project,
  };
}
