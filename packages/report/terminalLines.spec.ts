import type { Event, Problem } from '../model';
import { plain, paintFor } from './paint';
import { terminalLines, type Moment } from './terminalLines';
import { atFirst, type Format } from './terminalState';

/** Says events at their times, in milliseconds, and gives every line with the time it was said at, as a terminal's timer would. */
function play(events: readonly (readonly [at: number, event: Event])[], format: Partial<Format> = {}): string[] {
  const said: string[] = [];
  let state = atFirst;
  let wakeAt: number | undefined;
  const tell = (moment: Moment, now: number) => {
    const told = terminalLines(moment, state, now, { verbosity: 'normal', paint: plain, ...format });
    ({ state, wakeAt } = told);
    said.push(...told.lines.map((line) => `${now}: ${line.trimEnd()}`));
  };
  const wakeUntil = (now: number) => {
    while (wakeAt !== undefined && wakeAt <= now) tell({ kind: 'timePassed' }, wakeAt);
  };
  for (const [at, event] of events) {
    wakeUntil(at);
    tell(event, at);
  }
  wakeUntil(Infinity);
  return said;
}

const synced = (over: Partial<Extract<Event, { kind: 'synced' }>> = {}): Event => ({
  kind: 'synced',
  artifact: 'worker',
  pod: 'worker-7f9c-aaaaa',
  container: 'worker',
  files: 1,
  removed: 0,
  paths: ['/app/src/server.js'],
  bytes: 420,
  ms: { detect: 1, read: 1, send: 1, apply: 3, total: 6.2 },
  replay: false,
  ...over,
});
const connected = (pod: string): Event => ({ kind: 'connected', artifact: 'worker', pod, container: 'worker', agent: 'node', kept: 0 });
const decision = (over: Partial<Extract<Event, { kind: 'decision' }>> = {}): Event => ({
  kind: 'decision',
  artifact: 'worker',
  action: 'sync',
  files: ['apps/worker/src/server.js'],
  containerPaths: ['/app/src/server.js'],
  because: 'copied to /app/src (apps/worker/Dockerfile:9)',
  ...over,
});
const problem: Problem = { code: 'buildFailed', message: 'the image of worker was not built', retry: 'whenInputChanges', exitCode: 1 };
const failed = (over: Partial<Problem> = {}, subject = 'worker'): Extract<Event, { kind: 'failed' }> => ({
  kind: 'failed',
  subject,
  code: over.code ?? problem.code,
  message: over.message ?? problem.message,
  problem: { ...problem, ...over },
});
const built: Event = {
  kind: 'built',
  artifact: 'worker',
  ref: `localhost:5000/worker:${'0123456789ab'.repeat(4)}`,
  ms: 1234,
  builder: 'docker',
};

