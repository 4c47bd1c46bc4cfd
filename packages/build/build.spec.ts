import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { processes, type BuildRequest, type Registry } from '../clients';
import { contentDigest, emptyDir, fileEntry, withEntries, type Artifact, type BuildRecipe, type Input, type Snapshot } from '../model';
import { fakeEngine, type FakeEngine } from '../testkit/fakeEngine';
import { openBuilders, type BuildJob } from '.';

const root = mkdtempSync(join(tmpdir(), 'slipway-build-'));
afterAll(() => rmSync(root, { recursive: true }));

const ref = 'localhost:5000/shop/api:1a2b';
const files = {
  'apps/api/Dockerfile': 'FROM busybox:1.36\nCOPY src /app\n',
  'apps/api/.dockerignore': '*.md\n',
  'apps/api/src/main.js': 'main',
  'libs/shared/index.js': 'shared',
};

function put(path: string, content: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), content);
}

type TestJob = BuildJob & { readonly engine: FakeEngine };

interface Wanted {
  readonly files?: Readonly<Record<string, string>>;
  readonly recipe?: Partial<BuildRecipe>;
  readonly inputs?: readonly Input[];
  readonly job?: Partial<TestJob>;
}

function jobOf({ files: taken = files, recipe, inputs = [], job }: Wanted = {}): TestJob {
  for (const [path, content] of Object.entries(taken)) put(path, content);
  const artifact: Artifact = {
    name: 'api',
    project: 'api-project',
    image: 'shop/api',
    recipe: { builder: 'docker/1', context: 'apps/api', dockerfile: 'apps/api/Dockerfile', args: {}, ...recipe },
    inputs,
    requires: [],
    targets: [],
    after: [],
    reload: { kind: 'hot', because: 'it is a test' },
  };
  const sources = withEntries(
    emptyDir,
    Object.entries(taken).map(
      ([path, text]) => [path, fileEntry({ digest: contentDigest(text), size: Buffer.byteLength(text), mode: 0o644 })] as const,
    ),
  );
  const snapshot: Snapshot = { inputsHash: 'inputs', rebuildHash: 'rebuild', layoutHash: 'layout', sources, tree: emptyDir };
  return {
    artifact,
    snapshot,
    bases: {},
    root,
    ref,
    engine: fakeEngine(),
    signal: new AbortController().signal,
    onLine: () => undefined,
    ...job,
  };
}

function build({ engine, ...job }: TestJob, env: Readonly<Record<string, string>> = {}) {
  return openBuilders({ engine, registry: engine.registry, processes, cacheDir: join(root, 'layers'), hasRegistry: true, env }).build(job);
}

