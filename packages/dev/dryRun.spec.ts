import { emptyDir, type Artifact, type ArtifactState, type World } from '../model';
import { emptyWorld, snapshotOf } from '../plan';
import { inputDigestTag } from '../tag';
import { dryRunCode, wouldBuild } from './dryRun';
import type { Session } from './session';

const digest = `sha256:${'1'.repeat(64)}`;

function artifact(name: string, over: Partial<Artifact> = {}): Artifact {
  return {
    name,
    project: name,
    image: name,
    recipe: { builder: 'test/1', context: name, dockerfile: `${name}/Dockerfile`, args: {} },
    inputs: [],
    requires: [],
    targets: [],
    after: [],
    reload: { kind: 'rebuild', because: '' },
    ...over,
  };
}

const session = {
  delivery: { repo: 'r', because: 'pushed' },
  names: {
    tagFor: () => Promise.resolve({ ok: true, value: 'v1' }),
    refFor: ({ image }: Artifact, tag: string) => `r/${image}:${tag}`,
  },
} as unknown as Session;

function worldOf(artifacts: readonly Artifact[], ended: readonly string[], found?: Artifact): World {
  const problem = { code: dryRunCode, message: '', retry: 'never', exitCode: 1 } as const;
  const failure = { inputs: '', problem, attempts: 1, retryAt: undefined };
  const names = new Set(artifacts.map(({ name }) => name));
  const world: World = {
    ...emptyWorld,
    goal: { kind: 'built', artifacts: names, releases: new Set() },
    workspace: {
      root: '/',
      projects: new Map(),
      artifacts: new Map(artifacts.map((each) => [each.name, each])),
      releases: new Map(),
      targets: new Map(),
      forwards: [],
      problems: [],
    },
    failures: new Map(ended.map((key) => [key, failure])),
  };
  if (!found) return world;
  const snapshot = snapshotOf(found, emptyDir, {});
  const ref = `r/${found.image}:${inputDigestTag(snapshot.inputsHash)}@${digest}`;
  const image = { snapshot, delivered: { ref, digest }, leftToFinish: false };
  return {
    ...world,
    artifacts: new Map([[found.name, { lookedUp: { state: 'unknown' }, lookedUpFor: undefined, image } as unknown as ArtifactState]]),
  };
}

describe('a dry run of a build', () => {
  it('says of an image that takes what a target makes that it is not known, and of what stands on it too', async () => {
    const all = [artifact('api', { targets: ['api:build'] }), artifact('web', { requires: ['api'] })];
    const unknown = {
      digest: '',
      built: null,
      delivered: null,
      because: 'not known until api:build has run',
      notKnownUntil: ['api:build'],
    };
    expect(await wouldBuild(session, worldOf(all, ['runTarget:api:build']))).toMatchObject([
      { artifact: 'api', ...unknown },
      { artifact: 'web', ...unknown },
    ]);
  });

  it('says of another one that it would be built', async () => {
    const [image] = await wouldBuild(session, worldOf([artifact('api', { targets: ['api:build'] })], ['build:api']));
    expect(image).toEqual({
      project: 'api',
      artifact: 'api',
      image: 'api',
      tag: 'v1',
      digest: '',
      ref: 'r/api:v1',
      built: true,
      delivered: true,
      because: 'the registry has no image of this content',
    });
  });

  it('names one that is there by the tag that it would get', async () => {
    const api = artifact('api');
    expect(await wouldBuild(session, worldOf([api], [], api))).toMatchObject([
      { tag: 'v1', ref: `r/api:v1@${digest}`, digest, built: false, because: 'the registry has it already' },
    ]);
  });
});
