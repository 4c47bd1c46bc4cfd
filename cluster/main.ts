import { readArguments, USAGE } from './arguments';
import { describe, down, shellLines, up, type Environment } from './index';
import { ClusterProblem } from './problem';

// Whoever reads may stop reading, as `head` does.
process.stdout.on('error', () => undefined);
const print = (line: string) => process.stdout.write(`${line}\n`);

/** What is not known is there as `null`, so that every key always is. */
function json(environment: Environment | undefined): string {
  return environment === undefined ? 'null' : JSON.stringify(environment, (_key, value: unknown) => value ?? null);
}

async function main(): Promise<void> {
  const invocation = readArguments(process.argv.slice(2));
  if (invocation === 'help') {
    process.stdout.write(USAGE);
    return;
  }
  const options = { ...invocation, say: print };
  switch (invocation.verb) {
    case 'up': {
      const controller = new AbortController();
      for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.once(name, () => controller.abort());
      const environment = await up({ ...options, signal: controller.signal });
      print(`\nregistry: ${environment.registry ?? 'not published by this cluster'}\ncontext:  ${environment.context}`);
      for (const line of shellLines(environment)) print(line);
      return;
    }
    case 'down':
      return down(options);
    case 'env': {
      const environment = await describe(invocation);
      if (environment === undefined) throw new ClusterProblem('no cluster is up', 'Run cluster:up first.');
      if (invocation.json) print(json(environment));
      else shellLines(environment).forEach(print);
      return;
    }
    case 'status': {
      const environment = await describe(invocation);
      if (invocation.json) print(json(environment));
      else
        print(
          environment === undefined
            ? 'no cluster is up'
            : `${environment.kind} cluster, context ${environment.context}, registry ${environment.registry ?? 'not published'}`,
        );
      return;
    }
  }
}

main().catch((thrown: unknown) => {
  const problem = thrown instanceof ClusterProblem ? thrown : undefined;
  process.stderr.write(`${problem?.message ?? (thrown instanceof Error ? (thrown.stack ?? thrown.message) : String(thrown))}\n`);
  if (problem?.hint !== undefined) process.stderr.write(`${problem.hint}\n`);
  // Not by itself: a build that was left behind would be waited for.
  process.exit(problem?.exitCode ?? 1);
});
