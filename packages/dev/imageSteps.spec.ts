import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { processes } from '../clients';
import {
  contentDigest,
  emptyDir,
  fileEntry,
  withEntries,
  type Artifact,
  type Hook,
  type Snapshot,
  type Workspace,
  type World,
} from '../model';
import { emptyWorld } from '../plan';
import { chooseDelivery, type Delivery } from '../registry';
import { fakeEngine, type FakeEngine } from '../testkit/fakeEngine';
import { HookRunner } from './hookRunner';
import { ImageNames } from './imageNames';
import { ImageSteps } from './imageSteps';
import type { Session } from './session';

describe('an image with a command that is run after its build', () => {
  let root: string;
  beforeEach(() => (root = mkdtempSync(join(tmpdir(), 'slipway-images-'))));
  afterEach(() => rmSync(root, { recursive: true }));

  const files = { 'api/Dockerfile': 'FROM scratch\nCOPY a /a\n', 'api/a': 'a' };
  const snapshot: Snapshot = {
    ...{ inputsHash: 'inputs', rebuildHash: '', layoutHash: '', tree: emptyDir },
    sources: withEntries(
      emptyDir,
      Object.entries(files).map(
        ([path, text]) => [path, fileEntry({ digest: contentDigest(text), size: Buffer.byteLength(text), mode: 0o644 })] as const,
      ),
    ),
  };
  const worldWith = (run: string): World => {
    const hook: Hook = { stage: 'build', when: 'after', run, where: { kind: 'host', folder: '', env: {} }, timeoutMs: 10_000 };
    const artifact: Artifact = {
      ...{ name: 'api', project: 'api', image: 'shop/api', inputs: [], requires: [], targets: [], after: [], hooks: [hook] },
      recipe: { builder: 'layers/1', context: 'api', dockerfile: 'api/Dockerfile', args: {} },
      reload: { kind: 'hot', because: '' },
    };
    const workspace: Workspace = {
      ...{ root, projects: new Map(), releases: new Map(), targets: new Map(), forwards: [], problems: [] },
      artifacts: new Map([['api', artifact]]),
    };
    return { ...emptyWorld, workspace };
  };

  /** A run of its own: nothing is known but what is in the engine and in the registry. */
  const runWith = async (engine: FakeEngine, delivery: Delivery, command: string) => {
    const world = worldWith(command);
    const { workspace } = world;
    if (!workspace) throw new Error('there is no workspace');
    const report = (): void => undefined;
    const session = {
      options: { root, env: { PATH: process.env['PATH'] }, report },
      read: { workspace, settings: { insecureRegistries: [], buildkit: {} } },
      ...{ engine, registry: engine.registry, delivery, workspaceId: 'w' },
      names: new ImageNames({ root, env: {}, workspace, delivery, processes, now: new Date(0) }),
    } as unknown as Session;
    const steps = new ImageSteps(session, report, new HookRunner(session, report));
    const { signal } = new AbortController();
    const found = await steps.lookUp({ kind: 'lookUp', artifact: 'api', snapshot }, signal, world);
    const built = await steps.build({ kind: 'build', artifact: 'api', snapshot, bases: {} }, signal, world);
    await steps.close();
    return { found, built };
  };

  it.each([
    ['in a registry', { push: true }],
    ['in the engine', { push: false }],
  ])('is not there for the next run when that failed: %s', async (_, { push }) => {
    mkdirSync(join(root, 'api'));
    for (const [path, content] of Object.entries(files)) writeFileSync(join(root, path), content);
    const engine = fakeEngine();
    const repo = { repo: 'localhost:5000/team', from: 'slipway.yaml', multiLevel: true };
    const delivery = await chooseDelivery({
      ...{ engine, registry: engine.registry, processes, engineAt: () => engine, push },
      ...(push && { defaultRepo: repo }),
    });
    if (!delivery.ok) throw new Error(delivery.problem.message);
    const first = await runWith(engine, delivery.value, 'echo "no licence for $IMAGE_REPO"; exit 3');
    expect(first.built).toMatchObject({
      kind: 'failed',
      problem: { code: 'hookFailed', detail: expect.stringMatching(/^no licence for .*shop\/api$/) as string },
    });
    const second = await runWith(engine, delivery.value, 'true');
    expect(second.found).toEqual({ kind: 'lookedUp', image: undefined });
    expect(second.built).toMatchObject({ kind: 'built', sentHash: 'inputs' });
    const third = await runWith(engine, delivery.value, 'true');
    expect(third.found).toMatchObject({ kind: 'lookedUp', image: { ref: expect.stringContaining('shop/api:') as string } });
  });
});
