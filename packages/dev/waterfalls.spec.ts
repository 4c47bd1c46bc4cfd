import type { Event, Fact, Outcome, Rollout, SeenContainer, Step, Workspace, World } from '../model';
import { emptyWorld, record } from '../plan';
import { Waterfalls } from './waterfalls';

const workspace: Workspace = {
  root: '/',
  projects: new Map(),
  artifacts: new Map(),
  releases: new Map([['web', { name: 'web', project: 'web', sources: [], inputs: [], artifacts: ['web'] }]]),
  targets: new Map(),
  forwards: [],
  problems: [],
};
const goal = { kind: 'live' as const, artifacts: new Set(['web']), releases: new Set(['web']) };
const snapshot = { inputsHash: '', rebuildHash: '', layoutHash: '', sources: emptyWorld.disk, tree: emptyWorld.disk };
const lookUp: Step = { kind: 'lookUp', artifact: 'web', snapshot };
const build: Step = { kind: 'build', artifact: 'web', snapshot, bases: {} };
const deliver: Step = { kind: 'deliver', artifact: 'web', snapshot, image: { location: 'registry', ref: 'web:1', id: '' } };
const apply: Step = { kind: 'apply', release: 'web', fingerprint: 'f', images: {} };
const decision = (files: readonly string[], action: 'rebuild' | 'redeploy' | 'sync' = 'rebuild') =>
  ({ kind: 'decision', artifact: 'web', action, files, containerPaths: [], because: '' }) as const;

/** A service whose way is played step by step, at the given times. */
class Played {
  private world: World = { ...emptyWorld, scanned: true, workspace, goal };
  private readonly waterfalls = new Waterfalls();
  private counter = 0;

  save(at: number, ...decisions: readonly Extract<Event, { kind: 'decision' }>[]): this {
    return this.turn({ kind: 'filesSeen', entries: [], scanned: false, at }, [], decisions);
  }

  step(step: Step, from: number, to: number, outcome: Outcome): this {
    const id = String((this.counter += 1));
    this.world = record(this.world, { kind: 'stepStarted', id, step, at: from });
    this.turn({ kind: 'clockTicked', now: from }, [step]);
    return this.turn({ kind: 'stepEnded', id, outcome, at: to });
  }

  runs(id: string, at: number): this {
    const seen: SeenContainer = {
      id,
      artifact: 'web',
      namespace: 'n',
      pod: `web-${id}`,
      podUid: id,
      container: 'web',
      running: true,
      inputsHash: '',
      restarts: 0,
      snapshot: undefined,
    };
    this.world = record(this.world, { kind: 'clockTicked', now: at });
    return this.turn({ kind: 'releaseSeen', release: 'web', revision: at, live: { state: 'unknown' }, containers: [seen] });
  }

  /** Ready: all is as it is wanted. */
  sees(at: number, rollout: Rollout): this {
    const value = { fingerprint: 'f', appliedAt: 1, images: {}, rollout };
    return this.turn({ kind: 'releaseSeen', release: 'web', revision: at, live: { state: 'found', value }, containers: [] });
  }

  arrived(at: number): ReturnType<Waterfalls['arrived']> {
    return this.waterfalls.arrived('web', at);
  }

  private turn(fact: Fact, start: readonly Step[] = [], decisions: readonly Extract<Event, { kind: 'decision' }>[] = []): this {
    const before = this.world;
    this.world = record(before, fact);
    this.waterfalls.note({ before, after: this.world, facts: [fact], plan: { start, stop: [], held: [], wakeAt: undefined } }, decisions);
    return this;
  }
}

const image = { location: 'registry', ref: 'web:1', id: '' } as const;
const delivered = { kind: 'delivered', image: { ref: 'web:1', digest: '' } } as const;
const applied = { kind: 'applied', fingerprint: 'f', appliedAt: 1 } as const;

describe('the way of an edit to new pods', () => {
  it('is told part by part, and the parts add up', () => {
    const played = new Played()
      .runs('old', 1)
      .save(100, decision(['Dockerfile', 'a', 'b', 'c']))
      .step(lookUp, 110, 130, { kind: 'lookedUp', image: undefined })
      .step(build, 130, 400, { kind: 'built', image, sentHash: '' })
      .step(deliver, 400, 410, delivered)
      .step(apply, 410, 500, applied)
      .runs('new', 800);
    expect(played.arrived(1000)).toEqual({
      kind: 'rolledOut',
      release: 'web',
      files: ['Dockerfile', 'a', 'b'],
      fileCount: 4,
      ms: { detect: 10, build: 290, deliver: 10, apply: 90, schedule: 300, ready: 200, total: 900 },
    });
    expect(played.arrived(1001)).toBeUndefined();
  });

  it('has no build where a manifest changed', () => {
    const played = new Played().save(100, decision(['k8s/web.yaml'], 'redeploy')).step(apply, 120, 200, applied);
    expect(played.arrived(300)?.ms).toEqual({ detect: 20, build: 0, deliver: 0, apply: 80, schedule: 0, ready: 100, total: 200 });
  });

  it('begins with the first of several saves', () => {
    const played = new Played()
      .save(100, decision(['a']))
      .step(build, 110, 200, { kind: 'stopped' })
      .save(150, decision(['b']))
      .step(build, 210, 300, { kind: 'built', image, sentHash: '' })
      .step(deliver, 300, 300, delivered)
      .step(apply, 300, 400, applied);
    expect(played.arrived(500)).toMatchObject({ files: ['a', 'b'], ms: { total: 400 } });
  });

  it('is none where files are only copied, and not over before anything was applied', () => {
    expect(
      new Played()
        .save(100, decision(['a'], 'sync'))
        .step(apply, 110, 120, applied)
        .arrived(200),
    ).toBeUndefined();
    expect(new Played().save(100, decision(['a'])).arrived(200)).toBeUndefined();
  });

  it('begins anew with the save that mends what has failed', () => {
    const failure = { kind: 'failed', problem: { code: 'manifestInvalid', message: '', retry: 'whenInputChanges', exitCode: 2 } } as const;
    const played = new Played()
      .save(100, decision(['k8s/web.yaml'], 'redeploy'))
      .step(apply, 110, 120, failure)
      .save(9000, decision(['k8s/web.yaml'], 'redeploy'))
      .step(apply, 9010, 9100, applied);
    expect(played.arrived(9300)).toMatchObject({ ms: { detect: 10, apply: 90, total: 300 } });
  });

  it('is over when something else is applied before its pods were ready', () => {
    const played = new Played()
      .save(100, decision(['k8s/job.yaml'], 'redeploy'))
      .step(apply, 110, 120, applied)
      .runs('crashing', 200)
      .step(apply, 9000, 9100, applied);
    expect(played.arrived(9300)).toBeUndefined();
  });

  it('ends where an edit that could not be built was taken back: an image that is asked for later has none', () => {
    const failure = { kind: 'failed', problem: { code: 'buildFailed', message: '', retry: 'whenInputChanges', exitCode: 1 } } as const;
    const built = (played: Played) =>
      played.step(build, 9000, 9100, { kind: 'built', image, sentHash: '' }).step(apply, 9100, 9200, applied).arrived(9300);
    const deployed = () => new Played().step(apply, 10, 20, applied).sees(30, { state: 'progressing', message: '' });
    const failed = () =>
      deployed()
        .save(100, decision(['Dockerfile']))
        .step(build, 110, 200, failure);
    expect(built(failed())).toMatchObject({ files: ['Dockerfile'] });
    expect(built(failed().sees(300, { state: 'ready' }))).toBeUndefined();
  });
});
