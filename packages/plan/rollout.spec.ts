import {
  usualPatience,
  type Fact,
  type Hook,
  type Outcome,
  type Patience,
  type Problem,
  type Release,
  type Rollout,
  type Workspace,
  type World,
} from '../model';
import { progressOf } from './goalReached';
import { plan } from './plan';
import { emptyWorld, record } from './record';

const crashed: Problem = { code: 'containerCrashed', message: 'it crashed', retry: 'whenInputChanges', exitCode: 1 };
const afterDeploy: Hook = {
  stage: 'deploy',
  when: 'after',
  run: './smoke.sh',
  where: { kind: 'host', folder: 'web', env: {} },
  timeoutMs: 1000,
};

/** Releases without images, applied at 0 and shown as each is said to be. */
class Deploy {
  world: World = emptyWorld;
  private revision = 1;

  constructor(releases: Readonly<Record<string, Partial<Release>>>) {
    const all = Object.entries(releases).map(
      ([name, more]) => [name, { name, project: name, sources: [], inputs: [], artifacts: [], ...more }] as const,
    );
    const names = new Set(Object.keys(releases));
    const empty = { artifacts: new Map(), targets: new Map(), forwards: [], problems: [], projects: new Map() };
    const workspace: Workspace = { root: '/', ...empty, releases: new Map(all) };
    this.take(
      { kind: 'goalSet', goal: { kind: 'deployed', artifacts: new Set(), releases: names } },
      { kind: 'workspaceSeen', workspace },
      { kind: 'filesSeen', entries: [], scanned: true, at: 0 },
    );
    for (const release of names)
      this.take({ kind: 'releaseSeen', release, revision: this.revision, live: { state: 'absent' }, containers: [] });
    this.endAll({ kind: 'applied', fingerprint: '', appliedAt: 1 });
  }

  private take(...facts: readonly Fact[]): void {
    this.world = facts.reduce(record, this.world);
  }

  /** Ends every step that is planned. */
  endAll(outcome: Outcome): void {
    for (const step of plan(this.world).start) {
      const id = `${step.kind} ${'release' in step ? step.release : ''}`;
      const ended = outcome.kind === 'applied' && step.kind === 'apply' ? { ...outcome, fingerprint: step.fingerprint } : outcome;
      this.take({ kind: 'stepStarted', id, step, at: this.world.now }, { kind: 'stepEnded', id, outcome: ended, at: this.world.now });
    }
  }

  shows(release: string, rollout: Rollout): this {
    const fingerprint = this.world.releases.get(release)?.applied?.fingerprint ?? this.shown(release);
    this.revision += 1;
    const value = { fingerprint, appliedAt: 1, images: {}, rollout };
    this.take({ kind: 'releaseSeen', release, revision: this.revision, live: { state: 'found', value }, containers: [] });
    return this;
  }

  at(now: number): this {
    this.take({ kind: 'clockTicked', now });
    return this;
  }

  get progress(): unknown {
    const progress = progressOf(this.world, plan(this.world));
    return progress.state === 'stuck' ? progress.problems.map(({ code }) => code) : progress.state;
  }

  private shown(release: string): string {
    const live = this.world.releases.get(release)?.live;
    return live?.state === 'found' ? live.value.fingerprint : '';
  }
}

const rolling: Rollout = { state: 'progressing', message: '0 of 1' };
const failed: Rollout = { state: 'failed', problem: crashed };
const ready: Rollout = { state: 'ready' };
const patient = (patience: Partial<Patience>): Partial<Release> => ({ patience: { ...usualPatience, ...patience } });

describe('a command that deploys', () => {
  it('ends by a rollout that fails when the others have come as far as they get', () => {
    const deploy = new Deploy({ bad: {}, slow: {} }).shows('bad', failed).shows('slow', rolling);
    expect(deploy.progress).toBe('working');
    expect(deploy.shows('slow', ready).progress).toEqual(['containerCrashed']);
  });

  it('gives a rollout up at its deadline, and is woken for that; what keeps it is the reason', () => {
    const deploy = new Deploy({ web: patient({ deadlineMs: 6_000 }) }).shows('web', rolling);
    expect(plan(deploy.world).wakeAt).toBe(6_000);
    expect(deploy.at(5_999).progress).toBe('working');
    expect(deploy.at(6_000).progress).toEqual(['rolloutTimedOut']);
    const reason: Problem = { ...crashed, code: 'probeFailed' };
    expect(deploy.shows('web', { ...rolling, reason }).progress).toEqual(['probeFailed']);
    expect(plan(deploy.world).wakeAt).toBeUndefined();
  });

  it('waits for independent releases at the same time, for each until its own deadline', () => {
    const deploy = new Deploy({ quick: patient({ deadlineMs: 6_000 }), slow: patient({ deadlineMs: 8_000 }) });
    expect([...deploy.world.releases.values()].map(({ applied }) => applied?.at)).toEqual([0, 0]);
    deploy.shows('quick', rolling).shows('slow', rolling);
    expect(deploy.at(6_000).progress).toBe('working');
    expect(deploy.at(8_000).progress).toEqual(['rolloutTimedOut', 'rolloutTimedOut']);
  });

  it('waits through a failure until the deadline where it is told to', () => {
    const deploy = new Deploy({ web: patient({ toleratesFailures: true, deadlineMs: 6_000 }) }).shows('web', failed);
    expect(deploy.at(5_999).progress).toBe('working');
    expect(deploy.at(6_000).progress).toEqual(['containerCrashed']);
    expect(deploy.shows('web', ready).progress).toBe('reached');
  });

  it('runs what comes after a deployment once it has rolled out, and is done when that ended well', () => {
    const deploy = new Deploy({ web: { hooks: [afterDeploy] } }).shows('web', rolling);
    expect(plan(deploy.world).start).toEqual([]);
    deploy.shows('web', ready);
    expect(plan(deploy.world).start).toMatchObject([{ kind: 'runHooks', release: 'web' }]);
    expect(deploy.progress).toBe('working');
    deploy.endAll({ kind: 'hooksRan' });
    expect(deploy.progress).toBe('reached');
    expect(plan(deploy.world).start).toEqual([]);
  });

  it('fails by such a hook, and not for the others', () => {
    const deploy = new Deploy({ web: { hooks: [afterDeploy] }, slow: {} }).shows('web', ready).shows('slow', rolling);
    deploy.endAll({ kind: 'failed', problem: { ...crashed, code: 'hookFailed' } });
    expect(deploy.progress).toBe('working');
    expect(deploy.shows('slow', ready).progress).toEqual(['hookFailed']);
  });
});
