import type { Processes } from '../clients';
import { processes as ownProcesses } from '../clients';
import type { GraphFacts, GraphProject, GraphSource, GraphTarget } from '../graph';
import { failed, succeeded, type Problem, type Result } from '../model';
import { packageManagerOf, packagesAt, scriptCommand, startsSlipway, type Package } from './packageManager';
import { turboCommand } from './turboCommand';
import { readTurboConfig, taskDefinition, type TaskDefinition, type TurboConfig, type TurboConfigs } from './turboConfig';
import { workspacesFacts } from './workspacesGraph';

/** A question that takes longer is not answered any more. */
const queryMs = 20_000;
const packagesQuery = 'query { packages { items { name path directDependencies { items { name } } } } }';
/** How turbo names the workspace itself among its packages. */
const rootPackage = '//';

/**
 * The packages of a Turborepo and their edges, as turbo tells them, and their tasks, as turbo.json defines them. Where turbo cannot be
 * asked, the package manager's workspaces say the same, with a notice; builds then run as plain scripts, without turbo's cache.
 */
export function turboGraph(root: string, processes: Processes = ownProcesses): GraphSource {
  let answers = true;
  return {
    kind: 'turbo',
    root,
    watch: ['package.json', 'turbo.json', 'turbo.jsonc', 'pnpm-workspace.yaml'],
    async read() {
      const packages = await askTurbo(root, processes);
      answers = packages.ok;
      const facts = packages.ok ? succeeded<GraphFacts>({ projects: packages.value, runsDependencies: true }) : workspacesFacts(root);
      if (!facts.ok) return facts;
      const withTasks = tasksOf(root, facts.value);
      if (!withTasks.ok || packages.ok) return withTasks;
      const { message, hint } = packages.problem;
      return succeeded({
        ...withTasks.value,
        notices: [
          {
            message: `${message}; the packages are those of the package manager's workspaces, and builds run without turbo's cache`,
            ...(hint === undefined ? {} : { hint }),
          },
        ],
      });
    },
    runTarget(project, target) {
      if (!answers) return scriptCommand(packageManagerOf(root), project, target);
      // New output only: what a cached task once said is no news. Its environment is as turbo.json has it, and so is its cache.
      return turboCommand(root, ['run', target, `--filter=${project}`, '--ui=stream', '--output-logs=new-only', '--no-update-notifier']);
    },
  };
}

interface QueryAnswer {
  readonly data?: {
    readonly packages: {
      readonly items: readonly {
        readonly name: string;
        readonly path: string;
        readonly directDependencies: { readonly items: readonly { readonly name: string }[] };
      }[];
    };
  } | null;
}

async function askTurbo(root: string, processes: Processes): Promise<Result<readonly GraphProject[]>> {
  const { command, args } = turboCommand(root, ['query', packagesQuery, '--no-update-notifier']);
  // What Slipway asks is nothing that the user did.
  const env = { TURBO_TELEMETRY_DISABLED: '1' };
  const asked = await processes.run({ command, args, cwd: root, env, signal: AbortSignal.timeout(queryMs) });
  if (!asked.ok) return asked.problem.code === 'commandNotFound' ? failed(notInstalled()) : asked;
  const answer = answerIn(asked.value.stdout);
  if (!answer?.data) return failed(refused(asked.value.stderr || asked.value.stdout));
  const projects = answer.data.packages.items
    .filter(({ name }) => name !== rootPackage)
    .map(({ name, path, directDependencies }): GraphProject => {
      // A package that depends on no other one depends on the root, by turbo's account.
      const dependencies = directDependencies.items.map((each) => each.name).filter((other) => other !== rootPackage && other !== name);
      return { name, root: path.replaceAll('\\', '/'), dependencies: dependencies.sort(), targets: new Map() };
    });
  return succeeded(projects.sort((a, b) => (a.root < b.root ? -1 : 1)));
}

function answerIn(text: string): QueryAnswer | undefined {
  try {
    return JSON.parse(text.slice(Math.max(0, text.indexOf('{')))) as QueryAnswer;
  } catch {
    return undefined;
  }
}

function tasksOf(root: string, facts: GraphFacts): Result<GraphFacts> {
  const packages = packagesAt(
    root,
    facts.projects.map((project) => project.root),
  );
  if (!packages.ok) return packages;
  const configs = configsOf(root, packages.value);
  if (!configs.ok) return configs;
  const scripts = new Map(packages.value.map((each) => [each.root, each.json.scripts ?? {}]));
  const projects = facts.projects.map((project) => {
    const targets = Object.entries(scripts.get(project.root) ?? {}).flatMap(([name, script]): (readonly [string, GraphTarget])[] => {
      const definition = startsSlipway(script) ? undefined : taskDefinition(configs.value, project.name, name);
      return definition ? [[name, graphTarget(project, name, definition)]] : [];
    });
    return { ...project, targets: new Map(targets) };
  });
  return succeeded({ ...facts, projects });
}

function configsOf(root: string, packages: readonly Package[]): Result<TurboConfigs> {
  const own = readTurboConfig(root, '');
  if (!own.ok) return own;
  const configs = new Map<string, TurboConfig>();
  for (const each of packages) {
    const config = readTurboConfig(root, each.root);
    if (!config.ok) return config;
    if (config.value) configs.set(each.name, config.value);
  }
  return succeeded({ root: own.value ?? {}, packages: configs });
}

function graphTarget(project: GraphProject, name: string, { outputs, dependsOn, persistent }: TaskDefinition): GraphTarget {
  return {
    name,
    outputs: (outputs ?? []).map((output) => pathOf(output, project)),
    dependsOn: (dependsOn ?? []).flatMap((wanted) => dependencyOf(wanted, project)),
    continuous: persistent ?? false,
  };
}

/** A glob of turbo.json, which is relative to the package, as one of the workspace. */
function pathOf(glob: string, { root }: GraphProject): string {
  const [sign, path] = glob.startsWith('!') ? ['!', glob.slice(1)] : ['', glob];
  const shared = /^\$TURBO_ROOT\$\//.exec(path);
  return `${sign}${shared ? path.slice(shared[0].length) : `${root}/${path}`}`;
}

/** `build`, `^build` and `package#build` as the graph writes them; a task's own name may hold a colon. */
function dependencyOf(wanted: string, { name }: GraphProject): readonly string[] {
  if (wanted.startsWith('^')) return [wanted];
  if (wanted.startsWith('$') || wanted.startsWith(`${rootPackage}#`)) return [];
  const hash = wanted.indexOf('#');
  return [hash < 0 ? `${name}:${wanted}` : `${wanted.slice(0, hash)}:${wanted.slice(hash + 1)}`];
}

function notInstalled(): Problem {
  return {
    code: 'turboNotFound',
    message: 'turbo is not installed, though there is a turbo.json',
    hint: 'install the packages of the workspace, with turbo among them',
    retry: 'whenInputChanges',
    exitCode: 2,
  };
}

/** turbo draws its errors: `  x Could not resolve workspace.` over a tree of reasons. */
function refused(said: string): Problem {
  const lines = said
    .split('\n')
    .map((line) => line.replace(/^[\s|│x×`╰─>-]+/u, '').trim())
    .filter((line) => line !== '' && !/^npm warn/.test(line));
  return {
    code: 'turboFailed',
    message: `turbo does not tell its packages: ${lines.slice(0, 3).join(' ').replace(/\.$/, '') || 'it said nothing'}`,
    hint: 'run `npx turbo query "query { packages { length } }"` to see what it says',
    retry: 'whenInputChanges',
    exitCode: 2,
    detail: said.trim(),
  };
}
