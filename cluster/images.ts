import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { Engine } from './engine';
import { PAUSE_IMAGE } from './layout';
import { ClusterProblem } from './problem';
import { busybox } from './standins/busybox';
import { golang } from './standins/golang';
import { node } from './standins/node';
import { place } from './standins/place';
import { python } from './standins/python';
import { redis } from './standins/redis';
import type { StandIn } from './standins/standIn';

/** A public image that examples and tests stand on, and how this machine makes a stand-in when it cannot be pulled. */
export interface BaseImage {
  readonly image: string;
  readonly tag: string;
  readonly standIn: StandIn;
  /** Manifests name it themselves, so it has to be where the cluster's containers start and not only where images are built. */
  readonly inManifests?: true;
}

const MADE_BY = { key: 'dev.slipway.made-by', value: 'cluster' };
const LABEL = `LABEL ${MADE_BY.key}=${MADE_BY.value}`;

export const BASE_IMAGES: readonly BaseImage[] = [
  { image: 'busybox', tag: '1.36', standIn: busybox },
  { image: 'node', tag: '20-slim', standIn: node },
  { image: 'golang', tag: '1.26-alpine', standIn: golang },
  { image: 'python', tag: '3.11-slim', standIn: python },
  { image: 'redis', tag: '7-alpine', standIn: redis, inManifests: true },
];

/** Images that manifests name themselves. */
export const IMAGES_IN_MANIFESTS: readonly string[] = BASE_IMAGES.filter(({ inManifests }) => inManifests).map(nameOf);

export interface BaseImagesFound {
  readonly had: readonly string[];
  readonly pulled: readonly string[];
  readonly made: readonly string[];
  /** Those that this machine can neither pull nor make, each with the reason. */
  readonly missing: readonly string[];
}

export interface Folders {
  /** Where stand-ins are put together. */
  readonly scratch: string;
  /** Where they are kept for the next engine. */
  readonly cache: string;
}

/** How long a registry may take to say that it has an image. */
export const PROBE_MS = 3_000;
const PULL_MS = 300_000;

/** Sees to it that the engine has the base images: those it has stay, others are pulled where a registry is in reach, and made otherwise. */
export async function provideBaseImages(engine: Engine, folders: Folders): Promise<BaseImagesFound> {
  const found = { had: [] as string[], pulled: [] as string[], made: [] as string[], missing: [] as string[] };
  const wanted: BaseImage[] = [];
  for (const base of BASE_IMAGES) {
    if (await engine.hasImage(nameOf(base))) found.had.push(nameOf(base));
    else wanted.push(base);
  }
  const [first] = wanted;
  const online = first !== undefined && (await engine.reachesRegistryOf(nameOf(first), PROBE_MS));
  // Side by side: an engine unpacks them on as many processors as there are.
  await Promise.all(
    wanted.map(async (base) => {
      if (online && (await engine.pull(base.image, base.tag, PULL_MS))) {
        found.pulled.push(nameOf(base));
        return;
      }
      try {
        await makeBaseImage(engine, base, folders);
        found.made.push(nameOf(base));
      } catch (thrown) {
        // A cluster without it is of use all the same, to whoever needs another one.
        if (!(thrown instanceof ClusterProblem)) throw thrown;
        found.missing.push(`${nameOf(base)}: ${thrown.message}`);
      }
    }),
  );
  return found;
}

/** Takes the stand-ins out of an engine that goes on without the cluster: a build there should get the real image, or an error. */
export async function takeBackBaseImages(engine: Engine): Promise<string[]> {
  const taken: string[] = [];
  for (const name of BASE_IMAGES.map(nameOf)) {
    if ((await engine.labelsOf(name))?.[MADE_BY.key] !== MADE_BY.value) continue;
    await engine.untag(name);
    taken.push(name);
  }
  return taken;
}

export function nameOf({ image, tag }: Pick<BaseImage, 'image' | 'tag'>): string {
  return `${image}:${tag}`;
}

async function makeBaseImage(engine: Engine, { image, tag, standIn }: BaseImage, folders: Folders): Promise<void> {
  const files = await filesOf(image, standIn, folders);
  await engine.importImage({
    image,
    tag,
    changes: [LABEL, ...standIn.changes],
    files: createReadStream(files, { highWaterMark: 1 << 20 }),
  });
}

/** The files of a stand-in as an archive, made once and kept for as long as it would come out the same. */
async function filesOf(image: string, standIn: StandIn, { scratch, cache }: Folders): Promise<string> {
  const kept = join(cache, `${image}-${sha256(JSON.stringify([await standIn.madeFrom(), codeOfStandIns()])).slice(0, 16)}.tar`);
  if (existsSync(kept)) return kept;
  const root = join(scratch, `image-${image}`);
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root, { recursive: true });
  await standIn.fill(root);
  mkdirSync(cache, { recursive: true });
  // Whoever is killed leaves a file without the name that is looked for.
  const unfinished = join(cache, `.${image}.${process.pid}`);
  await pipeline(tarOf(root), createWriteStream(unfinished));
  renameSync(unfinished, kept);
  rmSync(root, { recursive: true, force: true });
  return kept;
}

/** What makes them is a part of what they are made from. */
function codeOfStandIns(): readonly string[] {
  const folder = join(__dirname, 'standins');
  return readdirSync(folder)
    .filter((name) => name.endsWith('.js'))
    .sort()
    .map((name) => readFileSync(join(folder, name), 'utf8'));
}

/** The same tree gives the same layer: names in order, no times. */
function tarOf(root: string): Readable {
  const tar = spawn('tar', ['-C', root, '--sort=name', '--mtime=@0', '--numeric-owner', '-cf', '-', '.'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  tar.on('error', (error) => tar.stdout.destroy(error));
  return tar.stdout;
}

/** Writes the image that holds a pod's namespaces open, in the form that `ctr images import` reads. */
export async function writePauseImage(pauseProgram: string, to: string, scratchFolder: string): Promise<void> {
  const root = join(scratchFolder, 'pause');
  rmSync(root, { recursive: true, force: true });
  mkdirSync(join(root, 'layer'), { recursive: true });
  place(pauseProgram, join(root, 'layer/pause'));
  chmodSync(join(root, 'layer/pause'), 0o755);
  const layer = await collect(tarOf(join(root, 'layer')));
  const config = JSON.stringify({
    architecture: process.arch === 'x64' ? 'amd64' : process.arch,
    os: 'linux',
    config: { Entrypoint: ['/pause'], User: '65535:65535' },
    rootfs: { type: 'layers', diff_ids: [`sha256:${sha256(layer)}`] },
    history: [{ created_by: 'slipway' }],
  });
  const image = join(root, 'image');
  mkdirSync(image);
  writeFileSync(join(image, 'layer.tar'), layer);
  writeFileSync(join(image, `${sha256(config)}.json`), config);
  writeFileSync(
    join(image, 'manifest.json'),
    JSON.stringify([{ Config: `${sha256(config)}.json`, RepoTags: [PAUSE_IMAGE], Layers: ['layer.tar'] }]),
  );
  writeFileSync(to, await collect(tarOf(image)));
  rmSync(root, { recursive: true, force: true });
}

async function collect(stream: Readable): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of stream) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks);
}

function sha256(content: Buffer | string): string {
  return createHash('sha256').update(content).digest('hex');
}
