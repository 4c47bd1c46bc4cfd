import { execFile } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { promisify } from 'node:util';
import { openBuilders } from '../build';
import { blobStore } from '../build/layers/blobStore';
import { indexLayer, readFilesOf, treeOfLayers } from '../build/layers/readLayer';
import { FileTree, type Node } from '../build/layers/fileTree';
import type { ImageFile, ImageManifest } from '../build/layers/imageFile';
import { connectEngine, connectKube, openRegistry, processes } from '../clients';
import { inputsOf, readDockerfile, readIgnore, type PathKind } from '../dockerfile';
import { contentDigest, dirEntry, entryAt, leavesOf, type Artifact, type DirEntry, type Input, type Snapshot } from '../model';
import { select, snapshotOf } from '../plan';
import { readEntry } from '../source';
import { buildkitPrograms, startBuildkitd } from './buildkitDaemon';
import { builtPrograms } from './deployTools';
import { localRegistry, valueOf } from './localRegistry';

/**
 * What answers for `docker`: the Docker engine, or a buildkitd of its own, which may be newer than that of an old engine, knows more
 * flags of COPY, and reads `.dockerignore` itself.
 */
export type EngineKind = 'docker' | 'buildkit';

export type BuilderKind = 'docker' | 'layers' | 'docker+layers';

/** An image as it is in the registry. */
export interface SeenImage {
  readonly config: unknown;
  /** A line for each path, with kind, owner, mode and content. */
  readonly files: readonly string[];
  /** By path. */
  readonly contents: ReadonlyMap<string, SeenFile>;
  /** The path that a path leads to, through the links of the image. */
  readonly resolved: (path: string) => string;
}

export interface SeenFile {
  readonly digest: string;
  /** As far as it is kept in step: `755` of it. */
  readonly mode: number;
}

/** What Slipway says of a Dockerfile before it is built. */
export interface SaidImage {
  /** Files that are copied into running containers, by the path where they are said to land. */
  readonly landing: ReadonlyMap<string, SeenFile>;
  /** Digests of the contents of all files that are inputs, and whether a change of them asks for a new image. */
  readonly inputs: ReadonlyMap<string, Input['onChange']>;
  /** Digests of all that the context has. */
  readonly context: ReadonlySet<string>;
}

export interface BuildWish {
  readonly target?: string;
  /** Content of the context's `.dockerignore`, which only BuildKit itself is asked to keep. */
  readonly ignore?: string;
}

/** Dockerfiles built in several ways over one small context, all of whose files differ. */
export interface BuiltImages {
  /** Builds, and reads the result back from the registry. Rejects when the build fails. */
  seen(kind: BuilderKind, text: string, wish?: BuildWish): Promise<SeenImage>;
  /** Undefined: the Dockerfile has mistakes. */
  said(text: string, wish?: BuildWish): Promise<SaidImage | undefined>;
  close(): Promise<void>;
}

const context = 'ctx';
const dockerfile = `${context}/Dockerfile.test`;
const args = { GIVEN: 'given' };
/** What the Dockerfiles of the tables stand on. */
const bases = ['busybox:1.36', 'node:20-slim'];

