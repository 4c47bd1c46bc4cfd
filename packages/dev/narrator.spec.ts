import {
  absent,
  emptyDir,
  fileEntry,
  usualPatience,
  type Artifact,
  type Event,
  type Fact,
  type Outcome,
  type Plan,
  type Problem,
  type Release,
  type Rollout,
  type SeenContainer,
  type Step,
  type WaitedFor,
  type Workspace,
  type World,
} from '../model';
import { emptyWorld, record } from '../plan';
import { Narrator } from './narrator';

const artifact: Artifact = {
  name: 'web',
  project: 'web',
  image: 'web',
  recipe: { builder: 'docker/1', context: '', dockerfile: 'Dockerfile', args: {} },
  inputs: [
    { path: 'Dockerfile', onChange: 'rebuild', because: 'the Dockerfile itself' },
    { path: 'src', containerPath: '/app', onChange: 'sync', because: 'copied to /app' },
  ],
  requires: [],
  targets: [],
  after: [],
  reload: { kind: 'hot', because: 'it is a test' },
};
const release: Release = {
  name: 'web',
  project: 'web',
  sources: [{ kind: 'kubectl', manifests: ['k8s/web.yaml'] }],
  inputs: [{ path: 'k8s/web.yaml', because: 'a manifest of web' }],
  artifacts: ['web'],
};

function workspaceWith(problems: readonly Problem[] = []): Workspace {
  return {
    root: '/w',
    projects: new Map(),
    artifacts: new Map([['web', artifact]]),
    releases: new Map([['web', release]]),
    targets: new Map(),
    forwards: [],
    problems,
  };
}

function problemOf(code: string, more: Partial<Problem> = {}): Problem {
  return { code, message: `${code} of web`, retry: 'whenInputChanges', exitCode: 1, project: 'web', ...more };
}

const noPlan: Plan = { start: [], stop: [], held: [], wakeAt: undefined };
const live: World = { ...emptyWorld, scanned: true, workspace: workspaceWith(), goal: { ...emptyWorld.goal, releases: new Set(['web']) } };

/** A narrator and the worlds it is told of, one after another; gives what it says of the last. */
function narration(narrator = new Narrator(0)) {
  let before = live;
  return (after: Partial<World>, { facts = [], held = [] }: { facts?: readonly Fact[]; held?: Plan['held'] } = {}): readonly Event[] => {
    const turn = { before, after: { ...before, ...after }, facts, plan: { ...noPlan, held } };
    before = turn.after;
    return narrator.tell(turn).filter(({ kind }) => kind !== 'service');
  };
}

function failing(key: string, problem: Problem, attempts = 1): Pick<World, 'failures'> {
  return { failures: new Map([[key, { inputs: 'i', problem, attempts, retryAt: undefined }]]) };
}

function released(rollout: Rollout, more: { readonly uncertain?: boolean; readonly applied?: boolean } = {}): Pick<World, 'releases'> {
  const { uncertain = false, applied = false } = more;
  const state = {
    revision: 1,
    live: { state: 'found', value: { fingerprint: 'f', appliedAt: 0, images: {}, rollout } } as const,
    applied: applied ? { fingerprint: 'g', appliedAt: 0, at: 0 } : undefined,
    uncertain,
  };
  return { releases: new Map([['web', state]]) };
}

describe('holds', () => {
  it('are said once for an artifact and a release of one name, and again when they are over', () => {
    const tell = narration();
    const hold = { subject: 'web', reason: 'waitingForCluster' } as const;
    expect(tell({}, { held: [hold, hold] })).toEqual([{ kind: 'held', ...hold }]);
    expect(tell({}, { held: [hold] })).toEqual([]);
    expect(tell({})).toEqual([{ kind: 'continued', ...hold }]);
    expect(tell({})).toEqual([]);
  });
});