describe('an image built through the engine', () => {
  it('is made from the snapshot’s files in the context, and says whose it is', async () => {
    const engine = fakeEngine();
    const built = await build(jobOf({ job: { engine } }));
    const id = await engine.imageId(ref);
    expect(built).toEqual({
      ok: true,
      value: { image: { location: 'engine', ref, id: id.ok && id.value }, sentHash: 'inputs', builder: 'docker' },
    });
    expect([...(engine.contextOf(ref)?.keys() ?? [])]).toEqual(['Dockerfile', 'src/main.js']);
    expect(await engine.inspect(ref)).toMatchObject({
      value: { labels: { 'dev.slipway.project': 'api-project', 'dev.slipway.inputs': 'inputs' } },
    });
  });

  it('takes the whole workspace as context when the recipe says so', async () => {
    const engine = fakeEngine();
    const dockerfile = 'FROM busybox:1.36\nCOPY libs /libs\n';
    await build(jobOf({ files: { ...files, 'apps/api/Dockerfile': dockerfile }, recipe: { context: '' }, job: { engine } }));
    expect([...(engine.contextOf(ref)?.keys() ?? [])]).toEqual(['apps/api/Dockerfile', 'apps/api/src/main.js', 'libs/shared/index.js']);
  });

  it('takes a Dockerfile that lies outside of the context', async () => {
    const engine = fakeEngine();
    await build(
      jobOf({
        files: { 'docker/api': 'FROM busybox:1.36\nCOPY index.js /\n', ...files },
        recipe: { context: 'libs/shared', dockerfile: 'docker/api' },
        job: { engine },
      }),
    );
    expect([...(engine.contextOf(ref)?.keys() ?? [])]).toEqual(['.slipway.Dockerfile', 'index.js']);
  });

  it('gets an ignore file only when an instruction copies it', async () => {
    const engine = fakeEngine();
    await build(jobOf({ inputs: [{ path: 'apps/api', containerPath: '/app', onChange: 'sync', because: 'copied' }], job: { engine } }));
    expect(engine.contextOf(ref)?.has('.dockerignore')).toBe(true);
  });

  it('is told what the config says beside files and arguments, with the secrets that it names', async () => {
    const asked: BuildRequest[] = [];
    const engine = fakeEngine({ onBuild: (request) => Promise.resolve(void asked.push(request)) });
    put('token.txt', 'from a file');
    const job = jobOf({ job: { engine } });
    const artifact: Artifact = {
      ...job.artifact,
      recipe: { ...job.artifact.recipe, platform: 'linux/amd64', network: 'none', addHosts: { a: '10.0.0.1' }, labels: { own: 'yes' } },
      settings: {
        cacheFrom: ['r.test/c'],
        inlineCache: true,
        cacheTo: [],
        pull: true,
        noCache: true,
        secrets: [
          { id: 'one', from: { kind: 'env', name: 'ONE' } },
          { id: 'two', from: { kind: 'file', path: 'token.txt' } },
        ],
        ssh: [{ id: 'default' }, { id: 'own', socket: '/run/agent' }],
      },
    };
    const env = { ONE: 'from the environment', SSH_AUTH_SOCK: '/run/default' };
    expect(await build({ ...job, artifact }, env)).toMatchObject({ ok: true });
    expect(asked).toMatchObject([
      {
        platform: 'linux/amd64',
        network: 'none',
        addHosts: { a: '10.0.0.1' },
        labels: { own: 'yes', 'dev.slipway.project': 'api-project' },
        cacheFrom: ['r.test/c'],
        inlineCache: true,
        pull: true,
        noCache: true,
        secrets: new Map([
          ['one', Buffer.from('from the environment')],
          ['two', Buffer.from('from a file')],
        ]),
        ssh: new Map([
          ['default', '/run/default'],
          ['own', '/run/agent'],
        ]),
      },
    ]);
    expect(await build({ ...job, artifact }, { ONE: '' })).toMatchObject({ ok: false, problem: { code: 'sshAgentNotFound' } });
    expect(await build({ ...job, artifact }, {})).toMatchObject({
      ok: false,
      problem: { code: 'secretNotFound', message: 'the build secret one is to come from the variable ONE, which is not set', exitCode: 2 },
    });
  });

  describe('on an image of this workspace', () => {
    const base = 'localhost:5000/shop/base:ff';
    const onBase = { ...files, 'apps/api/Dockerfile': 'FROM shop/base:dev\nCOPY src /app\n' };

    it.each([
      ['that the engine has', []],
      ['that only the registry has, which is fetched by its digest', [base]],
    ])('%s, takes exactly that one', async (_, removed) => {
      const engine = fakeEngine();
      await build(jobOf({ job: { engine, ref: base } }));
      const pushed = await engine.push({ ref: base, signal: new AbortController().signal, onLine: () => undefined });
      if (!pushed.ok) throw new Error(pushed.problem.message);
      for (const each of removed) await engine.remove(each);
      const bases = { 'shop/base': `${base}@${pushed.value.digest}` };
      expect(await build(jobOf({ files: onBase, job: { engine, bases } }))).toMatchObject({ ok: true, value: { sentHash: 'inputs' } });
      expect(engine.contextOf(ref)?.get('Dockerfile')).toBe(`FROM ${base}\nCOPY src /app\n`);
    });

    it('that nobody has, fails and may be tried again', async () => {
      const bases = { 'shop/base': `${base}@sha256:aa` };
      expect(await build(jobOf({ files: onBase, job: { bases } }))).toMatchObject({
        ok: false,
        problem: { code: 'pullRefused', retry: 'afterDelay', project: 'api-project' },
      });
    });
  });
});

