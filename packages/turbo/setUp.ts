import { joinPath, type WorkspaceFiles } from '../graph';
import type { Project, WorkspacePath } from '../model';
import { dockerignoreLines, gitignoreLines, harmlessLines, survey, unignored, withLines, type Found, type Survey } from '../scaffold';
import { buildOutputs } from './buildOutputs';
import { valueIn, withItems, withProperty } from './editJson';
import { startsSlipway, type PackageJson, type PackageManager } from './packageManager';

export interface SetUpRequest {
  readonly kind: 'turbo' | 'workspaces';
  readonly manager: PackageManager;
  readonly projects: readonly Project[];
  readonly files: WorkspaceFiles;
}

/** A file that is written, and what for: a sentence each. */
export interface Change {
  readonly path: WorkspacePath;
  readonly created: boolean;
  readonly text: string;
  readonly because: readonly string[];
}

/** `k8s:dev` where the package has a `dev` of its own. */
export type DevScript = 'dev' | 'k8s:dev';

export interface SetUp {
  readonly changes: readonly Change[];
  readonly survey: Survey;
  /** By project: what its script that starts `slipway dev` is called. */
  readonly devOf: ReadonlyMap<string, DevScript>;
  /** What is left to the user. */
  readonly notes: readonly string[];
}

/** What turbo keeps from a task in its strict mode, and a program that talks to a cluster and pushes images may need. */
const passedThrough = [
  'KUBECONFIG',
  'SLIPWAY_*',
  'SSH_AUTH_SOCK',
  'HTTP_PROXY',
  'HTTPS_PROXY',
  'NO_PROXY',
  'http_proxy',
  'https_proxy',
  'no_proxy',
  'NODE_EXTRA_CA_CERTS',
];
/** Turbo writes the log of every task into its package: an image that took it would be another one after each build, and turbo itself counts what git knows. */
const turboFolder = '.turbo';

/** What a Turborepo or a plain workspace gets so that scripts and tasks deploy it. Where all of it is there, nothing changes. */
export function setUp(request: SetUpRequest): SetUp {
  const { kind, files } = request;
  const seen = survey(request);
  const scripts = seen.found.flatMap((found) => {
    const wanted = scriptsFor(found, files);
    return wanted ? [wanted] : [];
  });
  const devs = [...new Set(scripts.flatMap(({ dev }) => dev ?? []))].sort();
  const hasImages = seen.found.some(({ dockerfile }) => dockerfile !== undefined);
  const built = kind === 'turbo' && hasImages ? builtFolders(request) : [];
  const builds = [...new Set(built.map(({ folder }) => folder))].sort();
  const turbo = kind === 'turbo' ? turboChange(files, { devs, builds }) : { changes: [], notes: [] };
  const written = built.flatMap(({ root, folder }) =>
    unignored(files.textOf(joinPath(root, '.gitignore')), [folder]).map((each) => joinPath(root, each)),
  );
  const outputs = unignored(files.textOf('.gitignore'), written);
  const changes = [
    ...turbo.changes,
    ...scripts.flatMap(({ change }) => change ?? []),
    ...ignoreChange('.gitignore', kind === 'turbo' ? [...gitignoreLines, turboFolder, ...outputs] : gitignoreLines, files),
    ...(hasImages ? ignoreChange('.dockerignore', harmlessLines(ignoredByImages(kind), seen.copied), files) : []),
  ];
  const devOf = new Map(scripts.flatMap(({ project, dev }) => (dev === undefined ? [] : [[project, dev] as const])));
  return { changes, survey: seen, devOf, notes: [...turbo.notes, ...installNote(request)] };
}

function ignoredByImages(kind: SetUpRequest['kind']): readonly string[] {
  const lines = dockerignoreLines.filter((line) => line !== '.nx');
  return kind === 'turbo' ? [...lines, `**/${turboFolder}`] : lines;
}

interface Scripts {
  readonly project: string;
  /** Absent where nothing is deployed. */
  readonly dev: DevScript | undefined;
  readonly change: Change | undefined;
}