describe('failures', () => {
  it('are said once, and that they are mended', () => {
    const tell = narration();
    const problem = problemOf('applyFailed');
    expect(tell(failing('apply:web', problem))).toMatchObject([{ kind: 'failed', subject: 'web', code: 'applyFailed' }]);
    expect(tell(failing('apply:web', problem))).toEqual([]);
    expect(tell({ failures: new Map() })).toEqual([{ kind: 'mended', subject: 'web' }]);
  });

  it('of one subject are mended once, when the last of them is', () => {
    const tell = narration();
    const [build, apply] = [failing('build:web', problemOf('buildFailed')), failing('apply:web', problemOf('applyFailed'))];
    expect(tell({ failures: new Map([...build.failures, ...apply.failures]) })).toMatchObject([{ kind: 'failed' }, { kind: 'failed' }]);
    expect(tell(apply)).toEqual([]);
    expect(tell({ failures: new Map() })).toEqual([{ kind: 'mended', subject: 'web' }]);
  });

  it('of a step, for a mistake that is told too, are mended together with it', () => {
    const narrator = new Narrator(0);
    const tell = narration(narrator);
    expect(narrator.tellMistakes([problemOf('dockerfileInvalid')])).toMatchObject([{ kind: 'failed', subject: 'web' }]);
    expect(tell(failing('build:web', problemOf('buildFailed')))).toMatchObject([{ kind: 'failed', code: 'buildFailed' }]);
    expect(narrator.tellMistakes([])).toEqual([]);
    expect(tell({ failures: new Map() })).toEqual([{ kind: 'mended', subject: 'web' }]);
  });

  it('of a cluster that is away are said once, however its connections end', () => {
    const tell = narration();
    const away = problemOf('clusterUnreachable', { retry: 'afterDelay' });
    expect(tell(failing('apply:web', away))).toMatchObject([{ kind: 'failed' }]);
    expect(tell(failing('apply:web', { ...away, message: 'no connection within 10 s' }))).toEqual([]);
  });

  it.each([
    ['apply:web', 'manifestChanged'],
    ['build:web', 'sourcesChanged'],
    ['connect:containerd://1', 'podGone'],
  ])('that pass by themselves are said only when they last: %s %s', (key, code) => {
    const tell = narration();
    const problem = problemOf(code, { retry: 'afterDelay' });
    expect(tell(failing(key, problem, 3))).toEqual([]);
    expect(tell(failing(key, problem, 4))).toMatchObject([{ kind: 'failed', code }]);
  });

  it('that are a mistake in the workspace are said where it is read', () => {
    const tell = narration();
    const mistake = problemOf('dockerfileInvalid');
    expect(tell({ workspace: workspaceWith([mistake]), ...failing('build:web', mistake) })).toEqual([]);
    expect(tell({ workspace: workspaceWith() })).toEqual([]);
    expect(tell({ failures: new Map() })).toEqual([]);
  });
});

