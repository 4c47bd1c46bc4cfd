import { cpSync, mkdirSync, mkdtempSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { processes } from '../../clients';
import { buffer } from 'node:stream/consumers';
import { contentDigest, emptyDir, failed, fileEntry, withEntries, type Artifact, type Snapshot } from '../../model';
import { fakeEngine, type FakeEngine } from '../../testkit/fakeEngine';
import { openBuilders, type BuildJob } from '..';
import type { ImageFile, ImageIndex, ImageManifest } from './imageFile';
import { readFilesOf } from './readLayer';

const root = mkdtempSync(join(tmpdir(), 'slipway-layers-'));
afterAll(() => rmSync(root, { recursive: true }));

const host = 'localhost:5000';
const ref = `${host}/shop/api:1a2b`;

function put(path: string, content: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

type Files = Readonly<Record<string, string>>;

function jobOf(dockerfile: string, files: Files, more: Partial<BuildJob> = {}): BuildJob {
  const all: Files = { 'api/Dockerfile': dockerfile, ...files };
  for (const [path, content] of Object.entries(all)) put(path, content);
  const artifact: Artifact = {
    name: 'api',
    project: 'api-project',
    image: 'shop/api',
    recipe: { builder: 'layers/1', context: 'api', dockerfile: 'api/Dockerfile', args: {} },
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

/** Another folder for layers is another machine. */
function machine(engine: FakeEngine = fakeEngine({ bases: ['node:20'] })) {
  const cacheDir = mkdtempSync(join(root, 'cache-'));
  const builder = openBuilders({ engine, registry: engine.registry, processes, cacheDir, hasRegistry: true, env: {} });
  return { engine, registry: engine.registry, build: (job: BuildJob) => builder.build(job) };
}

async function imageAt(at: string, { registry }: FakeEngine, repository = at.replace(/:[^:/]*$/, '')) {
  const found = await registry.manifest(at);
  if (!found.ok || !found.value) throw new Error(`there is no ${at}`);
  const manifest = JSON.parse(found.value.content.toString()) as ImageManifest;
  const blob = async (digest: string) => {
    const read = await registry.readBlob({ repository, digest });
    if (!read.ok || !read.value) throw new Error(`there is no ${digest}`);
    return read.value;
  };
  const last = manifest.layers.at(-1);
  return {
    digest: found.value.digest,
    layers: manifest.layers.map(({ digest }) => digest),
    file: JSON.parse((await buffer(await blob(manifest.config.digest))).toString()) as ImageFile,
    fileIn: async (name: string) => last && (await readFilesOf(await blob(last.digest), true, new Set([name]))).get(name)?.toString(),
  };
}

const dockerfile = 'FROM node:20\nWORKDIR /app\nCOPY package.json ./\nCOPY --chown=node src src\nCMD ["node", "src/a.js"]\n';
const files: Files = { 'api/package.json': '{}', 'api/src/a.js': 'one' };

describe('an image put together without an engine', () => {
  it('has the layers of its base, its own, and says whose it is', async () => {
    const { build, engine } = machine();
    const job = jobOf(dockerfile, files);
    const built = await build(job);
    const image = await imageAt(ref, engine);
    expect(built).toEqual({
      ok: true,
      value: { image: { location: 'registry', ref, id: image.digest }, sentHash: job.snapshot.inputsHash, builder: 'layers' },
    });
    expect(image.layers).toHaveLength(4);
    expect(image.file.rootfs.diff_ids).toHaveLength(4);
    expect(image.file.config).toMatchObject({
      Cmd: ['node', 'src/a.js'],
      WorkingDir: '/app',
      Labels: { 'dev.slipway.project': 'api-project', 'dev.slipway.inputs': job.snapshot.inputsHash },
    });
    expect(image.file.history?.map(({ created_by: by }) => by)).toEqual([
      'WORKDIR /app',
      'COPY package.json ./',
      'COPY --chown=node src src',
      'CMD ["node", "src/a.js"]',
    ]);
    expect(await image.fileIn('app/src/a.js')).toBe('one');
    expect(engine.builds).toBe(0);
  });

  it('is the same on every machine, in every folder and at any time', async () => {
    const [one, other] = [machine(), machine()];
    const job = jobOf(dockerfile, files);
    await one.build(job);
    const elsewhere = join(root, 'elsewhere');
    cpSync(join(root, 'api'), join(elsewhere, 'api'), { recursive: true });
    utimesSync(join(elsewhere, 'api/src/a.js'), 1, 1);
    await other.build({ ...job, root: elsewhere });
    expect((await imageAt(ref, other.engine)).digest).toBe((await imageAt(ref, one.engine)).digest);
  });

  it('sends only what another image of the registry does not have', async () => {
    const { build, engine, registry } = machine();
    await build(jobOf(dockerfile, files));
    const before = new Set(registry.blobs);
    await build(jobOf(dockerfile, { ...files, 'api/src/a.js': 'two' }));
    // The layer with the file, and the config.
    expect(registry.blobs.filter((blob) => !before.has(blob))).toHaveLength(2);
    expect(await (await imageAt(ref, engine)).fileIn('app/src/a.js')).toBe('two');
  });

  it('stands on an image of this workspace that is in the registry', async () => {
    const { build, engine } = machine();
    await build(jobOf(dockerfile, files, { ref: `${host}/shop/base:1` }));
    const base = await imageAt(`${host}/shop/base:1`, engine);
    const bases = { 'shop/base': `${host}/shop/base:1@${base.digest}` };
    const built = await build(jobOf('FROM shop/base:dev\nCOPY src more\n', files, { bases }));
    expect(built).toMatchObject({ ok: true });
    const image = await imageAt(ref, engine);
    expect(image.layers.slice(0, -1)).toEqual(base.layers);
    expect(await image.fileIn('app/more/a.js')).toBe('one');
  });

  it('sends its layers again when the registry was tidied up', async () => {
    const { build, registry } = machine();
    await build(jobOf(dockerfile, files));
    registry.forgetBlobs(`${host}/shop/api`);
    expect(await build(jobOf(dockerfile, files))).toMatchObject({ ok: true });
  });

  it('copies files of the base from one stage to another', async () => {
    const { build, engine } = machine();
    await build(jobOf('FROM node:20 AS one\nCOPY src /src\nFROM scratch\nCOPY --from=one /etc/group /src/a.js /x/\n', files));
    const image = await imageAt(ref, engine);
    expect(image.layers).toHaveLength(1);
    expect(await image.fileIn('x/group')).toContain('staff:x:50:');
    expect(await image.fileIn('x/a.js')).toBe('one');
  });

  it('is made by the engine where no registry is to have it', async () => {
    const engine = fakeEngine({ bases: ['node:20'] });
    const builder = openBuilders({
      engine,
      registry: engine.registry,
      processes,
      cacheDir: join(root, 'none'),
      hasRegistry: false,
      env: {},
    });
    expect(await builder.build(jobOf(dockerfile, files))).toMatchObject({ value: { builder: 'docker', image: { location: 'engine' } } });
  });
});

describe('an image whose sources changed while they were packed', () => {
  it.each(['api/src/a.js', 'api/Dockerfile'])('is not credited and gets no name: %s', async (path) => {
    const { build, registry } = machine();
    const job = jobOf(dockerfile, files);
    put(path, 'else');
    expect(await build(job)).toMatchObject({ ok: true, value: { sentHash: expect.stringMatching(/^changed:/) as string } });
    expect(await registry.digest(ref)).toEqual({ ok: true, value: undefined });
  });

  it('is right at the next attempt', async () => {
    const { build, engine } = machine();
    const job = jobOf(dockerfile, files);
    put('api/src/a.js', 'two');
    await build(job);
    await build(jobOf(dockerfile, { ...files, 'api/src/a.js': 'one' }));
    expect(await (await imageAt(ref, engine)).fileIn('app/src/a.js')).toBe('one');
  });
});

describe('an image that cannot be put together', () => {
  it.each<[string, string, object]>([
    ['its base is nowhere', 'FROM nowhere:1\n', { code: 'baseImageNotFound', location: { file: 'api/Dockerfile', line: 1 } }],
    ['a user is not known', 'FROM node:20\nCOPY --chown=who src /\n', { location: { line: 2 } }],
    ['a source is missing', 'FROM node:20\nCOPY nothing /\n', { code: 'buildFailed', location: { line: 2 } }],
    [
      'a file would hide a directory',
      'FROM node:20\nCOPY src /a\nCOPY package.json /b/a/\nCOPY src/a.js /b/\nCOPY src /b/a.js\n',
      { code: 'buildFailed' },
    ],
    ['something has to run', 'FROM node:20\nRUN x\n', { code: 'engineNeeded', location: { line: 2 } }],
  ])('says where, when %s', async (_, text, problem) => {
    const { build } = machine();
    expect(await build(jobOf(text, files))).toMatchObject({ ok: false, problem: { project: 'api-project', ...problem } });
  });

  it('says so when the engine has the base and no room to hand it out', async () => {
    const engine = fakeEngine({ bases: ['node:20'] });
    const full = { code: 'diskFull', message: 'no room', retry: 'afterDelay', exitCode: 1 } as const;
    const { build } = machine({ ...engine, save: () => Promise.resolve(failed(full)) });
    expect(await build(jobOf(dockerfile, files))).toMatchObject({
      ok: false,
      problem: { ...full, project: 'api-project', location: { file: 'api/Dockerfile', line: 1 } },
    });
  });

  describe('for several platforms', () => {
    const at = { ...files, 'api/app-amd64': 'for amd64', 'api/app-arm64': 'for arm64' };
    const forPlatforms = (text: string, platform: string, more: Partial<BuildJob> = {}): BuildJob => {
      const job = jobOf(text, at, more);
      return { ...job, artifact: { ...job.artifact, recipe: { ...job.artifact.recipe, platform } } };
    };
    const both = 'linux/amd64,linux/arm64';
    const ground = `${host}/ground:1`;
    const ofEach = async (engine: FakeEngine, index: string) => {
      const found = await engine.registry.manifest(index);
      if (!found.ok || !found.value) throw new Error(`there is no ${index}`);
      const { mediaType, manifests } = JSON.parse(found.value.content.toString()) as ImageIndex;
      const repository = index.replace(/:[^:/]*$/, '');
      const images = manifests.map(async ({ digest, platform, size }) => ({
        platform: `${platform.os}/${platform.architecture}`,
        isWhole: size > 0,
        image: await imageAt(`${repository}@${digest}`, engine, repository),
      }));
      return { mediaType, images: await Promise.all(images) };
    };

    it('is an index with an image for each, which takes what is copied for its platform, on the base for its platform', async () => {
      const { build, engine } = machine();
      const base = 'FROM scratch\nARG TARGETARCH\nCOPY app-${TARGETARCH} /ground\n';
      expect(await build(forPlatforms(base, both, { ref: ground }))).toMatchObject({ ok: true });
      const text = `FROM ${ground}\nARG TARGETARCH\nCOPY src /src\nCOPY app-\${TARGETARCH} /app\n`;
      const built = await build(forPlatforms(text, both));
      const { mediaType, images } = await ofEach(engine, ref);
      expect(mediaType).toBe('application/vnd.docker.distribution.manifest.list.v2+json');
      expect(images.map(({ platform, isWhole, image }) => [platform, isWhole, image.file.architecture])).toEqual([
        ['linux/amd64', true, 'amd64'],
        ['linux/arm64', true, 'arm64'],
      ]);
      expect(await Promise.all(images.map(({ image }) => image.fileIn('app')))).toEqual(['for amd64', 'for arm64']);
      const [one, other] = images.map(({ image }) => image.layers);
      // Grounds differ, what is copied for all is one layer.
      expect([one?.length, one?.[0] === other?.[0], one?.[1] === other?.[1]]).toEqual([3, false, true]);
      expect(built).toMatchObject({ ok: true, value: { image: { location: 'registry', ref } } });
      const again = machine();
      await again.build(forPlatforms(base, both, { ref: ground }));
      expect(await again.build(forPlatforms(text, both))).toEqual(built);
    });

    it('says where a base is that is not made for one of them', async () => {
      const { build } = machine();
      await build(forPlatforms('FROM scratch\nCOPY src /\n', both, { ref: ground }));
      expect(await build(forPlatforms(`FROM ${ground}\nCOPY src /src\n`, 'linux/arm64,linux/s390x'))).toMatchObject({
        ok: false,
        problem: { code: 'platformNotFound', message: `there is no base image ${ground} for linux/s390x`, location: { line: 1 } },
      });
    });
  });

  describe('on a base from elsewhere with ONBUILD', () => {
    const base = `${host}/elsewhere:1`;
    const prepared = async (trigger: string) => {
      const { engine, build } = machine(fakeEngine());
      expect(await build(jobOf(`FROM scratch\nCOPY src /\nONBUILD ${trigger}\n`, files, { ref: base }))).toMatchObject({ ok: true });
      return { engine, build, job: jobOf(`FROM ${base}\nCOPY src /src\n`, files) };
    };

    it('is made by the engine, which is told why', async () => {
      const { engine, build, job } = await prepared('RUN make');
      expect(await build(job)).toMatchObject({
        ok: true,
        value: {
          builder: 'docker',
          because: `ONBUILD RUN make of ${base} (api/Dockerfile:1) needs an engine`,
          image: { location: 'engine' },
          sentHash: job.snapshot.inputsHash,
        },
      });
      expect(engine.builds).toBe(1);
    });

    it('is refused where the config asks for no engine', async () => {
      const { engine, build, job } = await prepared('RUN make');
      expect(await build({ ...job, artifact: { ...job.artifact, builderAsked: true } })).toMatchObject({
        ok: false,
        problem: { code: 'baseNeedsEngine', hint: 'set image.builder to docker or auto in slipway.yaml', location: { line: 1 } },
      });
      expect(engine.builds).toBe(0);
    });
  });

  it.each([
    ['on the way to a file', 'COPY --chmod=0640 src/a.js /made/a.js', '/made'],
    ['for a directory', 'COPY --chmod=700 src /made/here', '/made'],
    ['for a directory that has another name', 'COPY --chmod=700 src /here', '/here'],
    ['in a layer of its own', 'COPY --link --chmod=600 src/a.js /app/', '/app/'],
  ])('leaves to the engine which mode directories get that --chmod makes %s: engines differ', async (_, copy, made) => {
    const { build } = machine();
    expect(await build(jobOf(`FROM node:20\nWORKDIR /app\n${copy}\n`, files))).toMatchObject({
      ok: true,
      value: { builder: 'docker', because: `--chmod of ${made}, which is made on the way (api/Dockerfile:3), needs an engine` },
    });
  });

  it.each(['COPY --chmod=0640 src/a.js /app/a.js', 'COPY --chmod=700 src /app', 'COPY --chmod=4755 src/a.js /made/a.js'])(
    'needs no engine for a mode that all give alike: %s',
    async (copy) => {
      const { build, engine } = machine();
      expect(await build(jobOf(`FROM node:20\nWORKDIR /app\n${copy}\n`, files))).toMatchObject({ ok: true, value: { builder: 'layers' } });
      expect(engine.builds).toBe(0);
    },
  );

  it('because its folder could not be written is put together once that can', async () => {
    const engine = fakeEngine({ bases: ['node:20'] });
    const cacheDir = join(root, 'in-the-way');
    writeFileSync(cacheDir, 'a file');
    const builder = openBuilders({ engine, registry: engine.registry, processes, cacheDir, hasRegistry: true, env: {} });
    const job = jobOf(dockerfile, files);
    expect(await builder.build(job)).toMatchObject({ ok: false, problem: { code: 'layerCacheUnusable', retry: 'afterDelay' } });
    rmSync(cacheDir);
    expect(await builder.build(job)).toMatchObject({ ok: true });
  });

  it('says so when the registry does not answer, and tries again later', async () => {
    const { build, registry } = machine();
    registry.reachable = false;
    expect(await build(jobOf('FROM scratch\nCOPY src /\n', files))).toMatchObject({
      ok: false,
      problem: { code: 'registryUnreachable', retry: 'afterDelay' },
    });
  });
});
