import type { Processes } from '../clients';
import type { GraphProject } from '../graph';
import { failed, succeeded, type Problem, type Result } from '../model';
import { packageManagerOf, type PackageManager } from './packageManager';
import { turboCommand } from './turboCommand';

/** A question that takes longer is not answered any more. */
const queryMs = 20_000;
const packagesQuery = 'query { packages { items { name path directDependencies { items { name } } } } }';
/** How turbo names the workspace itself among its packages. */
export const rootPackage = '//';

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

/** The packages as turbo tells them, without targets. Failures: `turboNotFound`, `turboFailed`, `aborted`. */
export async function turboPackages(root: string, processes: Processes): Promise<Result<readonly GraphProject[]>> {
  const { command, args } = turboCommand(root, ['query', packagesQuery, '--no-update-notifier']);
  // What Slipway asks is nothing that the user did.
  const env = { TURBO_TELEMETRY_DISABLED: '1' };
  const asked = await processes.run({ command, args, cwd: root, env, signal: AbortSignal.timeout(queryMs) });
  if (!asked.ok) return asked.problem.code === 'commandNotFound' ? failed(notInstalled()) : asked;
  const answer = answerIn(asked.value.stdout);
  if (!answer?.data) return failed(refused(asked.value.stderr || asked.value.stdout, packageManagerOf(root)));
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
function refused(said: string, manager: PackageManager): Problem {
  const lines = said
    .split('\n')
    .map((line) => line.replace(/^[\s|│x×`╰─>-]+/u, '').trim())
    .filter((line) => line !== '' && !/^npm warn/.test(line));
  return {
    code: 'turboFailed',
    message: `turbo does not tell its packages: ${lines.slice(0, 3).join(' ').replace(/\.$/, '') || 'it said nothing'}`,
    hint: /\bpackageManager\b/.test(said)
      ? `add "packageManager": "${manager}@VERSION" to package.json, as \`${manager} --version\` tells it`
      : 'run `npx turbo query "query { packages { length } }"` to see what it says',
    retry: 'whenInputChanges',
    exitCode: 2,
    detail: said.trim(),
  };
}