export async function openBuiltImages(engineKind: EngineKind = 'docker'): Promise<BuiltImages> {
  const engine = connectEngine();
  const registry = openRegistry();
  const host = await localRegistry(valueOf(await connectKube()));
  const repo = `${host}/built-${randomUUID().slice(0, 8)}`;
  const root = mkdtempSync(join(tmpdir(), 'slipway-built-'));
  const builder = openBuilders({ engine, registry, processes, cacheDir: join(root, '.cache'), hasRegistry: true, env: process.env });
  const signal = AbortSignal.timeout(1_800_000);
  const made: string[] = [];
  writeContext(join(root, context));
  const push = async (ref: string): Promise<void> => {
    made.push(ref);
    valueOf(await engine.push({ ref, signal, onLine: () => undefined }));
  };
  const buildkit = engineKind === 'buildkit' ? await openBuildkit() : undefined;

  /** The workspace with one Dockerfile. */
  const workspaceWith = async (text: string, { ignore }: BuildWish): Promise<DirEntry> => {
    writeFileSync(join(root, dockerfile), text);
    rmSync(join(root, context, '.dockerignore'), { force: true });
    if (ignore !== undefined) writeFileSync(join(root, context, '.dockerignore'), ignore);
    const files = valueOf(await readEntry(root, context));
    if (!files) throw new Error('the context is not there');
    return dirEntry(new Map([[context, files]]));
  };

  return {
    async seen(kind, text, wish = {}) {
      const { target } = wish;
      const ref = `${repo}/${kind.replace('+', '-and-')}:${contentDigest(text + JSON.stringify(wish)).slice(0, 20)}`;
      const sources = await workspaceWith(text, wish);
      if (kind === 'docker' && buildkit) {
        await buildkit.build({ ref, target, labels: { project: 'it', inputs: contentDigest(text) } });
        return pulled(ref);
      }
      const artifact = artifactWith([], { builder: `${kind}/1`, ...(target !== undefined && { target }) });
      const snapshot: Snapshot = { inputsHash: contentDigest(text), rebuildHash: '', layoutHash: '', sources, tree: sources };
      const lines: string[] = [];
      const built = await builder.build({ artifact, snapshot, bases: {}, root, ref, signal, onLine: (line) => lines.push(line) });
      if (!built.ok) throw new Error(`${kind}: ${built.problem.message}\n${built.problem.detail ?? ''}\n${lines.join('\n')}`);
      expect(built.value.sentHash).toBe(snapshot.inputsHash);
      // Also what was found to need one when its base was read.
      if (built.value.image.location === 'engine') await push(ref);
      return pulled(ref);
    },
    async said(text, wish = {}) {
      const tree = await workspaceWith(text, wish);
      const kindOf = (path: string): PathKind | undefined => entryAt(tree, inContext(path))?.kind;
      const namesIn = (directory: string) => {
        const entry = entryAt(tree, inContext(directory));
        return entry?.kind === 'dir' ? [...entry.entries.keys()].sort() : [];
      };
      const { facts } = readDockerfile(text, { file: dockerfile, args, kindOf, namesIn });
      if (!facts) return undefined;
      const inputs = inputsOf(facts, {
        file: dockerfile,
        context,
        ignore: wish.ignore === undefined ? undefined : readIgnore(wish.ignore).matcher,
      });
      const onChange = new Map<string, Input['onChange']>();
      for (const input of inputs) {
        const entry = select(tree, input);
        for (const [, leaf] of entry ? leavesOf(entry, '') : [])
          if (leaf.kind === 'file' && onChange.get(short(leaf.digest)) !== 'rebuild') onChange.set(short(leaf.digest), input.onChange);
      }
      const landing = [...leavesOf(snapshotOf(artifactWith(inputs, { builder: 'docker/1' }), tree, {}).tree, '')];
      return {
        inputs: onChange,
        landing: new Map(
          landing.flatMap(([path, leaf]) => (leaf.kind === 'file' ? [[`/${path}`, { digest: short(leaf.digest), mode: leaf.mode }]] : [])),
        ),
        context: new Set([...leavesOf(tree)].flatMap(([, leaf]) => (leaf.kind === 'file' ? [short(leaf.digest)] : []))),
      };
    },
    async close() {
      await buildkit?.stop();
      for (const ref of made) await engine.remove(ref);
      rmSync(root, { recursive: true });
    },
  };

  /** It finds the base images of the engine in the local registry, in place of Docker Hub. */
  async function openBuildkit(): Promise<Buildkit> {
    const hub = `${repo}/hub`;
    for (const base of bases) {
      const ref = `${hub}/library/${base}`;
      valueOf(await engine.tag(base, ref));
      await push(ref);
    }
    const folder = join(root, '.buildkit');
    const programs = await builtPrograms(buildkitPrograms, folder);
    const config = `[registry."docker.io"]\n  mirrors = ["${hub}"]\n[registry."${host}"]\n  http = true\n`;
    const daemon = await startBuildkitd(programs, { folder, config });
    const command = programs.find(({ name }) => name === 'buildctl')?.path ?? '';
    return {
      stop: () => daemon.stop(),
      async build({ ref, target, labels }) {
        const options = {
          ...Object.fromEntries(Object.entries(labels).map(([name, value]) => [`label:dev.slipway.${name}`, value])),
          filename: basename(dockerfile),
          'build-arg:GIVEN': args.GIVEN,
          ...(target !== undefined && { target }),
        };
        await promisify(execFile)(command, [
          `--addr=${daemon.address}`,
          'build',
          '--frontend=dockerfile.v0',
          `--local=context=${join(root, context)}`,
          `--local=dockerfile=${join(root, dirname(dockerfile))}`,
          ...Object.entries(options).map(([name, value]) => `--opt=${name}=${value}`),
          `--output=type=image,name=${ref},push=true,registry.insecure=true`,
        ]);
      },
    };
  }

  async function pulled(ref: string): Promise<SeenImage> {
    const repository = ref.replace(/:[^:/]*$/, '');
    const manifest = valueOf(await registry.manifest(ref));
    if (!manifest) throw new Error(`there is no ${ref}`);
    const { config, layers } = JSON.parse(manifest.content.toString()) as ImageManifest;
    const blob = async (digest: string) => {
      const content = valueOf(await registry.readBlob({ repository, digest }));
      if (!content) throw new Error(`${digest} is missing`);
      return content;
    };
    const file = JSON.parse((await buffer(await blob(config.digest))).toString()) as ImageFile;
    expect(file.rootfs.diff_ids).toHaveLength(layers.length);
    const store = blobStore(join(root, '.seen'));
    const indexes = [];
    const digests = new Map<string, string>();
    for (const { digest } of layers) {
      const kept = await store.add(await blob(digest));
      expect(kept.digest).toBe(digest);
      const index = await indexLayer(store.open(digest), true);
      indexes.push({ id: digest, index });
      const read = await readFilesOf(store.open(digest), true, new Set(index.map(([name]) => name)));
      for (const [name, bytes] of read) digests.set(`${digest} ${name}`, short(contentDigest(bytes)));
    }
    const told = { ...file.config } as Record<string, unknown>;
    const contents = new Map<string, SeenFile>();
    const tree = treeOfLayers(indexes);
    const files = listed(tree, '', (path, node) => {
      if (node.kind !== 'file' || node.content.kind !== 'layer') return '';
      const digest = digests.get(`${node.content.layer} ${node.content.name}`) ?? '?';
      contents.set(path, { digest, mode: node.mode & 0o755 });
      return ` ${digest}`;
    });
    return {
      config: { ...settled(told), os: file.os, architecture: file.architecture, author: file.author },
      files,
      contents,
      resolved: (path) => new FileTree(tree).resolved(path) ?? path,
    };
  }
}