function scriptsFor(found: Found, files: WorkspaceFiles): Scripts | undefined {
  const path = `${found.root}/package.json`;
  const before = files.textOf(path);
  if (found.project === undefined || found.root === '' || before === undefined) return undefined;
  const existing = (valueIn(before, ['scripts']) ?? {}) as Readonly<Record<string, string>>;
  const ownDev = existing['dev'];
  // A dev of its own stays what it is, as it does in Nx.
  const dev = ownDev === undefined || startsSlipway(ownDev) ? 'dev' : 'k8s:dev';
  const hasManifests = found.manifests.length > 0 || found.config !== undefined;
  const wanted: Readonly<Record<string, string>> = {
    ...(found.dockerfile === undefined ? {} : { 'k8s:build': 'slipway build' }),
    ...(hasManifests ? { 'k8s:deploy': 'slipway deploy', [dev]: 'slipway dev' } : {}),
  };
  const missing = Object.entries(wanted).filter(([name]) => existing[name] === undefined);
  const text = missing.reduce((json, [name, script]) => withProperty(json, ['scripts'], name, script), before);
  const because = missing.map(([name, script]) =>
    name === 'k8s:dev' ? `the script ${name}: ${script}, beside the dev that it has` : `the script ${name}: ${script}`,
  );
  return {
    project: found.project,
    dev: hasManifests ? dev : undefined,
    change: missing.length === 0 ? undefined : { path, created: false, text, because },
  };
}

interface WantedTasks {
  readonly devs: readonly DevScript[];
  /** Folders that scripts named `build` write, by convention; none where no image is built. */
  readonly builds: readonly string[];
}

function turboChange(
  files: WorkspaceFiles,
  { devs, builds }: WantedTasks,
): { readonly changes: readonly Change[]; readonly notes: readonly string[] } {
  const path = ['turbo.json', 'turbo.jsonc'].find((name) => files.textOf(name) !== undefined) ?? 'turbo.json';
  let text = files.textOf(path) ?? '{}\n';
  const because: string[] = [];
  const passed = (valueIn(text, ['globalPassThroughEnv']) ?? []) as readonly string[];
  const kept = passedThrough.filter((name) => !passed.includes(name) && !passed.includes('*'));
  if (kept.length > 0) {
    text = passed.length > 0 ? withItems(text, ['globalPassThroughEnv'], kept) : withProperty(text, [], 'globalPassThroughEnv', kept);
    because.push(`globalPassThroughEnv: in turbo's strict mode a task would not see ${kept.slice(0, 3).join(', ')}, …`);
  }
  const build = withBuild(text, builds);
  text = build.text;
  because.push(...build.because);
  // Slipway runs builds itself, and these must find the environment that they find without it.
  const whole = { passThroughEnv: ['*'] };
  // turbo refuses to depend on a task that is not there.
  const hasBuild = valueIn(text, ['tasks', 'build']) !== undefined;
  const tasks: Readonly<Record<string, readonly [definition: object, because: string]>> = {
    'k8s:build': [
      { ...(hasBuild ? { dependsOn: ['build'] } : {}), cache: false, ...whole },
      'not cached: the registry itself is asked for the image',
    ],
    'k8s:deploy': [{ dependsOn: ['k8s:build'], cache: false, ...whole }, 'not cached: the cluster itself is asked'],
    ...Object.fromEntries(devs.map((dev) => [dev, [{ persistent: true, cache: false, ...whole }, 'persistent: it runs until Ctrl+C']])),
  };
  for (const [name, [definition, reason]] of Object.entries(tasks)) {
    if (valueIn(text, ['tasks', name]) !== undefined) continue;
    text = withProperty(text, ['tasks'], name, definition);
    because.push(`the task ${name}, ${reason}`);
  }
  // A dev that was there for other packages runs Slipway as well now.
  const passesAll = (list: unknown): boolean => Array.isArray(list) && list.includes('*');
  const passing = (dev: string): unknown => valueIn(text, ['tasks', dev, 'passThroughEnv']);
  const keeping = passesAll(passed) ? [] : devs.filter((dev) => !passesAll(passing(dev)));
  for (const dev of keeping.filter((each) => passing(each) === undefined)) {
    text = withProperty(text, ['tasks', dev], 'passThroughEnv', whole.passThroughEnv);
    because.push(`passThroughEnv of the task ${dev}: what Slipway builds finds the environment that it finds without turbo`);
  }
  const ending = devs.filter((dev) => valueIn(text, ['tasks', dev, 'persistent']) !== true);
  return {
    changes: because.length === 0 ? [] : [{ path, created: false, text, because }],
    notes: [
      ...ending.map((dev) => `the task ${dev} in ${path} is not persistent, so turbo takes it for one that ends: add "persistent": true`),
      ...keeping
        .filter((dev) => !passesAll(passing(dev)))
        .map((dev) => `passThroughEnv of the task ${dev} in ${path} keeps other variables from Slipway and from what it builds: add "*"`),
    ],
  };
}

