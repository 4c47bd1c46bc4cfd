import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { ProcessRequest } from '../../clients';
import { contentDigest, emptyDir, fileEntry, withEntries, type Artifact, type BuildCommand } from '../../model';
import { fakeEngine, type FakeEngine } from '../../testkit/fakeEngine';
import { fakeProcesses, type FakeRun } from '../../testkit/fakeProcesses';
import { openBuilders, type BuildJob } from '..';

const ref = 'localhost:5000/shop/api:1a2b';

describe('an image that a command makes', () => {
  const root = mkdtempSync(join(tmpdir(), 'slipway-custom-'));
  const source = join(root, 'api', 'main.go');
  beforeAll(() => mkdirSync(join(root, 'api')));
  beforeEach(() => writeFileSync(source, 'main'));
  afterAll(() => rmSync(root, { recursive: true }));

  const jobOf = (command: Partial<BuildCommand> = {}, recipe: Partial<Artifact['recipe']> = {}): BuildJob => ({
    artifact: {
      name: 'api',
      project: 'api-project',
      image: 'shop/api',
      recipe: {
        builder: 'custom/1',
        context: '',
        dockerfile: 'api/slipway.yaml',
        args: {},
        command: { run: './build.sh', folder: 'api', config: 'api/slipway.yaml', env: {}, ...command },
        ...recipe,
      },
      inputs: [],
      requires: [],
      targets: [],
      after: [],
      reload: { kind: 'rebuild', because: 'it is a test' },
    },
    snapshot: {
      inputsHash: 'inputs',
      rebuildHash: 'rebuild',
      layoutHash: 'layout',
      sources: withEntries(emptyDir, [['api/main.go', fileEntry({ digest: contentDigest('main'), size: 4, mode: 0o644 })]]),
      tree: emptyDir,
    },
    bases: { 'shop/base': 'localhost:5000/shop/base:ff@sha256:aa' },
    root,
    ref,
    signal: new AbortController().signal,
    onLine: () => undefined,
  });
  const build = async (job: BuildJob, does: (request: ProcessRequest, engine: FakeEngine) => FakeRun, hasRegistry = true) => {
    const engine = fakeEngine();
    const processes = fakeProcesses((request) => does(request, engine));
    const tools = { engine, registry: engine.registry, processes, env: { HOME: '/home/me', IMAGE: 'mine' }, cacheDir: root, hasRegistry };
    return { engine, runs: processes.runs, built: await openBuilders(tools).build(job) };
  };
  const pushes = (_: ProcessRequest, engine: FakeEngine): FakeRun => {
    engine.registry.put(ref, 'sha256:made');
    return {};
  };

  it('is told what to make, over what the shell says of it', async () => {
    const job = jobOf({ env: { GREETING: 'hi' } }, { platform: 'linux/arm64', baseArgs: { BASE: 'shop/base' } });
    const { runs, built } = await build(job, pushes);
    expect(built).toMatchObject({ ok: true, value: { image: { location: 'registry', ref }, sentHash: 'inputs', builder: 'custom' } });
    expect(runs).toMatchObject([
      {
        command: 'sh',
        args: ['-c', './build.sh'],
        cwd: join(root, 'api'),
        env: {
          HOME: '/home/me',
          GREETING: 'hi',
          BASE: 'localhost:5000/shop/base:ff@sha256:aa',
          IMAGE: ref,
          IMAGE_REPO: 'localhost:5000/shop/api',
          IMAGE_TAG: '1a2b',
          PUSH_IMAGE: 'true',
          BUILD_CONTEXT: join(root, ''),
          PLATFORMS: 'linux/arm64',
        },
      },
    ]);
    const listed = await build(jobOf({ run: ['make', 'image'] }), pushes, false);
    expect(listed.runs).toMatchObject([{ command: 'make', args: ['image'], env: { PUSH_IMAGE: 'false' } }]);
  });

  it('has to be there afterwards, by its name', async () => {
    expect((await build(jobOf(), () => ({}))).built).toMatchObject({
      ok: false,
      problem: { code: 'imageNotMade', message: `the build command ended well, and there is no image ${ref}`, project: 'api-project' },
    });
  });

  it('fails with what the command printed', async () => {
    const { built } = await build(jobOf(), () => ({ exitCode: 3, stderr: 'main.go:3: undefined: x' }));
    expect(built).toMatchObject({
      ok: false,
      problem: {
        code: 'buildFailed',
        message: 'the build command ended with exit code 3',
        detail: 'main.go:3: undefined: x',
        location: { file: 'api/slipway.yaml' },
      },
    });
  });

  it('is not made, or taken away again, when a file is not as it was looked at', async () => {
    writeFileSync(source, 'edited before');
    const before = await build(jobOf(), pushes);
    expect(before.runs).toEqual([]);
    expect(before.built).toMatchObject({ ok: true, value: { sentHash: 'changed:api/main.go' } });

    writeFileSync(source, 'main');
    const during = await build(jobOf(), (request, engine) => {
      writeFileSync(source, 'edited meanwhile');
      return pushes(request, engine);
    });
    expect(during.built).toMatchObject({ ok: true, value: { sentHash: 'changed:api/main.go' } });
    expect(await during.engine.registry.digest(ref)).toEqual({ ok: true, value: undefined });
  });
});
