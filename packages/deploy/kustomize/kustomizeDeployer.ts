import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { failed, succeeded, type KustomizeSource, type Location, type Problem, type Result, type WorkspacePath } from '../../model';
import type { DeployContext, Deployer } from '../deployer';
import { placesIn } from './placesIn';

const names = ['kustomization.yaml', 'kustomization.yml', 'Kustomization'];

/** What kustomize makes of an overlay: by its own binary, or by the one inside kubectl. Failures: `kustomizeMissing`, `kustomizeFailed` (exit 2). */
export const kustomizeDeployer: Deployer<KustomizeSource> = {
  async manifests(source, context) {
    const built = await buildOverlay(source, context);
    if (!built.ok) return built;
    const path = kustomizationOf(source.path, context.root);
    return succeeded([{ path, text: built.value, placeOf: placesIn(context, path) }]);
  },
};

async function buildOverlay({ path, buildArgs }: KustomizeSource, { root, processes, signal }: DeployContext): Promise<Result<string>> {
  for (const [command, ...args] of [
    ['kustomize', 'build'],
    ['kubectl', 'kustomize'],
  ] as const) {
    const ran = await processes.run({ command, args: [...args, path, ...buildArgs], cwd: root, signal });
    if (!ran.ok && ran.problem.code === 'commandNotFound') continue;
    if (!ran.ok) return ran;
    const { exitCode, stdout, stderr } = ran.value;
    return exitCode === 0 ? succeeded(stdout) : failed(buildFailed(path, { stderr, file: kustomizationOf(path, root) }));
  }
  return failed(kustomizeMissing);
}

function kustomizationOf(overlay: WorkspacePath, root: string): WorkspacePath {
  const name = names.find((each) => existsSync(join(root, overlay, each))) ?? 'kustomization.yaml';
  return overlay === '' ? name : `${overlay}/${name}`;
}

function buildFailed(overlay: WorkspacePath, { stderr, file }: { readonly stderr: string; readonly file: WorkspacePath }): Problem {
  const [said = 'it gives no reason'] = stderr
    .replace(/^Error: /m, '')
    .split('\n')
    .filter((line) => line.trim() !== '' && !line.startsWith('# Warning'));
  const location: Location = { file };
  return {
    code: 'kustomizeFailed',
    message: `kustomize cannot build ${overlay}: ${said.trim()}`,
    hint: `see what it says: kustomize build ${overlay}`,
    retry: 'whenInputChanges',
    exitCode: 2,
    location,
    detail: stderr,
  };
}

const kustomizeMissing: Problem = {
  code: 'kustomizeMissing',
  message: 'an overlay is built by kustomize or by kubectl, and neither is on PATH',
  hint: 'install kubectl (https://kubernetes.io/docs/tasks/tools) or kustomize (https://kubectl.docs.kubernetes.io/installation/kustomize)',
  retry: 'whenInputChanges',
  exitCode: 2,
};
