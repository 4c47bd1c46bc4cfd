import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pack } from 'tar-stream';
import type { Buildkit } from '../clients';
import { contentDigest, emptyDir, fileEntry, succeeded, withEntries, type Artifact, type BuildRecipe, type Problem } from '../model';
import { fakeEngine, type FakeEngine } from '../testkit/fakeEngine';
import { fakeProcesses } from '../testkit/fakeProcesses';
import { buildAndPush } from './buildkit/buildAndPush';
import { openBuilders, type Builder, type BuildJob } from '.';

const ref = 'localhost:5000/shop/api:1a2b';
const root = mkdtempSync(join(tmpdir(), 'slipway-naming-'));
afterAll(() => rmSync(root, { recursive: true }));

const copying = 'FROM scratch\nCOPY a /a\n';
const running = 'FROM node:20\nRUN make\nCOPY a /a\n';

/** A build pushes what it makes by its digest alone. */
function fakeBuildkit({ registry }: FakeEngine): Buildkit {
  return { build: ({ repository }) => Promise.resolve(succeeded({ digest: registry.put(`${repository}:unnamed`, 'made') })) };
}

/** Each kind of builder: what it builds, whether images go to a registry, and what its command or its BuildKit does. */
const kinds: readonly (readonly [name: string, kind: Kind])[] = [
  ['docker, in the engine', { builder: 'docker/1', dockerfile: copying, hasRegistry: false }],
  ['layers, where there is no registry', { builder: 'layers/1', dockerfile: copying, hasRegistry: false }],
  ['layers', { builder: 'layers/1', dockerfile: copying, hasRegistry: true }],
  ['layers for several platforms', { builder: 'layers/1', dockerfile: copying, hasRegistry: true, platform: 'linux/amd64,linux/arm64' }],
  ['docker+layers', { builder: 'docker+layers/1', dockerfile: running, hasRegistry: true }],
  ['a BuildKit that pushes', { builder: 'buildkit/1', dockerfile: copying, hasRegistry: true }],
  ['a command that leaves it in the engine', { builder: 'custom/1', dockerfile: copying, hasRegistry: false }],
  ['a command that pushes it', { builder: 'custom/1', dockerfile: copying, hasRegistry: true }],
];

interface Kind extends Pick<BuildRecipe, 'builder' | 'platform'> {
  readonly dockerfile: string;
  readonly hasRegistry: boolean;
}

function builderOf({ builder, hasRegistry }: Kind, engine: FakeEngine): Builder {
  const { registry } = engine;
  const env = {};
  if (builder === 'buildkit/1') {
    const inRegistry = () => Promise.resolve(succeeded([]));
    return {
      build: (job) =>
        buildAndPush({ buildkit: fakeBuildkit(engine), name: 'buildkit', refFor: (each) => each, registry, inRegistry, env }, job),
    };
  }
  // The command of `custom`.
  const processes = fakeProcesses(async ({ env: told = {} }) => {
    const image = told['IMAGE'] ?? '';
    if (hasRegistry) registry.put(image, 'made');
    else await makeInEngine(engine, image);
    return {};
  });
  return openBuilders({ engine, registry, processes, env, cacheDir: mkdtempSync(join(root, 'cache-')), hasRegistry });
}

/** As a command does that asks the engine. */
async function makeInEngine(engine: FakeEngine, image: string): Promise<void> {
  const context = pack();
  context.entry({ name: 'Dockerfile' }, copying);
  context.entry({ name: 'a' }, 'a');
  context.finalize();
  const { signal } = new AbortController();
  const sent = Readable.from(context);
  await engine.build({ context: sent, dockerfile: 'Dockerfile', args: {}, labels: {}, tags: [image], signal, onLine: () => undefined });
}

function jobOf({ builder, dockerfile, platform }: Kind): BuildJob {
  const files = { 'api/Dockerfile': dockerfile, 'api/a': 'a' };
  mkdirSync(join(root, 'api'), { recursive: true });
  for (const [path, content] of Object.entries(files)) writeFileSync(join(root, path), content);
  const command = { run: './build.sh', folder: 'api', config: 'api/slipway.yaml', env: {} };
  const artifact: Artifact = {
    name: 'api',
    project: 'api',
    image: 'shop/api',
    recipe: { builder, context: 'api', dockerfile: 'api/Dockerfile', args: {}, command, ...(platform !== undefined && { platform }) },
    inputs: [],
    requires: [],
    targets: [],
    after: [],
    reload: { kind: 'rebuild', because: 'it is a test' },
  };
  const entries = Object.entries(files).map(
    ([path, text]) => [path, fileEntry({ digest: contentDigest(text), size: Buffer.byteLength(text), mode: 0o644 })] as const,
  );
  const snapshot = { inputsHash: 'inputs', rebuildHash: '', layoutHash: '', sources: withEntries(emptyDir, entries), tree: emptyDir };
  return { artifact, snapshot, bases: {}, root, ref, signal: new AbortController().signal, onLine: () => undefined };
}

describe.each(kinds)('an image that is made by %s', (_, kind) => {
  const refusal: Problem = { code: 'hookFailed', message: 'no licence', retry: 'whenInputChanges', exitCode: 1 };
  /** Builds it, with what was there under which names while it had to wait for its own. */
  const build = async (engine: FakeEngine, problem: Problem | undefined) => {
    const found = async (name: string): Promise<boolean> => {
      const answer = await (kind.hasRegistry ? engine.registry.digest(name) : engine.imageId(name));
      return answer.ok && answer.value !== undefined;
    };
    const asked: { readonly reached: boolean; readonly named: boolean }[] = [];
    const beforeNaming = async (reachedBy: string): Promise<Problem | undefined> => {
      asked.push({ reached: await found(reachedBy), named: await found(ref) });
      return problem;
    };
    const built = await builderOf(kind, engine).build({ ...jobOf(kind), beforeNaming });
    return { built, asked, isNamed: await found(ref) };
  };

  it('has its name only when what is to go well before has, and can be reached until then', async () => {
    const engine = fakeEngine({ bases: ['node:20'] });
    const refused = await build(engine, refusal);
    expect(refused.built).toMatchObject({ ok: false, problem: { code: 'hookFailed', message: 'no licence' } });
    expect(refused.asked).toEqual([{ reached: true, named: false }]);
    expect(refused.isNamed).toBe(false);

    const taken = await build(engine, undefined);
    expect(taken.built).toMatchObject({
      ok: true,
      value: { image: { ref, id: expect.stringMatching(/^sha256:/) as string }, sentHash: 'inputs' },
    });
    expect(taken.asked).toEqual([{ reached: true, named: false }]);
    expect(taken.isNamed).toBe(true);
  });

  it('leaves no other name in the engine', async () => {
    const engine = fakeEngine({ bases: ['node:20'] });
    await build(engine, undefined);
    const listed = await engine.list({ name: 'dev.slipway.project' });
    const refs = listed.ok ? listed.value.flatMap((each) => each.refs) : [];
    expect(refs.filter((each) => each !== ref && !each.includes(':head-'))).toEqual([]);
  });
});
