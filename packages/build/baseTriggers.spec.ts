import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { contentDigest, emptyDir, fileEntry, withEntries, type Artifact, type BuildRecipe } from '../model';
import { fakeEngine, type FakeEngine } from '../testkit/fakeEngine';
import { fakeKube } from '../testkit/fakeKube';
import { fakeProcesses } from '../testkit/fakeProcesses';
import { fakeRegistry } from '../testkit/fakeRegistry';
import { openBuilders, type BuildJob } from '.';

const root = mkdtempSync(join(tmpdir(), 'slipway-onbuild-'));
afterAll(() => rmSync(root, { recursive: true }));

const base = 'localhost:5000/base:1';
const noPods = { code: 'clusterRefused', message: 'no pods here', retry: 'whenInputChanges', exitCode: 3 } as const;

function jobOf(dockerfile: string, recipe: Partial<BuildRecipe>, more: Partial<BuildJob> = {}): BuildJob {
  const files = { 'api/Dockerfile': dockerfile, 'api/src/a.js': 'one' };
  const entries = Object.entries(files).map(([path, text]) => {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text);
    return [path, fileEntry({ digest: contentDigest(text), size: text.length, mode: 0o644 })] as const;
  });
  const artifact: Artifact = {
    name: 'api',
    project: 'api-project',
    image: 'api',
    recipe: { builder: 'docker/1', context: 'api', dockerfile: 'api/Dockerfile', args: {}, ...recipe },
    inputs: [],
    requires: [],
    targets: [],
    after: [],
    reload: { kind: 'rebuild', because: 'it is a test' },
  };
  const sources = withEntries(emptyDir, entries);
  const snapshot = { inputsHash: 'inputs', rebuildHash: '', layoutHash: '', sources, tree: emptyDir };
  const ref = 'localhost:5000/api:1';
  return { artifact, snapshot, bases: {}, root, ref, signal: new AbortController().signal, onLine: () => undefined, ...more };
}

/** A machine beside a cluster that takes no pods, with the programs that are asked for. */
function machine(engine: FakeEngine) {
  const { registry } = engine;
  const kube = fakeKube({ validate: () => noPods });
  const cluster = {
    kube,
    settings: {},
    workspaceId: 'w',
    insecureRegistries: [],
    fromPods: (ref: string) => ref,
    onNotice: () => undefined,
  };
  const processes = fakeProcesses(() => ({}));
  const cacheDir = mkdtempSync(join(root, 'cache-'));
  return openBuilders({ engine, registry, processes, cacheDir, hasRegistry: true, env: {}, cluster });
}

/** An image of somebody else's, which only its registry has. */
async function elsewhere(trigger: string): Promise<FakeEngine> {
  const registry = fakeRegistry();
  const theirs = jobOf(`FROM scratch\nCOPY src /\nONBUILD ${trigger}\n`, { builder: 'layers/1' }, { ref: base });
  expect(await machine(fakeEngine({ registry })).build(theirs)).toMatchObject({ ok: true });
  return fakeEngine({ registry });
}

const inCluster = 'buildkitd in the cluster';
const plain = `FROM scratch AS other\nFROM ${base}\nCOPY src /src\n`;
const kinds: readonly (readonly [string, string, Partial<BuildRecipe>])[] = [
  ['the engine', plain, { builder: 'docker/1' }],
  ['layers', plain, { builder: 'layers/1' }],
  ['the engine and layers', `FROM ${base}\nRUN make\nCOPY src /src\n`, { builder: 'docker+layers/1' }],
  ['buildx', plain, { builder: 'docker/1', platform: 'linux/amd64,linux/arm64' }],
  [inCluster, plain, { builder: 'buildkit/1' }],
];

describe.each(kinds)('ONBUILD of a base, for %s', (_, dockerfile, recipe) => {
  it('is refused where it would take files that nobody knows of, before anything is begun', async () => {
    const engine = await elsewhere('COPY . /app');
    const line = dockerfile.split('\n').findIndex((each) => each.includes(base)) + 1;
    expect(await machine(engine).build(jobOf(dockerfile, recipe))).toMatchObject({
      ok: false,
      problem: {
        code: 'baseTakesFiles',
        project: 'api-project',
        message: `api/Dockerfile:${line}: ${base} has ONBUILD COPY . /app, and which files of this workspace that takes is not known from the Dockerfile`,
        retry: 'whenInputChanges',
        location: { file: 'api/Dockerfile', line },
      },
    });
    expect(engine.builds).toBe(0);
  });
});

/** The engine's own images are what it takes, whatever a registry has. */
async function inEngine(trigger: string): Promise<FakeEngine> {
  const engine = fakeEngine();
  const theirs = jobOf(`FROM scratch\nCOPY src /\nONBUILD ${trigger}\n`, { builder: 'docker/1' }, { ref: base });
  expect(await machine(engine).build(theirs)).toMatchObject({ ok: true });
  return engine;
}

it('of a base that the engine has is refused by the engine all the same', async () => {
  const built = await machine(await inEngine('ADD . /app')).build(jobOf(plain, {}));
  expect(built).toMatchObject({ ok: false, problem: { code: 'baseTakesFiles', location: { line: 2 } } });
});

describe.each(kinds.filter(([name]) => name === 'the engine' || name === inCluster))('a base, for %s', (name, dockerfile, recipe) => {
  const goesOn = async (engine: FakeEngine, job: BuildJob): Promise<void> => {
    const built = await machine(engine).build(job);
    // As far as this cluster lets it.
    expect(built.ok ? 'built' : built.problem.code).toBe(name === inCluster ? noPods.code : 'built');
  };

  it('that runs something else for those above it is none to refuse', async () => {
    await goesOn(await elsewhere('RUN make'), jobOf(dockerfile, recipe));
  });

  it('of the workspace is one whose files are known', async () => {
    const engine = name === inCluster ? await elsewhere('COPY . /app') : await inEngine('COPY . /app');
    await goesOn(engine, jobOf(dockerfile, recipe, { bases: { base } }));
  });

  it('whose registry does not answer is left to what makes the image', async () => {
    const engine = fakeEngine();
    engine.registry.reachable = false;
    await goesOn(engine, jobOf(dockerfile, recipe));
  });
});