interface Buildkit {
  build(wish: {
    readonly ref: string;
    readonly target: string | undefined;
    readonly labels: Readonly<Record<string, string>>;
  }): Promise<void>;
  stop(): Promise<void>;
}

function artifactWith(inputs: readonly Input[], recipe: { readonly builder: string; readonly target?: string }): Artifact {
  return {
    name: 'it',
    project: 'it',
    image: 'it',
    recipe: { context, dockerfile, args, ...recipe },
    inputs,
    requires: [],
    targets: [],
    after: [],
    reload: { kind: 'rebuild', because: 'it is a test' },
  };
}

function inContext(path: string): string {
  return path === '' ? context : `${context}/${path}`;
}

function short(digest: string): string {
  return digest.slice(0, 12);
}

function writeContext(folder: string): void {
  const files: Readonly<Record<string, string>> = {
    'a.txt': 'a',
    'b.txt': 'b',
    'run.sh': '#!/bin/sh',
    'secret.key': 'k',
    'dir/one.txt': 'one',
    'dir/two.md': 'two',
    'dir/sub/three.txt': 'three',
    'dir/sub/deep/four.txt': 'four',
    'other/one.txt': 'other one',
    'other/sub/five.txt': 'five',
    [`long/${'n'.repeat(60)}/${'m'.repeat(60)}.txt`]: 'long',
    'päth/ü.txt': 'umlaut',
    passwd: 'root:x:0:0::/:/bin/sh\nme:x:77:88::/:/bin/sh\n',
    group: 'root:x:0:\nus:x:99:\n',
  };
  for (const [path, content] of Object.entries(files)) {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), content);
  }
  chmodSync(join(folder, 'run.sh'), 0o755);
  chmodSync(join(folder, 'secret.key'), 0o600);
  mkdirSync(join(folder, 'empty'));
  symlinkSync('a.txt', join(folder, 'link'));
  symlinkSync('dir', join(folder, 'dirlink'));
  symlinkSync('../a.txt', join(folder, 'dir/inner'));
}

/** What engines write in different ways for the same. */
function settled(config: Record<string, unknown>): Record<string, unknown> {
  const kept = Object.entries(config).filter(([key, value]) => {
    if (['ArgsEscaped', 'Hostname', 'Domainname', 'Image'].includes(key)) return false;
    return value !== null && value !== false && value !== '' && !(typeof value === 'object' && Object.keys(value).length === 0);
  });
  return Object.fromEntries(kept.sort(([one], [other]) => (one < other ? -1 : 1)));
}

function listed(node: Node, path: string, contentOf: (path: string, node: Node) => string): string[] {
  const rights = node.kind === 'link' ? node.target : node.mode.toString(8);
  const own = path === '' ? [] : [`${path} ${node.kind} ${node.uid}:${node.gid} ${rights}${contentOf(path, node)}`];
  if (node.kind !== 'dir') return own;
  const entries = [...node.entries].sort(([one], [other]) => (one < other ? -1 : 1));
  return [...own, ...entries.flatMap(([name, entry]) => listed(entry, `${path}/${name}`, contentOf))];
}
