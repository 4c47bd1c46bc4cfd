import { spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  copyFileSync,
  cpSync,
  existsSync,
  mkdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import { findProgram } from './debian';
import type { Engine } from './engine';
import { PAUSE_IMAGE } from './layout';
import { ClusterProblem } from './problem';
import { run } from './run';

/** An image that examples and tests stand on, and how this machine makes a stand-in when it cannot be pulled. */
export interface BaseImage {
  readonly image: string;
  readonly tag: string;
  readonly fill: (root: string) => Promise<void>;
  readonly changes: readonly string[];
}

const MADE_BY = { key: 'dev.slipway.made-by', value: 'cluster' };
const LABEL = `LABEL ${MADE_BY.key}=${MADE_BY.value}`;
const PATH_LINE = 'ENV PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

export const BASE_IMAGES: readonly BaseImage[] = [
  { image: 'busybox', tag: '1.36', fill: fillBusybox, changes: [LABEL, PATH_LINE, 'CMD ["sh"]'] },
  {
    image: 'node',
    tag: '20-slim',
    fill: async (root) => {
      await fillBusybox(root);
      await fillNode(root);
    },
    changes: [LABEL, PATH_LINE, `ENV NODE_VERSION=${process.versions.node}`, 'CMD ["node"]'],
  },
];

export interface BaseImagesFound {
  readonly had: readonly string[];
  readonly pulled: readonly string[];
  readonly made: readonly string[];
}

const PROBE_MS = 3_000;
const PULL_MS = 300_000;

/** Sees to it that the engine has the base images: those it has stay, others are pulled where a registry is in reach, and made otherwise. */
export async function provideBaseImages(engine: Engine, scratchFolder: string): Promise<BaseImagesFound> {
  const had: string[] = [];
  const missing: BaseImage[] = [];
  for (const base of BASE_IMAGES) {
    if (await engine.hasImage(nameOf(base))) had.push(nameOf(base));
    else missing.push(base);
  }
  const [first] = missing;
  const online = first !== undefined && (await engine.reachesRegistryOf(nameOf(first), PROBE_MS));
  const pulled: string[] = [];
  const made: string[] = [];
  for (const base of missing) {
    if (online && (await engine.pull(base.image, base.tag, PULL_MS))) {
      pulled.push(nameOf(base));
      continue;
    }
    await makeBaseImage(engine, base, scratchFolder);
    made.push(nameOf(base));
  }
  return { had, pulled, made };
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

async function makeBaseImage(engine: Engine, base: BaseImage, scratchFolder: string): Promise<void> {
  const root = join(scratchFolder, `image-${base.image}`);
  rmSync(root, { recursive: true, force: true });
  mkdirSync(root, { recursive: true });
  await base.fill(root);
  await engine.importImage({ image: base.image, tag: base.tag, changes: base.changes, files: tarOf(root) });
  rmSync(root, { recursive: true, force: true });
}

/** The same tree gives the same layer: names in order, no times. */
function tarOf(root: string): Readable {
  const tar = spawn('tar', ['-C', root, '--sort=name', '--mtime=@0', '--numeric-owner', '-cf', '-', '.'], {
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  tar.on('error', (error) => tar.stdout.destroy(error));
  return tar.stdout;
}

async function fillBusybox(root: string): Promise<void> {
  for (const folder of [
    'bin',
    'dev',
    'etc',
    'home/node',
    'proc',
    'root',
    'sys',
    'usr/bin',
    'usr/sbin',
    'usr/local/bin',
    'sbin',
    'var',
    'run',
  ])
    mkdirSync(join(root, folder), { recursive: true });
  for (const folder of ['tmp', 'var/tmp']) {
    mkdirSync(join(root, folder));
    chmodSync(join(root, folder), 0o1777);
  }
  const busybox = findProgram('busybox');
  if (busybox === undefined) throw new ClusterProblem('busybox is not on this machine', 'Install the Debian package busybox-static.');
  copyFileSync(busybox, join(root, 'bin/busybox'));
  chmodSync(join(root, 'bin/busybox'), 0o755);
  const { stdout } = await run([busybox, '--list']);
  for (const applet of stdout.split('\n')) {
    if (applet !== '' && applet !== 'busybox') symlinkSync('busybox', join(root, 'bin', applet));
  }
  symlinkSync('/bin/env', join(root, 'usr/bin/env'));
  const etc = (name: string, text: string) => writeFileSync(join(root, 'etc', name), text);
  etc('passwd', 'root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000:node:/home/node:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n');
  etc('group', 'root:x:0:\nnode:x:1000:\nnogroup:x:65534:\n');
  etc('shadow', 'root:*:::::::\nnode:*:::::::\nnobody:*:::::::\n');
  etc('nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files dns\n');
  chownSync(join(root, 'home/node'), 1000, 1000);
}

async function fillNode(root: string): Promise<void> {
  const node = realpathSync(process.execPath);
  place(node, join(root, 'usr/local/bin/node'));
  for (const library of await librariesOf(node)) place(realpathSync(library), join(root, library));
  const certificates = '/etc/ssl/certs/ca-certificates.crt';
  if (existsSync(certificates)) place(certificates, join(root, certificates));
  if (existsSync('/etc/os-release')) place(realpathSync('/etc/os-release'), join(root, 'etc/os-release'));
  // Images of Node bring npm, and many a Dockerfile runs it.
  const npm = findProgram('npm');
  const npmFolder = npm === undefined ? undefined : dirname(dirname(realpathSync(npm)));
  if (npmFolder !== undefined && existsSync(join(npmFolder, 'bin/npm-cli.js'))) {
    cpSync(npmFolder, join(root, 'usr/local/lib/node_modules/npm'), { recursive: true });
    // Node trusts a list of its own; a machine behind a proxy that signs anew has that proxy's certificate among Debian's.
    mkdirSync(join(root, 'usr/local/etc'), { recursive: true });
    writeFileSync(join(root, 'usr/local/etc/npmrc'), `cafile=${certificates}\nupdate-notifier=false\n`);
    for (const name of ['npm', 'npx']) symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(root, 'usr/local/bin', name));
  }
}

/** The shared libraries of a program, and the loader that it names itself. */
async function librariesOf(program: string): Promise<string[]> {
  const { stdout } = await run(['ldd', program]);
  return [...stdout.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map((match) => match[1] ?? '');
}

function place(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
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
