import { buildLines, configLines, deployLines, doctorLines, explainLines, inputsLines, statusLines } from './documentLines';
import type { BuildDocument } from './documents';

const tag = '0123456789ab0123456789ab';
const image = (over: Partial<BuildDocument['images'][number]>): BuildDocument['images'][number] => ({
  project: 'worker',
  artifact: 'worker',
  image: 'worker',
  tag,
  digest: `sha256:${tag}`,
  ref: `localhost:5000/worker:${tag}@sha256:${tag}`,
  built: true,
  delivered: true,
  because: 'pushed',
  ...over,
});
const found = image({ artifact: 'web', ref: `localhost:5000/web:${tag}`, built: false, because: 'the registry has it already' });

describe('documents for people', () => {
  it('tell of images whether they had to be built', () => {
    expect(buildLines({ images: [image({}), found] })).toEqual([
      'worker  localhost:5000/worker:0123456789ab  built',
      'web     localhost:5000/web:0123456789ab     not built, the registry has it already',
    ]);
  });

  it('tell of a dry run what would be built, and what nobody can tell', () => {
    const unknown = image({
      built: null,
      delivered: null,
      because: 'not known until worker:build has run',
      notKnownUntil: ['worker:build'],
    });
    expect(buildLines({ dryRun: true, images: [unknown, found, image({ artifact: 'api' })] })).toEqual([
      'worker  localhost:5000/worker:0123456789ab  not known until worker:build has run',
      'web     localhost:5000/web:0123456789ab     nothing to do, the registry has it already',
      'api     localhost:5000/worker:0123456789ab  would be built and pushed, pushed',
    ]);
  });

  it('tell of a deploy what is ready and what failed', () => {
    const release = { namespace: 'shop', objects: ['deployment/worker', 'service/worker'] };
    const releases = [
      { release: 'worker', state: 'ready', ...release },
      { release: 'web', state: 'failed', ...release, objects: [] },
    ] as const;
    expect(deployLines({ images: [], releases })).toEqual([
      'worker  ready in shop   deployment/worker, service/worker',
      'web     failed in shop',
    ]);
  });

  it('tell the status in two tables, and what is not known as that', () => {
    const container = { artifact: 'worker', pod: 'worker-7f-x', container: 'main', files: 3, treeHash: undefined, restarts: 1 };
    const document = {
      releases: [
        { release: 'worker', namespace: 'shop', state: 'ready', message: '', current: false },
        { release: 'web', namespace: 'shop', state: 'absent', message: '', current: false },
      ],
      containers: [
        { ...container, agent: 'node', inSync: true, running: true },
        { ...container, agent: undefined, inSync: undefined, running: false },
      ],
      sessions: [],
    } as const;
    expect(statusLines(document)).toEqual([
      'release  namespace  state   deployed',
      'worker   shop       ready   older than the files',
      'web      shop       absent',
      '',
      'image   pod          container  state        in step    synced files  agent  restarts',
      'worker  worker-7f-x  main       running      yes        3             node   1',
      'worker  worker-7f-x  main       not running  not known  3             none   1',
    ]);
    const session = {
      ...{ name: 'app=site', pid: 7, context: 'kind-dev', namespace: 'shop', folder: '/home/me/site', remotePath: '/www', since: 0 },
      containers: [
        { pod: 'a', container: 'web', inSync: true },
        { pod: 'b', container: 'web', inSync: false },
      ],
      ...{ files: 12, removed: 0, problems: ['/www/a cannot be changed'] },
    };
    expect(statusLines({ releases: [], containers: [], sessions: [session] })).toEqual([
      'sync session  where          from                  in step  files  pid',
      'app=site      kind-dev/shop  /home/me/site → /www  1 of 2   12     7    /www/a cannot be changed',
    ]);
    expect(statusLines({ releases: [], containers: [], sessions: [] })).toEqual(['no project of this workspace has manifests']);
  });

  it('say of settings that they are those of dev', () => {
    const settings = [
      { key: 'image.name', value: 'api', from: 'apps/api/slipway.yaml:2' },
      { key: 'image.docker.target', value: 'dev', because: 'dev takes it' },
    ];
    expect(configLines({ workspace: [], projects: [{ project: 'api', root: 'apps/api', profiles: [], settings }] })).toEqual([
      'as dev goes by it; build and deploy take the last stage of a Dockerfile where slipway.yaml names none',
      '',
      'api (apps/api)',
      '  image.name           api  apps/api/slipway.yaml:2',
      '  image.docker.target  dev  by default: dev takes it',
    ]);
  });

  it('explain files one by one, also one that changes nothing', () => {
    const artifacts = [
      { name: 'worker', action: 'sync', containerPaths: ['/app/index.js'], because: 'copied to /app (Dockerfile:7)' },
      { name: 'web', action: 'rebuild', containerPaths: [], because: 'read by RUN npm ci (Dockerfile:4)' },
    ] as const;
    const files = [
      { path: 'libs/money/index.js', projects: ['money'], artifacts },
      { path: 'libs/money/slipway.yaml', projects: ['money'], artifacts: artifacts.slice(1), isConfig: true },
      { path: 'README.md', projects: [], artifacts: [] },
      { path: 'apps/other/index.js', projects: ['other'], isUncertain: true, artifacts: [] },
      { path: 'REDME.md', projects: [], missing: true, artifacts: [] },
      { path: 'libs/money/new.js', projects: ['money'], missing: true, artifacts: artifacts.slice(0, 1) },
    ] as const;
    expect(explainLines({ files })).toEqual([
      'libs/money/index.js (project money)',
      '  worker  sync     /app/index.js, copied to /app (Dockerfile:7)',
      '  web     rebuild  read by RUN npm ci (Dockerfile:4)',
      '',
      'libs/money/slipway.yaml (project money)',
      '  web  rebuild  read by RUN npm ci (Dockerfile:4)',
      '  it says what is built and deployed: it is read anew when it is saved, and what has changed by that is done then',
      '',
      'README.md (in no project)',
      '  no image and no manifest takes it: editing it changes nothing in the cluster',
      '',
      'apps/other/index.js (project other)',
      '  no image and no manifest that could be read takes it; whether another does is known when the mistakes told below are mended',
      '',
      'REDME.md (in no project; there is no such file here now)',
      '  no image and no manifest would take one of this name',
      '',
      'libs/money/new.js (project money; there is no such file here now)',
      '  worker  sync  /app/index.js, copied to /app (Dockerfile:7)',
    ]);
  });

  it('list what an image is made from', () => {
    const files = [
      { path: 'Dockerfile', containerPaths: [], onChange: 'rebuild', because: 'the Dockerfile itself' },
      { path: 'src/a.js', containerPaths: ['/app/a.js', '/srv/a.js'], onChange: 'sync', because: 'copied' },
    ] as const;
    const document = {
      project: 'worker',
      artifact: 'worker',
      image: 'shop/worker',
      dockerfile: 'apps/worker/Dockerfile',
      context: '',
      contextBytes: 1200,
      files,
    };
    expect(inputsLines([document, { ...document, target: 'dev', files: [] }])).toEqual([
      'as dev builds them; build and deploy take the last stage of a Dockerfile where slipway.yaml names none',
      '',
      'shop/worker of worker (apps/worker/Dockerfile, context the workspace, 2 files, 1.2 KB)',
      '  rebuild  the Dockerfile itself',
      '    Dockerfile',
      '  sync     copied',
      '    src/a.js → /app/a.js, /srv/a.js',
      '',
      'shop/worker of worker (apps/worker/Dockerfile, stage dev, context the workspace, 0 files, 1.2 KB)',
    ]);
    expect(inputsLines([])).toEqual(['no project of this workspace has an image']);
  });

  it('tell what the doctor found, with what to do only where something is wrong', () => {
    const checks = [
      { name: 'engine', ok: true, message: 'Docker 28', hint: 'none needed' },
      { name: 'cluster', ok: false, message: 'does not answer', hint: 'Start it' },
    ];
    expect(doctorLines({ checks })).toEqual([
      'ok      engine   Docker 28',
      'failed  cluster  does not answer',
      '                 → Start it',
    ]);
  });
});