describe('a rollout', () => {
  it('of what is only attached to is told when it does not run, with the reason and once, and not when it does', () => {
    const attached = { ...live.goal, kind: 'attached' as const };
    const problem = problemOf('imageNotFound');
    const uncertain = (rollout: Rollout) => ({ goal: attached, ...released(rollout, { uncertain: true }) });
    const tell = narration();
    expect(tell(uncertain({ state: 'progressing', message: 'no container of it runs yet' }))).toMatchObject([
      { kind: 'rollout', state: 'progressing', message: 'no container of it runs yet' },
    ]);
    expect(tell(uncertain({ state: 'failed', problem }))).toMatchObject([
      { kind: 'rollout', state: 'failed' },
      { kind: 'failed', code: 'imageNotFound' },
    ]);
    expect(tell(uncertain({ state: 'failed', problem }))).toEqual([]);
    expect(narration()(uncertain({ state: 'ready' })).filter(({ kind }) => kind === 'rollout')).toEqual([]);
    // Before the session has said where it is, nothing is told of what it finds there.
    expect(narration()({ ...uncertain({ state: 'failed', problem }), workspace: undefined })).toEqual([]);
  });

  const failed: Rollout = { state: 'failed', problem: problemOf('imagePullFailed') };

  it('is not said before an apply of this session ended, nor until the cluster shows it', () => {
    const tell = narration();
    expect(tell(released(failed, { uncertain: true }))).toEqual([]);
    expect(tell(released(failed, { applied: true }))).toEqual([]);
    expect(tell(released(failed))).toMatchObject([
      { kind: 'rollout', state: 'failed' },
      { kind: 'failed', code: 'imagePullFailed' },
    ]);
    expect(tell(released(failed))).toEqual([]);
  });

  it('that a deploy waited for until its deadline has failed, and is told with the name of its release', () => {
    const reason = problemOf('probeFailed', { message: 'the probe of web fails' });
    const waits = released({ state: 'progressing', message: '0 of 1', reason });
    const releases = new Map([...waits.releases].map(([name, state]) => [name, { ...state, notReadySince: 1000 }]));
    const deployed = { ...live.goal, kind: 'deployed' } as const;
    const tell = narration();
    expect(tell({ now: 1000, goal: deployed, releases })).toMatchObject([{ kind: 'rollout', state: 'progressing' }]);
    const late = 1000 + usualPatience.deadlineMs;
    expect(tell({ now: late - 1 })).toEqual([]);
    const message = `not rolled out within ${usualPatience.deadlineMs / 1000} s: the probe of web fails`;
    expect(tell({ now: late })).toMatchObject([
      { kind: 'rollout', release: 'web', state: 'failed', message },
      { kind: 'failed', subject: 'web', code: 'probeFailed', message },
    ]);
    expect(tell({ now: late + 1 })).toEqual([]);
  });

  it('is told again when the log of another that it waits for is known', () => {
    const [one, two] = [
      { object: 'deployment/one', message: 'not ready', detail: 'Error: one' },
      { object: 'deployment/two', message: 'not ready' },
    ];
    const waits = (...waiting: readonly WaitedFor[]) => released({ state: 'progressing', message: 'both', waiting });
    const tell = narration();
    expect(tell(waits(one, two))).toMatchObject([{ waiting: [one, two] }]);
    expect(tell(waits(one, two))).toEqual([]);
    const both = [one, { ...two, detail: 'Error: two' }];
    expect(tell(waits(...both))).toMatchObject([{ waiting: both }]);
  });

  it('of a dev has no end that it is told of: it goes on', () => {
    const waits = released({ state: 'progressing', message: '0 of 1' });
    const releases = new Map([...waits.releases].map(([name, state]) => [name, { ...state, notReadySince: 0 }]));
    expect(narration()({ now: usualPatience.deadlineMs + 1, releases })).toMatchObject([{ kind: 'rollout', state: 'progressing' }]);
  });

  it('is timed from the apply before it', () => {
    const tell = narration();
    const step: Step = { kind: 'apply', release: 'web', fingerprint: 'f', images: {} };
    tell({
      ...released({ state: 'progressing', message: '0 of 1' }),
      running: new Map([['a', { id: 'a', step, startedAt: 0, stopAsked: false }]]),
    });
    const applied: Fact = { kind: 'stepEnded', id: 'a', outcome: { kind: 'applied', fingerprint: 'f', appliedAt: 0 }, at: 9000 };
    tell({ now: 9000, running: new Map() }, { facts: [applied] });
    expect(tell({ now: 9500, ...released({ state: 'ready' }) })[0]).toMatchObject({ kind: 'rollout', state: 'ready', ms: 500 });
  });
});

