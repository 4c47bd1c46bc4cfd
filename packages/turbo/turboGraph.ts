import { processes as ownProcesses, type Processes } from '../clients';
import type { GraphFacts, GraphSource, RunnerCommand } from '../graph';
import { succeeded } from '../model';
import { packageManagerOf, scriptCommand } from './packageManager';
import { turboCommand } from './turboCommand';
import { isOwnLine, outcomesIn } from './turboOutput';
import { turboPackages } from './turboPackages';
import { withTasks } from './turboTasks';
import { workspacesFacts } from './workspacesGraph';

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
      const packages = await turboPackages(root, processes);
      answers = packages.ok;
      const facts = packages.ok ? succeeded<GraphFacts>({ projects: packages.value, runsDependencies: true }) : workspacesFacts(root);
      if (!facts.ok) return facts;
      const whole = withTasks(root, facts.value);
      if (!whole.ok || packages.ok) return whole;
      const { message, hint } = packages.problem;
      return succeeded({
        ...whole.value,
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
      return turboRun(root, [project], target, ['--log-prefix=none']);
    },
    runTargets(projects, target) {
      // One that fails does not keep the others from going on.
      return turboRun(root, projects, target, ['--log-prefix=task', '--continue=dependencies-successful']);
    },
    outcomesIn,
    isOwnLine,
  };
}

/** New output only: what a cached task once said is no news. The environment is as turbo.json has it, and so is the cache. */
function turboRun(root: string, projects: readonly string[], target: string, more: readonly string[]): RunnerCommand {
  const filters = projects.map((project) => `--filter=${project}`);
  return turboCommand(root, ['run', target, ...filters, '--ui=stream', '--output-logs=new-only', '--no-update-notifier', ...more]);
}
