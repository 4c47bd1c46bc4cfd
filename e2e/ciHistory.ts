import { rmSync } from 'node:fs';
import type { Shop } from './shop';

/** A commit, and exactly what CI does after it. */
export interface Commit {
  readonly what: string;
  readonly change: (shop: Shop, word: string) => void;
  /** Projects that are deployed. */
  readonly selected: readonly string[];
  /** Where Nx takes more for affected than the files reach, all of it or some; what it deploys then is as it was. */
  readonly selectedByNx?: (major: number) => readonly string[] | 'all' | undefined;
  /** Images that the registry did not have. */
  readonly built: readonly string[];
  /** Objects of the cluster that are new, or have another content than before. */
  readonly changed: readonly string[];
  /** Targets that warm caches spare, where they are selected. */
  readonly cached?: readonly string[];
}

export interface History {
  readonly projects: readonly string[];
  readonly commits: readonly Commit[];
  /** The commit that the last one takes back. */
  readonly reverted: string;
}

/** What there is to be done for a project. */
export const tasksOf = (project: string): readonly string[] => {
  const bundled = project === 'api' ? ['api:build'] : [];
  const image = project === 'cache' ? [] : [`${project}:k8s-build`];
  return [...bundled, ...image, `${project}:k8s-deploy`];
};

const append = (shop: Shop, path: string, line: string): void => shop.write(path, `${shop.read(path)}${line}\n`);

const page = 'apps/web/site/index.html';
const money = (shop: Shop, word: string): void => append(shop, 'libs/money/src/index.js', `exports.note = '${word}';`);

const ofWeb: Commit = {
  what: 'the source of an app',
  change: (shop, word) => append(shop, page, `<!-- ${word} -->`),
  selected: ['web'],
  built: ['web'],
  changed: ['Deployment/web'],
};

const commits: readonly Commit[] = [
  ofWeb,
  {
    what: 'the source of a library, which one image copies and the other bundles',
    change: money,
    selected: ['api', 'worker'],
    built: ['api', 'worker'],
    changed: ['Deployment/api', 'Deployment/worker'],
  },
  {
    what: 'a manifest',
    change: (shop, word) => void shop.edit('apps/worker/k8s/worker.yaml', 'the harbour shop', word),
    selected: ['worker'],
    built: [],
    changed: ['ConfigMap/worker', 'Deployment/worker'],
  },
  {
    what: 'a Dockerfile',
    change: (shop, word) => append(shop, 'apps/api/Dockerfile', `ENV NOTE=${word}`),
    selected: ['api'],
    built: ['api'],
    changed: ['Deployment/api'],
  },
  {
    what: 'documents only',
    change: (shop, word) => ['README.md', 'apps/worker/README.md', 'libs/money/README.md'].forEach((path) => shop.write(path, `${word}\n`)),
    selected: [],
    // Until 23 a file of a project is one of all that depend on it, whatever their targets read.
    selectedByNx: (major) => (major < 24 ? ['api', 'worker'] : undefined),
    built: [],
    changed: [],
    cached: ['api:build'],
  },
  {
    what: 'the package.json of one project',
    change: (shop, word) => void shop.edit('apps/worker/package.json', '"version": "0.0.0"', `"version": "0.0.0-${word}"`),
    selected: ['worker'],
    built: ['worker'],
    changed: ['Deployment/worker'],
  },
  {
    what: 'a package from outside, which no image copies',
    change: (shop, word) =>
      void shop.edit('package-lock.json', '"node_modules/picocolors": {', `"node_modules/picocolors": {"note": "${word}",`),
    // What is bundled may hold it, and does not.
    selected: ['api'],
    selectedByNx: (major) => (major < 24 ? 'all' : undefined),
    built: [],
    changed: [],
    cached: ['api:build'],
  },
  {
    what: 'a new service',
    change: (shop, word) => {
      const files = {
        'project.json': '{"name": "hello"}\n',
        'index.html': `${word}\n`,
        Dockerfile: 'FROM busybox:1.36\nCOPY index.html /www/\nUSER 1000:1000\nCMD ["httpd", "-f", "-p", "8080", "-h", "/www"]\n',
        'k8s/hello.yaml': shop.read('apps/web/k8s/web.yaml').replaceAll('web', 'hello'),
      };
      for (const [path, text] of Object.entries(files)) shop.write(`apps/hello/${path}`, text);
    },
    selected: ['hello'],
    built: ['hello'],
    changed: ['Deployment/hello', 'Service/hello'],
  },
  {
    what: 'a service less, whose objects wait for `slipway prune`',
    change: (shop) => rmSync(shop.path('apps/hello'), { recursive: true }),
    selected: [],
    // Who needed a project that is gone cannot be told any more.
    selectedByNx: () => 'all',
    built: [],
    changed: [],
    cached: ['api:build'],
  },
];

/** Takes the commit back, so that everything is as it was before: nothing is left to be made. */
const revert: Commit = { ...ofWeb, what: 'a commit that takes the first back', change: () => undefined, built: [] };

const firstDeploy = (projects: readonly string[], change: Commit['change']): Commit => ({
  what: 'everything for the first time',
  change: (shop, word) => {
    // What is not in git Nx does not look at.
    shop.edit('.gitignore', 'package-lock.json\n', '');
    append(shop, page, `<!-- first ${word} -->`);
    money(shop, word);
    change(shop, word);
  },
  selected: projects,
  built: projects.filter((project) => project !== 'cache'),
  changed: [...projects.flatMap((project) => [`Deployment/${project}`, `Service/${project}`]), 'ConfigMap/worker'].sort(),
});

const short = ['api', 'web', 'worker'];
const whole = ['api', 'cache', 'pricing', 'reports', 'web', 'worker'];

/** The services whose images are made in no time. */
export const shortHistory: History = {
  projects: short,
  reverted: ofWeb.what,
  commits: [
    firstDeploy(short, (shop) => {
      for (const path of ['apps/pricing', 'apps/reports', 'infra']) rmSync(shop.path(path), { recursive: true });
      shop.edit('apps/api/slipway.yaml', 'requires: [cache, pricing]', '');
    }),
    ...commits,
    revert,
  ],
};

/** All of the shop. */
export const wholeHistory: History = {
  projects: whole,
  reverted: ofWeb.what,
  commits: [
    firstDeploy(whole, (shop, word) => {
      append(shop, 'apps/pricing/main.go', `// ${word}`);
      append(shop, 'apps/reports/src/server.py', `# ${word}`);
    }),
    ...commits,
    {
      what: 'a compiled service and an interpreted one at once',
      change: (shop, word) => {
        append(shop, 'apps/pricing/main.go', `// once more ${word}`);
        append(shop, 'apps/reports/src/server.py', `# once more ${word}`);
      },
      selected: ['pricing', 'reports'],
      built: ['pricing', 'reports'],
      changed: ['Deployment/pricing', 'Deployment/reports'],
    },
    {
      what: 'a project of manifests only',
      change: (shop) => void shop.edit('infra/cache/k8s/cache.yaml', 'memory: 64Mi', 'memory: 96Mi'),
      selected: ['cache'],
      built: [],
      changed: ['Deployment/cache'],
    },
    revert,
  ],
};