describe('a sync', () => {
  const seen: SeenContainer = {
    id: 'containerd://1',
    artifact: 'web',
    namespace: 'shop',
    pod: 'web-1',
    podUid: 'u',
    container: 'web',
    running: true,
    inputsHash: 'i',
    restarts: 0,
    snapshot: undefined,
  };
  const { containers } = record(live, { kind: 'releaseSeen', release: 'web', revision: 1, live: absent, containers: [seen] });
  const synced = (holds: Extract<Outcome, { kind: 'synced' }>['holds']): readonly Event[] => {
    const tell = narration();
    const step: Step = { kind: 'sync', container: seen.id, batch: 1, changes: [], noticedAt: 0, again: false };
    tell({ containers, running: new Map([['s', { id: 's', step, startedAt: 1, stopAsked: false }]]) });
    const timing = { detect: 0, read: 0, send: 0, apply: 0, total: 0 };
    return tell(
      { running: new Map() },
      { facts: [{ kind: 'stepEnded', id: 's', outcome: { kind: 'synced', holds, notWritten: [], bytes: 3, timing }, at: 5 }] },
    );
  };
  const file = fileEntry({ digest: 'd', size: 1, mode: 0o644 });

  it('counts files and removals, not the directories that were made for them', () => {
    expect(
      synced([
        ['/app/new', emptyDir],
        ['/app/new/a', file],
        ['/app/old', undefined],
      ]),
    ).toMatchObject([{ kind: 'synced', files: 2, removed: 1, paths: ['/app/new/a', '/app/old'] }]);
    expect(synced([['/app/new', emptyDir]])).toMatchObject([{ kind: 'synced', files: 0, paths: ['/app/new'] }]);
  });

  it('that was asked for counts its time from then, and from no save', () => {
    const tell = narration();
    const step: Step = { kind: 'sync', container: seen.id, batch: 1, changes: [], noticedAt: 10, again: false };
    const timing = { detect: 0, read: 0, send: 0, apply: 0, total: 0 };
    tell({ containers, now: 28_000 }, { facts: [{ kind: 'contentDoubted', container: seen.id, paths: ['/app/a'] }] });
    tell({ running: new Map([['s', { id: 's', step, startedAt: 28_001, stopAsked: false }]]) });
    const outcome: Outcome = { kind: 'synced', holds: [['/app/a', file]], notWritten: [], bytes: 3, timing };
    expect(tell({ running: new Map() }, { facts: [{ kind: 'stepEnded', id: 's', outcome, at: 28_005 }] })).toMatchObject([
      { kind: 'synced', ms: { detect: 1, total: 5 }, replay: false },
    ]);
  });

  it('of files that were gone when they were read is not said', () => {
    expect(synced([])).toEqual([]);
  });

  it('to what a sync has attached to is an edit, and to a container that comes later what the others have', () => {
    const tell = narration();
    const attached = { ...live.goal, kind: 'attached' as const };
    const ends = (step: Step, outcome: Outcome, at: number): readonly Event[] => {
      tell({ containers, goal: attached, running: new Map([['s', { id: 's', step, startedAt: at, stopAsked: false }]]) });
      return tell({ running: new Map() }, { facts: [{ kind: 'stepEnded', id: 's', outcome, at }] });
    };
    const timing = { detect: 0, read: 0, send: 0, apply: 0, total: 0 };
    const brought = (at: number): boolean | undefined => {
      ends({ kind: 'connect', container: seen.id }, { kind: 'connected', agent: 'sh', ledger: [] }, at);
      const step: Step = { kind: 'sync', container: seen.id, batch: 1, changes: [], noticedAt: at - 1, again: false };
      const told = ends(step, { kind: 'synced', holds: [['/app/new', file]], notWritten: [], bytes: 3, timing }, at + 1);
      return told.flatMap((event) => (event.kind === 'synced' ? [event.replay] : []))[0];
    };
    expect(brought(5)).toBe(false);
    expect(tell({ now: 10, ...released({ state: 'ready' }) })).toContainEqual({ kind: 'ready', containers: 1, ms: 10 });
    expect(brought(20)).toBe(true);
  });
});

