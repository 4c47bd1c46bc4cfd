import { randomUUID } from 'node:crypto';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { buffer } from 'node:stream/consumers';
import { openBuilders, type Builder } from '../build';
import { blobStore } from '../build/layers/blobStore';
import { indexLayer, readFilesOf, treeOfLayers } from '../build/layers/readLayer';
import type { Node } from '../build/layers/fileTree';
import type { ImageFile, ImageManifest } from '../build/layers/imageFile';
import { connectEngine, connectKube, openRegistry } from '../clients';
import { engineHead, needsEngine } from '../dockerfile';
import { contentDigest, type Artifact, type Snapshot } from '../model';
import { readEntry } from '../source';
import { headTable, layersTable } from './layersTable';
import { localRegistry, valueOf } from './localRegistry';

// The same Dockerfile, built by a real engine and put together without one, has to come out the same.
const engine = connectEngine();
const registry = openRegistry();
const run = `layers-${randomUUID().slice(0, 8)}`;
const root = mkdtempSync(join(tmpdir(), 'slipway-layers-'));
const signal = AbortSignal.timeout(600_000);
let repo: string;
let builder: Builder;
const made: string[] = [];

jest.setTimeout(120_000);
beforeAll(async () => {
  repo = `${await localRegistry(valueOf(await connectKube()))}/${run}`;
  builder = openBuilders({ engine, registry, cacheDir: join(root, '.cache'), hasRegistry: true, env: {} });
  writeContext();
});
afterAll(async () => {
  for (const ref of made) await engine.remove(ref);
  rmSync(root, { recursive: true });
});

function writeContext(): void {
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
    mkdirSync(dirname(join(root, 'ctx', path)), { recursive: true });
    writeFileSync(join(root, 'ctx', path), content);
  }
  chmodSync(join(root, 'ctx/run.sh'), 0o755);
  chmodSync(join(root, 'ctx/secret.key'), 0o600);
  mkdirSync(join(root, 'ctx/empty'));
  symlinkSync('a.txt', join(root, 'ctx/link'));
  symlinkSync('dir', join(root, 'ctx/dirlink'));
  symlinkSync('../a.txt', join(root, 'ctx/dir/inner'));
}

async function artifactOf(
  text: string,
  { builder: kind, target }: { builder: string; target?: string },
): Promise<{ artifact: Artifact; snapshot: Snapshot }> {
  const dockerfile = 'Dockerfile.test';
  writeFileSync(join(root, dockerfile), text);
  const recipe = { builder: kind, context: 'ctx', dockerfile, args: { GIVEN: 'given' }, ...(target !== undefined && { target }) };
  const artifact: Artifact = {
    name: 'it',
    project: 'it',
    image: 'it',
    recipe,
    inputs: [],
    requires: [],
    targets: [],
    after: [],
    reload: { kind: 'rebuild', because: 'it is a test' },
  };
  const [context, file] = [valueOf(await readEntry(root, 'ctx')), valueOf(await readEntry(root, dockerfile))];
  if (!context || !file) throw new Error('the context is not there');
  const sources = {
    kind: 'dir',
    hash: 'd:test',
    entries: new Map([
      ['ctx', context],
      [dockerfile, file],
    ]),
  } as const;
  const snapshot: Snapshot = { inputsHash: contentDigest(text), rebuildHash: '', layoutHash: '', sources, tree: sources };
  return { artifact, snapshot };
}

interface Seen {
  readonly config: unknown;
  readonly files: readonly string[];
}

/** Builds with one kind and reads the result back from the registry. */
async function seen(kind: 'docker' | 'layers' | 'docker+layers', text: string, target?: string): Promise<Seen> {
  const ref = `${repo}/${kind.replace('+', '-and-')}:${contentDigest(text + (target ?? '')).slice(0, 20)}`;
  const { artifact, snapshot } = await artifactOf(text, { builder: `${kind}/1`, ...(target !== undefined && { target }) });
  const lines: string[] = [];
  const built = await builder.build({ artifact, snapshot, bases: {}, root, ref, signal, onLine: (line) => lines.push(line) });
  if (!built.ok) throw new Error(`${kind}: ${built.problem.message}\n${built.problem.detail ?? ''}\n${lines.join('\n')}`);
  expect(built.value.sentHash).toBe(snapshot.inputsHash);
  if (kind === 'docker') {
    made.push(ref);
    valueOf(await engine.push({ ref, signal, onLine: () => undefined }));
  }
  return pulled(ref);
}

async function pulled(ref: string): Promise<Seen> {
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
  const contents = new Map<string, string>();
  for (const { digest } of layers) {
    const kept = await store.add(await blob(digest));
    expect(kept.digest).toBe(digest);
    const index = await indexLayer(store.open(digest), true);
    indexes.push({ id: digest, index });
    const read = await readFilesOf(store.open(digest), true, new Set(index.map(([name]) => name)));
    for (const [name, bytes] of read) contents.set(`${digest} ${name}`, contentDigest(bytes).slice(0, 12));
  }
  const told = { ...file.config } as Record<string, unknown>;
  return {
    config: { ...settled(told), os: file.os, architecture: file.architecture, author: file.author },
    files: listed(treeOfLayers(indexes), '', contents),
  };
}

/** What engines write in different ways for the same. */
function settled(config: Record<string, unknown>): Record<string, unknown> {
  const kept = Object.entries(config).filter(([key, value]) => {
    if (['ArgsEscaped', 'Hostname', 'Domainname', 'Image'].includes(key)) return false;
    return value !== null && value !== false && value !== '' && !(typeof value === 'object' && Object.keys(value).length === 0);
  });
  return Object.fromEntries(kept.sort(([one], [other]) => (one < other ? -1 : 1)));
}

function listed(node: Node, path: string, contents: ReadonlyMap<string, string>): string[] {
  const own =
    path === ''
      ? []
      : [
          `${path} ${node.kind} ${node.uid}:${node.gid} ${node.kind === 'link' ? node.target : node.mode.toString(8)}${contentIn(node, contents)}`,
        ];
  if (node.kind !== 'dir') return own;
  const entries = [...node.entries].sort(([one], [other]) => (one < other ? -1 : 1));
  return [...own, ...entries.flatMap(([name, entry]) => listed(entry, `${path}/${name}`, contents))];
}

function contentIn(node: Node, contents: ReadonlyMap<string, string>): string {
  if (node.kind !== 'file' || node.content.kind !== 'layer') return '';
  return ` ${contents.get(`${node.content.layer} ${node.content.name}`) ?? '?'}`;
}

describe('an image put together without an engine is the engine’s', () => {
  it.each(Object.entries(layersTable))('%s', async (_, lines) => {
    const text = `${lines.join('\n')}\n`;
    expect(needsEngine(text, { args: {}, kindOf: () => 'dir' })).toBeUndefined();
    const [byEngine, byLayers] = [await seen('docker', text), await seen('layers', text)];
    expect(byLayers.files.filter((line) => !byEngine.files.includes(line))).toEqual([]);
    expect(byLayers).toEqual(byEngine);
  });
});

describe('an image whose first part the engine made is the engine’s', () => {
  it.each(Object.entries(headTable))('%s', async (_, lines) => {
    const text = `${lines.join('\n')}\n`;
    expect(engineHead(text, { args: {}, kindOf: () => 'dir', dockerfile: 'Dockerfile' })).toBeDefined();
    const [byEngine, byBoth] = [await seen('docker', text), await seen('docker+layers', text)];
    expect(byBoth.files.filter((line) => !byEngine.files.includes(line))).toEqual([]);
    expect(byBoth).toEqual(byEngine);
  });
});