describe('what people read', () => {
  const one: { what: string; events: Event[]; lines: string[] }[] = [
    {
      what: 'a name with a line break, or with what a terminal would obey, in one line',
      events: [synced({ removed: 1, paths: ['/app/a\nb\u001b[2J'] })],
      lines: ['worker   removed /app/a\\nb\\x1b[2J  6 ms'],
    },
    {
      what: 'a synced file with where it came from and how long it took',
      events: [decision(), synced()],
      lines: ['worker   synced apps/worker/src/server.js → /app/src/server.js  6 ms'],
    },
    {
      what: 'where a file came from, also when an editor saved it by way of another one, which is gone',
      events: [decision(), decision({ files: ['apps/worker/src/4913'], containerPaths: ['/app/src/4913'] }), synced()],
      lines: ['worker   synced apps/worker/src/server.js → /app/src/server.js  6 ms'],
    },
    {
      what: 'a file that lands in two places',
      events: [decision({ containerPaths: ['/app/a.js', '/app/b.js'] }), synced({ files: 2, paths: ['/app/a.js', '/app/b.js'] })],
      lines: ['worker   synced 2 files (420 B): /app/a.js, /app/b.js  6 ms'],
    },
    {
      what: 'a removal as that',
      events: [
        synced({ removed: 1 }),
        synced({ files: 9, removed: 9 }),
        synced({ files: 5, removed: 2 }),
        synced({ files: 0, paths: ['/app/new'] }),
      ],
      lines: [
        'worker   removed /app/src/server.js  6 ms',
        'worker   removed 9 files  6 ms',
        'worker   synced 3 files (420 B), removed 2  6 ms',
        'worker   made /app/new  6 ms',
      ],
    },
    {
      what: 'the size of a large file',
      events: [synced({ bytes: 209_715_200, ms: { detect: 1, read: 1, send: 1, apply: 1, total: 2800 } })],
      lines: ['worker   synced /app/src/server.js (210 MB)  2.8 s'],
    },
    {
      what: 'many files summed up',
      events: [
        synced({ files: 214, bytes: 1_234_567, paths: ['/app/a', '/app/b'], ms: { detect: 1, read: 1, send: 1, apply: 1, total: 41 } }),
      ],
      lines: ['worker   synced 214 files (1.2 MB)  41 ms'],
    },
    {
      what: 'what a container got without an edit: it is new, came back, or held other files',
      events: [synced({ files: 4, replay: true }), synced({ files: 0, bytes: 0, paths: ['/www/cache'], replay: true })],
      lines: ['worker   brought 4 files (420 B) to the container worker-7f9c-aaaaa  6 ms', 'worker   made /www/cache  6 ms'],
    },
    {
      what: 'a rebuild with the file and the reason, and not once more that it builds',
      events: [
        decision({ action: 'rebuild', files: ['apps/api/package.json'], because: 'read by RUN npm ci (Dockerfile:7)' }),
        { kind: 'started', what: 'build', subject: 'worker' },
        built,
      ],
      lines: [
        'worker   rebuilding, apps/api/package.json is read by RUN npm ci (Dockerfile:7)',
        'worker   built localhost:5000/worker:0123456789ab  1.2 s',
      ],
    },
    {
      what: 'a reason that is no participle',
      events: [decision({ action: 'rebuild', files: ['x/Dockerfile', 'y/Dockerfile', 'z/Dockerfile'], because: 'the Dockerfile itself' })],
      lines: ['worker   rebuilding, x/Dockerfile, y/Dockerfile, z/Dockerfile: the Dockerfile itself'],
    },
    {
      what: 'a first build, which no decision told of',
      events: [{ kind: 'started', what: 'build', subject: 'worker', because: 'no image has these files' }],
      lines: ['worker   building, no image has these files'],
    },
    {
      what: 'what an apply changed, or that it changed nothing',
      events: [
        {
          kind: 'applied',
          release: 'web',
          namespace: 'shop',
          objects: ['deployment/web', 'service/web'],
          changed: ['deployment/web'],
          ms: 45,
        },
        { kind: 'applied', release: 'web', namespace: 'shop', objects: ['deployment/web'], changed: [], ms: 12 },
      ],
      lines: ['web      applied to shop: deployment/web  45 ms', 'web      applied to shop, nothing changed  12 ms'],
    },
    {
      what: 'a failure that names its project once',
      events: [failed({ message: 'worker: its image stands on itself' })],
      lines: ['worker   failed: its image stands on itself [buildFailed]'],
    },
    {
      what: 'a failure with its place, the end of what the tool said, and what to do',
      events: [
        failed({
          location: { file: 'apps/worker/Dockerfile', line: 9 },
          detail: `${Array.from({ length: 20 }, (_, at) => `line ${at}`).join('\n')}\n\n`,
          hint: 'correct the path in COPY',
        }),
      ],
      lines: [
        'worker   failed: the image of worker was not built [buildFailed]',
        '           at apps/worker/Dockerfile:9',
        '           │ … 5 lines before',
        ...Array.from({ length: 15 }, (_, at) => `           │ line ${at + 5}`),
        '           → correct the path in COPY',
      ],
    },
    {
      what: 'the same failure once, and that it is right again',
      events: [failed(), failed(), { kind: 'mended', subject: 'worker' }, { kind: 'mended', subject: 'worker' }],
      lines: ['worker   failed: the image of worker was not built [buildFailed]', 'worker   right again'],
    },
    {
      what: 'a failed rollout in one sentence, though two events tell of it',
      events: [{ kind: 'rollout', release: 'worker', state: 'failed', message: problem.message }, failed({ hint: 'Look at its log' })],
      lines: ['worker   rollout failed: the image of worker was not built [buildFailed]', '           → Look at its log'],
    },
    {
      what: 'logs with the name of their artifact',
      events: [{ kind: 'log', service: 'web', artifact: 'web', pod: 'web-5d-bbbbb', container: 'web', line: 'GET / \r', replicas: 1 }],
      lines: ['web      │ GET /'],
    },
    {
      what: 'logs of replicas with the end of their name',
      events: [
        { kind: 'log', service: 'web', artifact: 'web', pod: 'web-5d-bbbbb', container: 'web', line: 'one', replicas: 2 },
        { kind: 'log', service: 'web', artifact: 'web', pod: 'web-5d-ccccc', container: 'web', line: 'two', replicas: 2 },
        { kind: 'log', service: 'web', artifact: 'web', pod: 'web-5d-bbbbb', container: 'web', line: 'three', replicas: 2 },
        { kind: 'log', service: 'web', artifact: 'web', pod: 'web-6e-ddddd', container: 'web', line: 'of the next rollout', replicas: 1 },
      ],
      lines: ['web      bbbbb │ one', 'web      ccccc │ two', 'web      bbbbb │ three', 'web      │ of the next rollout'],
    },
    {
      what: 'ready with the addresses below, and not after each sync',
      events: [
        { kind: 'forwarded', release: 'worker', resource: 'service/worker', port: 80, localPort: 8080, url: 'http://localhost:8080' },
        { kind: 'ready', containers: 2, ms: 4210 },
        synced(),
        { kind: 'ready', containers: 2, ms: 5000 },
        { kind: 'forwarded', release: 'web', resource: 'service/web', port: 80, localPort: 8081, url: 'http://localhost:8081' },
      ],
      lines: [
        'slipway  ready in 4.2 s, 2 containers in step with the files',
        '           http://localhost:8080 → service/worker:80',
        'worker   synced /app/src/server.js  6 ms',
        'web      http://localhost:8081 → service/web:80',
      ],
    },
    {
      what: 'ready again after something that took longer than a sync',
      events: [{ kind: 'ready', containers: 1, ms: 900 }, built, { kind: 'ready', containers: 1, ms: 1900 }],
      lines: [
        'slipway  ready in 900 ms, 1 container in step with the files',
        'worker   built localhost:5000/worker:0123456789ab  1.2 s',
        'slipway  ready again in <1 ms, 1 container in step with the files',
      ],
    },
    {
      what: 'what made an image, and once why an engine had to',
      events: [
        { ...built, builder: 'layers', because: 'nothing needs an engine' },
        { ...built, because: 'RUN npm ci (Dockerfile:3) needs an engine' },
        { ...built, because: 'RUN npm ci (Dockerfile:3) needs an engine' },
        { ...built, builder: 'docker+layers', because: 'RUN npm ci (Dockerfile:3) is the last that needs an engine' },
      ],
      lines: [
        'worker   built localhost:5000/worker:0123456789ab with layers  1.2 s',
        'worker   built localhost:5000/worker:0123456789ab with docker, RUN npm ci (Dockerfile:3) needs an engine  1.2 s',
        'worker   built localhost:5000/worker:0123456789ab  1.2 s',
        'worker   built localhost:5000/worker:0123456789ab with docker+layers, RUN npm ci (Dockerfile:3) is the last that needs an engine  1.2 s',
      ],
    },
    {
      what: 'the end, and what stays',
      events: [
        { kind: 'removed', release: 'worker', objects: ['deployment/worker', 'service/worker'] },
        { kind: 'stopped', reason: 'interrupted', kept: true },
      ],
      lines: ['worker   removed deployment/worker, service/worker', 'slipway  stopped: interrupted; what was deployed stays'],
    },
    {
      what: 'nothing of what is quick and in order',
      events: [
        connected('a'),
        decision(),
        { kind: 'started', what: 'lookUp', subject: 'worker' },
        { kind: 'rollout', release: 'worker', state: 'progressing', message: '0 of 1 ready' },
        { kind: 'rollout', release: 'worker', state: 'ready', message: '', ms: 1500 },
      ],
      lines: [],
    },
    {
      what: 'that a release rolled out when something was applied',
      events: [
        { kind: 'applied', release: 'worker', namespace: 'shop', objects: ['service/worker'], changed: ['service/worker'], ms: 5 },
        { kind: 'rollout', release: 'worker', state: 'progressing', message: '0 of 1 ready' },
        { kind: 'rollout', release: 'worker', state: 'ready', message: '', ms: 1500 },
        { kind: 'rollout', release: 'worker', state: 'ready', message: '' },
      ],
      lines: ['worker   applied to shop: service/worker  5 ms', 'worker   rolled out  1.5 s'],
    },
    {
      what: 'nothing of the rollout of what was removed',
      events: [
        { kind: 'removed', release: 'worker', objects: ['service/worker'] },
        { kind: 'rollout', release: 'worker', state: 'failed', message: '1 of its objects is missing' },
      ],
      lines: ['worker   removed service/worker'],
    },
  ];
  it.each(one)('is $what', ({ events, lines }) => {
    expect(play(events.map((event) => [0, event]))).toEqual(lines.map((line) => `0: ${line}`));
  });

  const missing = (subject: string): Event => {
    const message = `Deployment shop/${subject} needs the namespace shop, which does not exist`;
    return failed({ code: 'namespaceNotFound', message, sharedCause: 'the namespace shop does not exist', hint: 'create it' }, subject);
  };
  const toldInFull = [
    '0: web      failed: Deployment shop/web needs the namespace shop, which does not exist [namespaceNotFound]',
    '0:            → create it',
  ];

  it('tells what keeps several services once, and names the others', () => {
    const events = [
      [0, missing('web')],
      [10, missing('worker')],
      [700, missing('api')],
      [5000, missing('worker')],
      [9000, { kind: 'mended', subject: 'api' }],
      [9010, { kind: 'mended', subject: 'web' }],
      [9900, { kind: 'mended', subject: 'worker' }],
      [20_000, missing('worker')],
      [30_000, { kind: 'mended', subject: 'worker' }],
    ] as const;
    expect(play(events)).toEqual([
      ...toldInFull,
      '1700: slipway  failed too, as the namespace shop does not exist: worker, api',
      '10900: slipway  right again: api, web, worker',
      '20000: worker   failed: Deployment shop/worker needs the namespace shop, which does not exist [namespaceNotFound]',
      '20000:            → create it',
      '30000: worker   right again',
    ]);
  });

  it('says nothing more of one that was right again before it was named, and names those that are left when it stops', () => {
    const events = [
      [0, missing('web')],
      [10, missing('worker')],
      [20, missing('api')],
      [30, { kind: 'mended', subject: 'api' }],
      [40, { kind: 'stopping', removes: false }],
    ] as const;
    expect(play(events)).toEqual([
      ...toldInFull,
      '40: slipway  failed too, as the namespace shop does not exist: worker',
      '40: slipway  stopping; Ctrl+C again leaves at once',
    ]);
  });

  it('tells failures with the same sentence together, unless tools said different things of them', () => {
    const away = (subject: string, detail?: string): Event =>
      failed({ message: `${subject}: no engine answers`, ...(detail !== undefined && { detail }) }, subject);
    expect(play([away('web'), away('api'), away('worker', 'by the proxy')].map((event) => [0, event]))).toEqual([
      '0: web      failed: no engine answers [buildFailed]',
      '0: worker   failed: no engine answers [buildFailed]',
      '0:            │ by the proxy',
      '1000: slipway  failed too, for the same reason: api',
    ]);
  });

  it('tells an edit once when it went to several replicas, as long as the slowest took', () => {
    const events = [
      [0, connected('worker-7f9c-aaaaa')],
      [0, connected('worker-7f9c-bbbbb')],
      [0, connected('worker-7f9c-ccccc')],
      [5, decision()],
      [10, synced()],
      [12, synced({ pod: 'worker-7f9c-bbbbb', ms: { detect: 1, read: 1, send: 1, apply: 5, total: 8 } })],
      [14, synced({ pod: 'worker-7f9c-ccccc' })],
    ] as const;
    expect(play(events)).toEqual(['14: worker   synced apps/worker/src/server.js → /app/src/server.js to 3 containers  8 ms']);
  });

  it('tells from how many replicas an edit removed a file, and in how many it made a folder', () => {
    const both = (over: Parameters<typeof synced>[0]) =>
      play([
        [0, connected('worker-7f9c-aaaaa')],
        [0, connected('worker-7f9c-bbbbb')],
        [10, synced(over)],
        [10, synced({ ...over, pod: 'worker-7f9c-bbbbb' })],
      ]);
    expect(both({ removed: 1, paths: ['/www/sub'] })).toEqual(['10: worker   removed /www/sub from 2 containers  6 ms']);
    expect(both({ files: 0, paths: ['/www/sub'] })).toEqual(['10: worker   made /www/sub in 2 containers  6 ms']);
  });

  it('tells what else an edit of several replicas removed behind where it went', () => {
    const both = [synced({ files: 31, removed: 1 }), synced({ files: 31, removed: 1, pod: 'worker-7f9c-bbbbb' })] as const;
    expect(
      play([[0, connected('worker-7f9c-aaaaa')], [0, connected('worker-7f9c-bbbbb')], ...both.map((event) => [10, event] as const)]),
    ).toEqual(['10: worker   synced 30 files (420 B) to 2 containers, removed 1  6 ms']);
  });

  it('tells it before it says that all is ready, which may be the end', () => {
    const events = [
      [0, connected('worker-7f9c-aaaaa')],
      [0, connected('worker-7f9c-bbbbb')],
      [10, synced()],
      [11, { kind: 'ready', containers: 2, ms: 11 }],
    ] as const;
    expect(play(events)).toEqual([
      '11: worker   synced /app/src/server.js  6 ms',
      expect.stringMatching(/^11: slipway +ready in 11 ms, 2 containers in step with the files$/) as string,
    ]);
  });

  it('does not wait for ever for a replica that is gone', () => {
    const events = [
      [0, connected('worker-7f9c-aaaaa')],
      [0, connected('worker-7f9c-bbbbb')],
      [10, synced()],
      [1000, synced()],
    ] as const;
    expect(play(events)).toEqual(['260: worker   synced /app/src/server.js  6 ms', '1000: worker   synced /app/src/server.js  6 ms']);
  });

  it('keeps two edits apart that follow each other closely', () => {
    const events = [
      [0, connected('worker-7f9c-aaaaa')],
      [0, connected('worker-7f9c-bbbbb')],
      [10, synced()],
      [11, synced({ bytes: 421 })],
      [12, synced({ bytes: 421, pod: 'worker-7f9c-bbbbb' })],
    ] as const;
    expect(play(events)).toEqual([
      '11: worker   synced /app/src/server.js  6 ms',
      '12: worker   synced /app/src/server.js to 2 containers  6 ms',
    ]);
  });

  it('mentions a wait only when it lasts, and once', () => {
    const held: Event = { kind: 'held', subject: 'worker', reason: 'waitingForTarget', detail: 'worker:build' };
    expect(
      play([
        [0, held],
        [1500, built],
        [9000, { kind: 'notice', message: 'later' }],
      ]),
    ).toEqual(['1500: worker   built localhost:5000/worker:0123456789ab  1.2 s', '9000: slipway  later']);
    expect(
      play([
        [0, held],
        [500, held],
        [3000, held],
      ]),
    ).toEqual(['2000: worker   waiting for a target that makes its files: worker:build']);
  });

  it('does not say that files are being read when something was done with them since', () => {
    const reading: Event = { kind: 'held', subject: 'workspace', reason: 'waitingForScan' };
    expect(
      play([
        [0, reading],
        [500, { kind: 'started', what: 'lookUp', subject: 'web' }],
      ]),
    ).toEqual([]);
    expect(play([[0, reading]])).toEqual(['2000: workspace  reading the files of the workspace']);
  });

  it('forgets what was waited for when all is ready', () => {
    const held: Event = { kind: 'held', subject: 'worker', reason: 'waitingForBase' };
    expect(
      play([
        [0, held],
        [100, { kind: 'ready', containers: 0, ms: 100 }],
      ]),
    ).toEqual(['100: slipway  ready in 100 ms']);
    expect(play([[0, held]])).toEqual(['2000: worker   waiting for the image it stands on']);
  });

  it('forgets what was waited for when that is over', () => {
    const held: Event = { kind: 'held', subject: 'worker', reason: 'waitingForBase', detail: 'web' };
    expect(
      play([
        [0, held],
        [100, { kind: 'continued', subject: 'worker', reason: 'waitingForBase' }],
      ]),
    ).toEqual([]);
    expect(
      play([
        [0, held],
        [100, { kind: 'continued', subject: 'worker', reason: 'waitingForTarget' }],
      ]),
    ).toEqual(['2000: worker   waiting for the image it stands on: web']);
  });

  it('does not mention waits that other lines have told', () => {
    const held = (reason: string, subject = 'worker'): Event => ({ kind: 'held', subject, reason, detail: 'the build failed' });
    const events = [
      held('waitingForChange'),
      held('waitingForRetry'),
      held('waitingForRollout'),
      held('waitingForAgent', 'worker worker-7f9c-aaaaa'),
    ];
    expect(play(events.map((event) => [0, event]))).toEqual([]);
    expect(play([[0, held('waitingForAgent', 'worker worker-7f9c-aaaaa')]], { verbosity: 'debug' })).toEqual([
      '0: worker   connecting to its container: the build failed (pod worker-7f9c-aaaaa)',
    ]);
  });

  it('says nothing of a build that is only tried again', () => {
    const building: Event = { kind: 'started', what: 'build', subject: 'worker' };
    expect(
      play([
        [0, building],
        [10, failed({ retry: 'afterDelay' })],
        [500, building],
        [510, failed({ retry: 'afterDelay' })],
        [1500, building],
        [1600, built],
      ]),
    ).toEqual([
      '0: worker   building',
      '10: worker   failed: the image of worker was not built [buildFailed]',
      '10:            it is tried again',
      '1600: worker   built localhost:5000/worker:0123456789ab  1.2 s',
    ]);
  });

  it('does not say that something is tried again of a command that gives up', () => {
    const event: Event = { ...failed({ retry: 'afterDelay' }), givesUp: true };
    expect(play([[0, event]])).toEqual(['0: worker   failed: the image of worker was not built [buildFailed]']);
  });

  it('tells nothing more of what was waited for once it stops', () => {
    const forwarded = {
      kind: 'forwarded',
      release: 'web',
      resource: 'service/web',
      port: 80,
      localPort: 8080,
      url: 'http://localhost:8080',
    } as const;
    expect(
      play([
        [0, forwarded],
        [100, { kind: 'stopping', removes: true }],
        [200, { kind: 'stopped', reason: 'interrupted', kept: false }],
      ]),
    ).toEqual([
      '100: slipway  stopping, and removing what was deployed; Ctrl+C again leaves at once',
      '200: slipway  stopped: interrupted',
    ]);
  });

  it('shows the newest message of a rollout that takes long', () => {
    const events = [
      [0, { kind: 'applied', release: 'web', namespace: 'shop', objects: [], changed: [], ms: 5 }],
      [0, { kind: 'rollout', release: 'web', state: 'progressing', message: '0 of 3 ready' }],
      [1500, { kind: 'rollout', release: 'web', state: 'progressing', message: '1 of 3 ready' }],
      [9000, { kind: 'rollout', release: 'web', state: 'ready', message: '', ms: 9000 }],
    ] as const;
    expect(play(events)).toEqual([
      '0: web      nothing to apply to shop  5 ms',
      '2000: web      rolling out, 1 of 3 ready',
      '9000: web      rolled out  9.0 s',
    ]);
  });

  it('tells the log of a container whose probe fails with what is told of that, once', () => {
    const message = 'pod web-1, container web runs and is not ready: Readiness probe failed: connection refused';
    const waits = (text: string, log?: string): Event => ({
      kind: 'rollout',
      release: 'web',
      state: 'progressing',
      message: `deployment/web: ${text}`,
      waiting: [{ object: 'deployment/web', message: text, ...(log !== undefined && { detail: log }) }],
    });
    const events = [
      [0, waits('0 of 1 replicas are available')],
      [2500, waits(message)],
      [2600, waits(message, 'starting\nError: broken')],
      [9000, waits('0 of 1 replicas are available')],
      [9500, waits(message, 'starting\nError: broken')],
    ] as const;
    const told = [
      `4500: web      not available, deployment/web: ${message}`,
      '4500:            │ starting',
      '4500:            │ Error: broken',
    ];
    expect(play(events)).toEqual(['2000: web      not available, deployment/web: 0 of 1 replicas are available', ...told]);
    // Where each workload has a line of its own that changes, only the log is more than that.
    expect(play(events, { showsRollouts: true })).toEqual(told.map((line) => line.replace('4500', '4600')));
  });

  it('has a line for each of several workloads that a rollout waits for, and later for those alone that got further', () => {
    const waiting = (at: number, ...ready: readonly number[]) => {
      const event: Event = {
        kind: 'rollout',
        release: 'web',
        state: 'progressing',
        message: '',
        waiting: ready.map((count, index) => ({ object: `deployment/d${index}`, message: `${count} of 9 ready` })),
      };
      return [at, event] as const;
    };
    const applied: Event = { kind: 'applied', release: 'web', namespace: 'shop', objects: ['x'], changed: ['x'], ms: 5 };
    expect(
      play([
        [0, applied],
        waiting(0, 0, 0, 0),
        waiting(5000, 0, 3, 0),
        waiting(9000, 0, 4, 0),
        waiting(20_000, 0, 0, 0),
        waiting(30_000, 0, 1, 2, 3, 4, 5, 6),
        [40_000, { kind: 'rollout', release: 'web', state: 'ready', message: '', ms: 40_000 }],
      ]),
    ).toEqual([
      '0: web      applied to shop: x  5 ms',
      '2000: web      rolling out, deployment/d0: 0 of 9 ready',
      '2000: web      rolling out, deployment/d1: 0 of 9 ready',
      '2000: web      rolling out, deployment/d2: 0 of 9 ready',
      '7000: web      rolling out, deployment/d1: 3 of 9 ready',
      '11000: web      rolling out, deployment/d1: 4 of 9 ready',
      '32000: web      rolling out, deployment/d1: 1 of 9 ready',
      '32000: web      rolling out, deployment/d2: 2 of 9 ready',
      '32000: web      rolling out, deployment/d3: 3 of 9 ready',
      '32000: web      rolling out, deployment/d4: 4 of 9 ready',
      '32000: web      rolling out, and 2 more',
      '40000: web      rolled out  40 s',
    ]);
  });

  it('says that a release is not available when nothing was applied, if that lasts', () => {
    const down: Event = { kind: 'rollout', release: 'web', state: 'progressing', message: '0 of 1 ready' };
    const up: Event = { kind: 'rollout', release: 'web', state: 'ready', message: '', ms: 3000 };
    expect(
      play([
        [0, down],
        [1000, up],
      ]),
    ).toEqual([]);
    expect(
      play([
        [0, down],
        [3000, up],
      ]),
    ).toEqual(['2000: web      not available, 0 of 1 ready', '3000: web      available again  3.0 s']);
  });

  it('counts the first ready from the start, and later ones from what was done since', () => {
    const ready: Event = { kind: 'ready', containers: 0, ms: 900 };
    const rebuild = decision({ action: 'rebuild' });
    const lines = play([
      [5000, ready],
      [60_000, rebuild],
      [61_000, built],
      [62_000, { ...ready, ms: 62_000 }],
    ]);
    expect(lines[0]).toBe('5000: slipway  ready in 900 ms');
    expect(lines.at(-1)).toBe('62000: slipway  ready again in 2.0 s');
  });

  it('does not count from a target that brought nothing but a sync', () => {
    const ready: Event = { kind: 'ready', containers: 1, ms: 900 };
    const lines = play([
      [0, ready],
      [10_000, decision({ action: 'target-then-sync' })],
      [10_900, { kind: 'targetRan', target: 'b:build', ms: 900 }],
      [11_000, synced()],
      [11_100, { kind: 'reloaded', artifact: 'worker', pod: 'worker-1', container: 'worker', commands: [], ms: 5 }],
      [60_000, decision({ action: 'redeploy' })],
      [61_000, ready],
    ]);
    expect(lines.at(-1)).toBe('61000: slipway  ready again in 1.0 s, 1 container in step with the files');
  });

  it('says of a target that was run for another edit that it failed as before', () => {
    const broken: Event = {
      ...failed({ code: 'targetFailed', message: 'api:build ended with exit code 1' }),
      subject: 'api:build',
    };
    const running: Event = { kind: 'started', what: 'runTarget', subject: 'api:build' };
    const lines = play([
      [0, running],
      [100, broken],
      [200, broken],
      [300, running],
      [400, broken],
    ]);
    expect(lines.filter((line) => line.includes('failed:')).map((line) => line.split(':')[0])).toEqual(['100', '400']);
  });

  it('does not count how long something stayed broken', () => {
    const ready: Event = { kind: 'ready', containers: 0, ms: 100 };
    expect(
      play([
        [0, ready],
        [1000, decision({ action: 'rebuild', because: 'the Dockerfile itself' })],
        [1100, failed()],
        [60_000, decision({ action: 'rebuild', because: 'the Dockerfile itself' })],
        [60_500, { kind: 'mended', subject: 'worker' }],
        [61_000, ready],
        [70_000, failed()],
        // Taken back: there is nothing to do.
        [90_000, decision({ action: 'none', because: 'its image was made from this content already' })],
        [90_001, { kind: 'mended', subject: 'worker' }],
        [90_002, ready],
      ]),
    ).toEqual([
      '0: slipway  ready in 100 ms',
      '1000: worker   rebuilding, apps/worker/src/server.js: the Dockerfile itself',
      '1100: worker   failed: the image of worker was not built [buildFailed]',
      '60000: worker   rebuilding, apps/worker/src/server.js: the Dockerfile itself',
      '60500: worker   right again',
      '61000: slipway  ready again in 1.0 s',
      '70000: worker   failed: the image of worker was not built [buildFailed]',
      '90001: worker   right again',
      '90002: slipway  ready again',
    ]);
  });

  it('says nothing of the rollout when an apply changed nothing, unless it takes long', () => {
    const applied: Event = { kind: 'applied', release: 'web', namespace: 'shop', objects: ['service/web'], changed: [], ms: 5 };
    const rollout = (state: 'progressing' | 'ready'): Event => ({ kind: 'rollout', release: 'web', state, message: '0 of 1 ready' });
    expect(
      play([
        [0, applied],
        [10, rollout('progressing')],
        [20, rollout('ready')],
      ]),
    ).toEqual(['0: web      applied to shop, nothing changed  5 ms']);
    expect(
      play([
        [0, applied],
        [10, rollout('progressing')],
        [5000, rollout('ready')],
      ]),
    ).toEqual([
      '0: web      applied to shop, nothing changed  5 ms',
      '2010: web      rolling out, 0 of 1 ready',
      '5000: web      rolled out',
    ]);
  });

  it('shows what a tool prints only once it has worked for long, then as it comes', () => {
    const output = (line: string): Event => ({ kind: 'output', subject: 'worker', line });
    const start: Event = { kind: 'started', what: 'build', subject: 'worker' };
    const quick = play([
      [0, start],
      [100, output('step 1')],
      [200, built],
    ]);
    expect(quick).toEqual(['0: worker   building', '200: worker   built localhost:5000/worker:0123456789ab  1.2 s']);
    const long = play([
      [0, start],
      ...Array.from({ length: 7 }, (_, at) => [100 + at, output(`step ${at}`)] as const),
      [4000, output('npm ci')],
      [5000, built],
    ]);
    expect(long).toEqual([
      '0: worker   building',
      ...[2, 3, 4, 5, 6].map((at) => `3000: worker   · step ${at}`),
      '4000: worker   · npm ci',
      '5000: worker   built localhost:5000/worker:0123456789ab  1.2 s',
    ]);
  });

  it('does not show again what a tool said of its failure, when that stands just above', () => {
    const line = (at: number, text: string) => [at, { kind: 'output', subject: 'worker', line: text }] as const;
    const other = { kind: 'log', service: 'web', artifact: 'web', pod: 'web-1-a', container: 'web', line: 'GET /', replicas: 1 } as const;
    const detail = 'Unexpected ";"\n\n    src/a.ts:7:23';
    const start = [0, { kind: 'started', what: 'build', subject: 'worker' }] as const;
    const long = [start, line(3500, 'Unexpected ";"'), line(3500, '    src/a.ts:7:23')];
    expect(play([...long, [3600, failed({ detail, hint: 'mend it' })]]).slice(3)).toEqual([
      '3600: worker   failed: the image of worker was not built [buildFailed]',
      '3600:            → mend it',
    ]);
    expect(play([...long, [3550, other], [3600, failed({ detail })]]).slice(5)).toEqual([
      '3600:            │ Unexpected ";"',
      '3600:            │',
      '3600:            │     src/a.ts:7:23',
    ]);
  });

  it('tells addresses also when something keeps it from being ready', () => {
    const forwarded: Event = {
      kind: 'forwarded',
      release: 'worker',
      resource: 'service/worker',
      port: 80,
      localPort: 8080,
      url: 'http://localhost:8080',
    };
    expect(play([[0, forwarded]])).toEqual(['20000: worker   http://localhost:8080 → service/worker:80']);
    expect(play([[0, forwarded]], { addressesAtOnce: true })).toEqual(['0: worker   http://localhost:8080 → service/worker:80']);
    const broken = play([
      [0, forwarded],
      [100, failed()],
    ]);
    expect(broken.at(-1)).toBe('4000: worker   http://localhost:8080 → service/worker:80');
  });

  it('tells addresses once, however late all is ready', () => {
    const forwarded = (release: string): Event => ({
      kind: 'forwarded',
      release,
      resource: `service/${release}`,
      port: 80,
      localPort: 8080,
      url: `http://localhost:8080/${release}`,
    });
    expect(
      play([
        [0, forwarded('web')],
        [25_000, forwarded('api')],
        [26_000, { kind: 'ready', containers: 2, ms: 26_000 }],
      ]),
    ).toEqual([
      '20000: web      http://localhost:8080/web → service/web:80',
      '26000: slipway  ready in 26 s, 2 containers in step with the files',
      '26000:            http://localhost:8080/api → service/api:80',
    ]);
  });

  it('breaks lines between words where a terminal ends, below where they begin', () => {
    const log: Event = {
      kind: 'log',
      service: 'web',
      artifact: 'web',
      pod: 'web-x-y',
      container: 'web',
      line: 'one two three four five six',
      replicas: 1,
    };
    expect(play([[0, log]], { columns: 30 })).toEqual(['0: web      │ one two three four', '0:          │ five six']);
    expect(play([[0, failed({ message: 'one two three four five' })]], { columns: 30 })).toEqual([
      '0: worker   failed: one two',
      '0:            three four five',
      '0:            [buildFailed]',
    ]);
  });

  it('counts what a service logs beyond what anybody could read, and shows the last of it', () => {
    const log = (service: string, line: string): Event => ({
      kind: 'log',
      service,
      artifact: service,
      pod: `${service}-x-y`,
      container: 'main',
      line,
      replicas: 1,
    });
    const flood = Array.from({ length: 1500 }, (_, index): readonly [number, Event] => [0, log('api', String(index))]);
    const said = play([...flood, [100, log('web', 'a')], [1200, log('api', 'b')]], { readableLogs: true });
    expect(said.slice(99, 103)).toEqual([
      '0: api      │ 99',
      '100: web      │ a',
      '1000: api      │ … 1,380 lines left out, too many to read',
      '1000: api      │ 1480',
    ]);
    expect(said.slice(-2)).toEqual(['1000: api      │ 1499', '1200: api      │ b']);
    expect(play(flood)).toHaveLength(1500);
    expect(play(flood.slice(0, 110), { readableLogs: true })).toHaveLength(110);
  });

  it('names the container where an image has several of them', () => {
    const log = (container: string): Event => ({
      kind: 'log',
      service: 'web',
      artifact: 'web',
      pod: 'web-x-y',
      container,
      line: 'a',
      replicas: 1,
    });
    expect(
      play([
        [0, log('migrate')],
        [0, log('main')],
      ]),
    ).toEqual(['0: web      │ a', '0: web      main │ a']);
  });

  it('says where the time of an edit went that needed new pods', () => {
    const ms = { detect: 12, build: 310, deliver: 0, apply: 90, schedule: 400, ready: 1300, total: 2112 };
    const rolledOut = (files: readonly string[], fileCount = files.length): Event => ({
      kind: 'rolledOut',
      release: 'web',
      files,
      fileCount,
      ms,
    });
    const parts = 'detect 12 ms, build 310 ms, apply 90 ms, schedule 400 ms, ready 1.3 s';
    expect(
      play([
        [0, rolledOut(['apps/web/Dockerfile'])],
        [1, rolledOut(['a', 'b', 'c'], 7)],
      ]),
    ).toEqual([`0: web      2.1 s from the save of apps/web/Dockerfile: ${parts}`, `1: web      2.1 s from the save of 7 files: ${parts}`]);
  });

  it('makes room for longer names as they come', () => {
    const log = (artifact: string): Event => ({
      kind: 'log',
      service: 'web',
      artifact,
      pod: `${artifact}-x-y`,
      container: artifact,
      line: 'a',
      replicas: 1,
    });
    expect(
      play([
        [0, log('api')],
        [0, log('notifications')],
        [0, log('api')],
        [0, log('a-service-with-an-endless-name')],
      ]),
    ).toEqual(['0: api      │ a', '0: notifications  │ a', '0: api            │ a', '0: a-service-with-an-endle…  │ a']);
  });

  it('is little with verbosity quiet: failures, notices, when it is ready and when it stops', () => {
    const events: Event[] = [
      decision({ action: 'rebuild' }),
      built,
      synced(),
      failed(),
      { kind: 'held', subject: 'worker', reason: 'waitingForChange' },
      { kind: 'ready', containers: 1, ms: 1 },
    ];
    expect(
      play(
        events.map((event) => [0, event]),
        { verbosity: 'quiet' },
      ),
    ).toEqual([
      '0: worker   failed: the image of worker was not built [buildFailed]',
      '0: slipway  ready in 1 ms, 1 container in step with the files',
    ]);
  });

  it('is everything with verbosity debug', () => {
    const events: Event[] = [
      decision(),
      connected('worker-7f9c-aaaaa'),
      { kind: 'held', subject: 'worker', reason: 'waitingForAgent' },
      synced(),
      { kind: 'output', subject: 'worker', line: 'x' },
    ];
    expect(
      play(
        events.map((event) => [0, event]),
        { verbosity: 'debug' },
      ),
    ).toEqual([
      '0: worker   syncing, apps/worker/src/server.js is copied to /app/src (apps/worker/Dockerfile:9)',
      '0: worker   connected to worker of worker-7f9c-aaaaa by the node agent',
      '0: worker   connecting to its container',
      '0: worker   synced apps/worker/src/server.js → /app/src/server.js  6 ms (noticed 1, read 1, sent 1, applied 3)',
      '0: worker   · x',
    ]);
  });

  it('gives each name a colour of its own, the same in every run', () => {
    const paint = paintFor({ isTTY: true, env: { TERM: 'xterm-256color' } });
    const log = (artifact: string): Event => ({
      kind: 'log',
      service: artifact,
      artifact,
      pod: 'p',
      container: 'c',
      line: 'a',
      replicas: 1,
    });
    const codes = (names: readonly string[]) =>
      play(
        names.map((name) => [0, log(name)]),
        { paint },
      ).map((line) => line.slice(3).split('m')[0]);
    const names = ['api', 'web', 'worker', 'mail', 'search'];
    expect(new Set(codes(names)).size).toBe(names.length);
    expect(codes(['web'])).toEqual([codes(names)[1]]);
  });
});