describe('decisions', () => {
  const decided = (paths: readonly string[], workspace = workspaceWith()): readonly (string | undefined)[] => {
    const fact: Fact = { kind: 'filesSeen', entries: paths.map((path) => [path, undefined]), scanned: false, at: 0 };
    return narration()({ workspace }, { facts: [fact] }).map((event) =>
      event.kind === 'decision' ? `${event.action} ${event.files.join()}` : undefined,
    );
  };

  it('are one for each kind of action', () => {
    expect(decided(['Dockerfile', 'src/a', 'src/b', 'k8s/web.yaml', 'README.md'])).toEqual([
      'rebuild Dockerfile',
      'sync src/a,src/b',
      'redeploy k8s/web.yaml',
    ]);
  });

  it('are said of a manifest that was removed, and not of one of a project that is gone', () => {
    const remove = (now: Partial<Workspace>, artifacts = release.artifacts) => {
      const more = { ...release, artifacts, inputs: [...release.inputs, { path: 'k8s/job.yaml', because: 'a manifest of web' }] };
      const before = { ...live, workspace: { ...workspaceWith(), releases: new Map([['web', more]]) } };
      const after = { ...live, workspace: { ...workspaceWith(), releases: new Map([['web', { ...release, artifacts }]]), ...now } };
      const fact: Fact = { kind: 'filesSeen', entries: [['k8s/job.yaml', undefined]], scanned: false, at: 0 };
      const told = new Narrator(0).tell({ before, after, facts: [fact], plan: noPlan });
      return told.flatMap((event) => (event.kind === 'decision' ? [`${event.action} ${event.artifact} ${event.files.join()}`] : []));
    };
    expect(remove({})).toEqual(['redeploy web k8s/job.yaml']);
    expect(remove({}, [])).toEqual(['redeploy web k8s/job.yaml']);
    expect(remove({ artifacts: new Map(), releases: new Map() })).toEqual([]);
  });

  const notAlike = {
    args: { ...artifact, recipe: { ...artifact.recipe, args: { VERSION: '2' } } },
    rules: {
      ...artifact,
      inputs: [...artifact.inputs, { path: 'conf', containerPath: '/conf', onChange: 'sync', because: 'a rule' } as const],
    },
    after: { ...artifact, after: [{ run: ['make'], timeoutMs: 1 }] },
  };
  it.each<readonly [string, Partial<Workspace>, string]>([
    [
      'build arguments',
      { artifacts: new Map([['web', notAlike.args]]) },
      'rebuild web: what apps/web/slipway.yaml says of its image is another now',
    ],
    [
      'what is synced',
      { artifacts: new Map([['web', notAlike.rules]]) },
      'rebuild web: what apps/web/slipway.yaml says of its image is another now',
    ],
    [
      'a namespace',
      { releases: new Map([['web', { ...release, namespace: 'shop' }]]) },
      'redeploy web: what apps/web/slipway.yaml says of its deployment is another now',
    ],
    [
      'build arguments and a namespace',
      { artifacts: new Map([['web', notAlike.args]]), releases: new Map([['web', { ...release, namespace: 'shop' }]]) },
      'rebuild web: what apps/web/slipway.yaml says of its image is another now',
    ],
    [
      'a command after a sync',
      { artifacts: new Map([['web', notAlike.after]]) },
      'apps/web/slipway.yaml is read anew; neither an image nor what is deployed is another by it',
    ],
    [
      'a port',
      { forwards: [{ release: 'web', resource: 'service/web', port: 80, localPort: 8080, strict: false }] },
      'apps/web/slipway.yaml is read anew; neither an image nor what is deployed is another by it',
    ],
  ])('of a slipway.yaml that says another thing of %s are what that asks for', (_, now, expected) => {
    const projects = new Map([['web', { name: 'web', root: 'apps/web', dependencies: [] }]]);
    const fact: Fact = { kind: 'filesSeen', entries: [['apps/web/slipway.yaml', undefined]], scanned: false, at: 0 };
    // An editor may empty it before it writes it.
    const told = narration()({ workspace: { ...workspaceWith(), projects, ...now } }, { facts: [fact, { ...fact, at: 1 }] });
    const said = told.map((event) =>
      event.kind === 'decision'
        ? `${event.action} ${event.artifact}: ${event.because}`
        : event.kind === 'notice'
          ? event.message
          : event.kind,
    );
    expect(said).toEqual([expected]);
  });

  it('are not said of what a mistake stops', () => {
    const paths = ['Dockerfile', 'src/a', 'k8s/web.yaml'];
    expect(decided(paths, workspaceWith([problemOf('dockerfileInvalid')]))).toEqual(['sync src/a', 'redeploy k8s/web.yaml']);
    expect(decided(paths, workspaceWith([problemOf('manifestInvalid')]))).toEqual(['rebuild Dockerfile', 'sync src/a']);
  });
});

describe('a service', () => {
  it('is told of when it is another than before', () => {
    const narrator = new Narrator(0);
    const tell = (world: Partial<World>) =>
      narrator.tell({ before: live, after: { ...live, ...world }, facts: [], plan: noPlan }).filter(({ kind }) => kind === 'service');
    expect(tell({})).toEqual([{ kind: 'service', service: 'web', state: 'waiting' }]);
    expect(tell({})).toEqual([]);
    expect(tell(released({ state: 'ready' }))).toEqual([{ kind: 'service', service: 'web', state: 'ready' }]);
    expect(tell({ goal: { ...live.goal, releases: new Set() } })).toEqual([{ kind: 'service', service: 'web', state: 'removed' }]);
  });
});