/** The task `build` with what it makes, unless turbo.json says something of that. */
function withBuild(text: string, folders: readonly string[]): { readonly text: string; readonly because: readonly string[] } {
  const outputs = folders.flatMap((folder) => [`${folder}/**`, ...(folder === '.next' ? ['!.next/cache/**'] : [])]);
  const made = folders.join(', ');
  if (outputs.length > 0 && valueIn(text, ['tasks', 'build']) === undefined) {
    return {
      text: withProperty(text, ['tasks'], 'build', { dependsOn: ['^build'], outputs }),
      because: [`the task build, which makes ${made}: what an image takes of that is built first`],
    };
  }
  if (outputs.length > 0 && valueIn(text, ['tasks', 'build', 'outputs']) === undefined) {
    return {
      text: withProperty(text, ['tasks', 'build'], 'outputs', outputs),
      because: [
        `the outputs ${made} of the task build: turbo keeps nothing else in its cache, and what an image takes of that is built first`,
      ],
    };
  }
  return { text, because: [] };
}

/** What the scripts named `build` write, of all packages whose own turbo.json does not say it. */
function builtFolders({ projects, files }: SetUpRequest): readonly { readonly root: WorkspacePath; readonly folder: string }[] {
  return projects.flatMap(({ name, root }) => {
    const text = files.textOf(`${root}/package.json`);
    const build = text === undefined ? undefined : valueIn(text, ['scripts', 'build']);
    const saysItself =
      valueIn(files.textOf(`${root}/turbo.json`) ?? '{}', ['tasks', 'build']) !== undefined ||
      valueIn(files.textOf('turbo.json') ?? '{}', ['tasks', `${name}#build`]) !== undefined;
    if (text === undefined || typeof build !== 'string' || startsSlipway(build) || saysItself) return [];
    return buildOutputs(valueIn(text, []) as PackageJson, new Set(files.namesIn(root))).map((folder) => ({ root, folder }));
  });
}

function ignoreChange(path: WorkspacePath, lines: readonly string[], files: WorkspaceFiles): readonly Change[] {
  const before = files.textOf(path);
  const text = withLines(before, lines);
  if (text === (before ?? '')) return [];
  const had = new Set((before ?? '').split(/\r?\n/));
  const added = text.split(/\r?\n/).filter((line) => line !== '' && !had.has(line));
  return [{ path, created: before === undefined, text, because: [added.join(', ')] }];
}

/** How each installs a tool for the whole workspace. */
const installing: Readonly<Record<PackageManager, string>> = {
  npm: 'npm install -D nx-slipway',
  pnpm: 'pnpm add -w -D nx-slipway',
  yarn: 'yarn add -D nx-slipway',
  bun: 'bun add -d nx-slipway',
};

function installNote({ files, manager }: SetUpRequest): readonly string[] {
  const json = files.textOf('package.json') ?? '{}';
  const installed = ['dependencies', 'devDependencies'].some((section) => valueIn(json, [section, 'nx-slipway']) !== undefined);
  return installed ? [] : [`nx-slipway is not in package.json, and scripts will not find it: install it with \`${installing[manager]}\``];
}
