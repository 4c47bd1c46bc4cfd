import type { Engine, Processes } from '../clients';
import { failed, succeeded, type Result } from '../model';

export interface MinikubeTools {
  readonly processes: Processes;
  readonly engineAt: (variables: Readonly<Record<string, string>>) => Engine;
}

/** The Docker engine inside a minikube cluster, as `minikube docker-env` tells it. */
export async function minikubeEngine(profile: string, { processes, engineAt }: MinikubeTools): Promise<Result<Engine>> {
  const args = ['docker-env', '--profile', profile, '--shell', 'none'];
  const ran = await processes.run({ command: 'minikube', args, cwd: '.' });
  if (!ran.ok) return ran;
  const variables = variablesIn(ran.value.stdout);
  if (ran.value.exitCode === 0 && variables['DOCKER_HOST'] !== undefined) return succeeded(engineAt(variables));
  return failed({
    code: 'engineUnreachable',
    message: `minikube does not tell how its engine is reached: minikube ${args.join(' ')} ended with exit code ${ran.value.exitCode}`,
    hint: 'start it with minikube start, or set defaultRepo to a registry that the cluster pulls from',
    retry: 'afterDelay',
    exitCode: 3,
    detail: ran.value.stderr,
  });
}

/** Lines of `NAME=value`. */
function variablesIn(text: string): Readonly<Record<string, string>> {
  const lines = text.split('\n').flatMap((line) => {
    const [, name, value] = /^(DOCKER_\w+)=(.*)$/.exec(line.trim()) ?? [];
    return name === undefined || value === undefined ? [] : [[name, value.replace(/^"(.*)"$/, '$1')] as const];
  });
  return Object.fromEntries(lines);
}