describe('an image whose sources changed while they were sent', () => {
  it('is not credited, gets no name, and is not kept', async () => {
    const engine = fakeEngine();
    const job = jobOf({ job: { engine } });
    put('apps/api/src/main.js', 'else');
    const built = await build(job);
    expect(built).toMatchObject({ ok: true, value: { sentHash: `changed:${contentDigest('else')}` } });
    expect(await engine.imageId(ref)).toEqual({ ok: true, value: undefined });
    expect(await engine.list({ name: 'dev.slipway.project' })).toEqual({ ok: true, value: [] });
  });

  it('does not blame a failed build on the snapshot', async () => {
    const job = jobOf();
    put('apps/api/Dockerfile', 'FROM busybox:1.36\nRUN exit 1\n');
    expect(await build(job)).toMatchObject({
      ok: false,
      problem: { code: 'sourcesChanged', retry: 'afterDelay', location: { file: 'apps/api/Dockerfile' } },
    });
  });
});

describe('a build that fails', () => {
  it('names the project, and the place in the workspace’s Dockerfile', async () => {
    const job = jobOf({ files: { ...files, 'apps/api/Dockerfile': 'FROM busybox:1.36\nCOPPY src /app\n' } });
    expect(await build(job)).toMatchObject({
      ok: false,
      problem: { code: 'buildFailed', project: 'api-project', location: { file: 'apps/api/Dockerfile', line: 2 } },
    });
  });

  it('names the line of the instruction that failed', async () => {
    const job = jobOf({ files: { ...files, 'apps/api/Dockerfile': 'FROM busybox:1.36\nCOPY src /app\nRUN exit 1\n' } });
    expect(await build(job)).toMatchObject({ ok: false, problem: { location: { file: 'apps/api/Dockerfile', line: 3 } } });
  });

  it('stops when it is told to', async () => {
    const stop = new AbortController();
    const engine = fakeEngine({ onBuild: () => new Promise(() => stop.abort()) });
    expect(await build(jobOf({ job: { engine, signal: stop.signal } }))).toMatchObject({ ok: false });
    expect(await engine.imageId(ref)).toEqual({ ok: true, value: undefined });
  });

  it('says which builders there are when the recipe names another', async () => {
    expect(await build(jobOf({ recipe: { builder: 'constructor/1' } }))).toMatchObject({
      ok: false,
      problem: { code: 'builderUnknown', exitCode: 2, hint: 'choose one of: docker, layers, docker+layers, buildkit, custom' },
    });
  });

  (process.platform === 'linux' ? it : it.skip)('says which file cannot be read', async () => {
    const sources = withEntries(emptyDir, [['mem', fileEntry({ digest: 'x', size: 10, mode: 0o644 })]]);
    const job = jobOf({ recipe: { context: '' } });
    expect(await build({ ...job, root: '/proc/self', snapshot: { ...job.snapshot, sources } })).toMatchObject({
      ok: false,
      problem: { code: 'contextUnreadable' },
    });
  });
});

describe('images that are made at the same time', () => {
  it.each([
    ['docker/1', Math.min(availableParallelism(), 4)],
    ['layers/1', 8],
  ])('by %s are %i at most', async (kind, most) => {
    const running = { now: 0, most: 0 };
    /** Ends when as many were there as may be, or nobody comes any more. */
    const inCompany = async (): Promise<void> => {
      running.most = Math.max(running.most, ++running.now);
      for (let turns = 0; running.most < most && turns < 2000; turns += 1) await new Promise((resolve) => setImmediate(resolve));
      running.now -= 1;
    };
    const engine = fakeEngine({
      async onBuild() {
        await inCompany();
        return undefined;
      },
    });
    const registry: Registry = {
      ...engine.registry,
      async putManifest(...given) {
        await inCompany();
        return engine.registry.putManifest(...given);
      },
    };
    const cacheDir = mkdtempSync(join(root, 'cache-'));
    const builders = openBuilders({ engine, registry, processes, cacheDir, hasRegistry: true, env: {} });
    const recipe = { builder: kind };
    const jobs = Array.from({ length: 20 }, (_, index) =>
      jobOf({
        files: { 'apps/api/Dockerfile': 'FROM scratch\nCOPY src /app\n', 'apps/api/src/main.js': 'main' },
        recipe,
        job: { ref: `${ref}${index}` },
      }),
    );
    const built = await Promise.all(jobs.map((job) => builders.build(job)));
    expect(built.map(({ ok }) => ok)).not.toContain(false);
    expect(running.most).toBe(most);
  });
});
