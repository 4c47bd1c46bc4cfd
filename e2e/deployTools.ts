import { mkdirSync, symlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { build, findGo, type Program } from '../cluster/gobuild';
import { cacheFolderOf } from '../cluster/layout';

export type DeployTool = Program;

export const deployTools = {
  helm: { name: 'helm', package: 'helm.sh/helm/v3/cmd/helm', ldflags: '-s -w', firstTime: 'about 1 min' },
  helm4: { name: 'helm', folder: 'helm4', package: 'helm.sh/helm/v4/cmd/helm', ldflags: '-s -w', firstTime: 'about 1 min' },
  kustomize: { name: 'kustomize', package: 'sigs.k8s.io/kustomize/kustomize/v5', ldflags: '-s -w', firstTime: 'some seconds' },
} as const satisfies Record<string, DeployTool>;

/**
 * A PATH with real tools, in the versions of `e2e/go`. They are built from Go modules once, and kept in the user's
 * cache by what they were built from, as the cluster's programs are.
 */
export async function pathWithDeployTools(folder: string, tools: readonly DeployTool[]): Promise<string> {
  for (const { name, path } of await builtPrograms(tools, folder)) symlinkSync(path, join(folder, name));
  return `${folder}${delimiter}${process.env['PATH'] ?? ''}`;
}

/** Programs of `e2e/go`, and where they are. What their builds print goes to `folder`. */
export async function builtPrograms(
  wanted: readonly Program[],
  folder: string,
): Promise<readonly { readonly name: string; readonly path: string }[]> {
  const cacheFolder = cacheFolderOf(process.env);
  mkdirSync(folder, { recursive: true });
  const go = await findGo();
  const sourceFolder = join(__dirname, '..', '..', 'e2e', 'go');
  const built: { readonly name: string; readonly path: string }[] = [];
  for (const program of wanted) {
    const { path } = await build(program, { go, sourceFolder, cacheFolder, logFile: join(folder, `build-${program.name}.log`) });
    built.push({ name: program.name, path });
  }
  return built;
}
