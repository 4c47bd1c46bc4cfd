import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { processes } from '../../clients';
import { contentDigest, emptyDir, fileEntry, withEntries, type Artifact, type Snapshot } from '../../model';
import { fakeEngine, type FakeEngine } from '../../testkit/fakeEngine';
import { fakeRegistry } from '../../testkit/fakeRegistry';
import { openBuilders, type BuildJob } from '..';
import type { ImageManifest } from '../layers/imageFile';

const root = mkdtempSync(join(tmpdir(), 'slipway-head-'));
afterAll(() => rmSync(root, { recursive: true }));

const repository = 'localhost:5000/shop/api';
const ref = `${repository}:1a2b`;

type Files = Readonly<Record<string, string>>;

function put(path: string, content: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

const dockerfile = 'FROM node:20\nWORKDIR /app\nCOPY package.json ./\nRUN npm ci\nCOPY src src\nCMD ["node", "src/a.js"]\n';
const files: Files = { 'api/Dockerfile': dockerfile, 'api/package.json': '{}', 'api/src/a.js': 'one' };

function jobOf(all: Files, more: Partial<BuildJob> = {}): BuildJob {
  for (const [path, content] of Object.entries(all)) put(path, content);
  const artifact: Artifact = {
    name: 'api',
    project: 'api-project',
    image: 'shop/api',
    recipe: { builder: 'docker+layers/1', context: 'api', dockerfile: 'api/Dockerfile', args: {} },
    inputs: [],
    requires: [],
    targets: [],
    after: [],
    reload: { kind: 'rebuild', because: 'it is a test' },
  };
  const entries = Object.entries(all).map(
    ([path, text]) => [path, fileEntry({ digest: contentDigest(text), size: Buffer.byteLength(text), mode: 0o644 })] as const,
  );
  const sources = withEntries(emptyDir, entries);
  const snapshot: Snapshot = { inputsHash: `inputs ${sources.hash}`, rebuildHash: '', layoutHash: '', sources, tree: emptyDir };
  return { artifact, snapshot, bases: {}, root, ref, signal: new AbortController().signal, onLine: () => undefined, ...more };
}

/** Another engine and another folder for layers are another machine; the registry is everybody's. */
function machine(engine: FakeEngine = fakeEngine({ bases: ['node:20'] })) {
  const cacheDir = mkdtempSync(join(root, 'cache-'));
  const builder = openBuilders({ engine, registry: engine.registry, processes, cacheDir, hasRegistry: true, env: {} });
  return { engine, registry: engine.registry, build: (job: BuildJob) => builder.build(job) };
}

async function layersAt(at: string, { registry }: FakeEngine): Promise<readonly string[]> {
  const found = await registry.manifest(at);
  if (!found.ok || !found.value) throw new Error(`there is no ${at}`);
  return (JSON.parse(found.value.content.toString()) as ImageManifest).layers.map(({ digest }) => digest);
}

describe('an image whose first part needs an engine', () => {
  it('is made of that part, which the engine made, and of what is copied after it', async () => {
    const { build, engine, registry } = machine();
    const job = jobOf(files);
    expect(await build(job)).toMatchObject({
      ok: true,
      value: { image: { location: 'registry', ref }, sentHash: job.snapshot.inputsHash, builder: 'docker+layers' },
    });
    const head = registry.refs.find((each) => each.startsWith(`${repository}:head-`)) ?? '';
    expect((await layersAt(ref, engine)).slice(0, -1)).toEqual(await layersAt(head, engine));
    expect([...(engine.contextOf(head)?.keys() ?? [])].sort()).toEqual(['Dockerfile', 'package.json']);
    expect(engine.contextOf(head)?.get('Dockerfile')).toBe('FROM node:20\nWORKDIR /app\nCOPY package.json ./\nRUN npm ci\n');
  });

  it('needs the engine only once, as long as nothing changes that it reads', async () => {
    const { build, engine } = machine();
    await build(jobOf(files));
    engine.running = false;
    expect(await build(jobOf({ ...files, 'api/src/a.js': 'two' }))).toMatchObject({ ok: true });
    expect(await build(jobOf({ ...files, 'api/Dockerfile': dockerfile.replace('CMD', 'ENV A=1\nCMD') }))).toMatchObject({ ok: true });
    expect(engine.builds).toBe(1);
  });

  it.each<[string, Files]>([
    ['a file that comes before the RUN', { 'api/package.json': '{"name":"api"}' }],
    ['the RUN', { 'api/Dockerfile': dockerfile.replace('npm ci', 'npm ci --omit=dev') }],
  ])('is made anew by the engine with another %s', async (_, changed) => {
    const { build, engine } = machine();
    await build(jobOf(files));
    expect(await build(jobOf({ ...files, ...changed }))).toMatchObject({ ok: true });
    expect(engine.builds).toBe(2);
  });

  it('needs no engine on a machine that comes later', async () => {
    const registry = fakeRegistry();
    await machine(fakeEngine({ bases: ['node:20'], registry })).build(jobOf(files));
    const later = machine(fakeEngine({ registry }));
    later.engine.running = false;
    expect(await later.build(jobOf({ ...files, 'api/src/a.js': 'two' }))).toMatchObject({ ok: true });
  });

  it('is made whole again after the registry was tidied up', async () => {
    const { build, engine, registry } = machine();
    await build(jobOf(files));
    registry.forgetBlobs(repository);
    for (const each of registry.refs) await registry.remove(each);
    const changed = jobOf({ ...files, 'api/src/a.js': 'two' });
    const first = await build(changed);
    expect(first.ok || first.problem.retry === 'afterDelay').toBe(true);
    expect(await build(changed)).toMatchObject({ ok: true });
    expect(engine.builds).toBe(2);
  });

  it('is not credited with what was written while the engine was sent its part', async () => {
    const { build, registry } = machine();
    const job = jobOf(files);
    put('api/package.json', '[]');
    expect(await build(job)).toMatchObject({ ok: true, value: { sentHash: expect.stringMatching(/^changed:/) as string } });
    expect(registry.refs).toEqual([]);
  });

  it('says where the RUN failed', async () => {
    const failing = jobOf({ ...files, 'api/Dockerfile': dockerfile.replace('npm ci', 'exit 3') });
    expect(await machine().build(failing)).toMatchObject({
      ok: false,
      problem: { code: 'buildFailed', project: 'api-project', location: { file: 'api/Dockerfile', line: 4 } },
    });
  });

  it('says that nothing pushes its first part, when the registry refuses it', async () => {
    const { build, engine } = machine();
    engine.refusePush = { code: 'pushRefused', message: 'denied', retry: 'afterDelay', exitCode: 1 };
    expect(await build(jobOf(files))).toMatchObject({ ok: false, problem: { code: 'pushRefused', project: 'api-project' } });
    expect(await build(jobOf(files))).toMatchObject({ ok: true });
  });
});
