import { mkdirSync, symlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { build, findGo, type Program } from '../cluster/gobuild';
import { cacheFolderOf } from '../cluster/layout';

const programs: readonly Program[] = [
  { name: 'helm', package: 'helm.sh/helm/v3/cmd/helm', ldflags: '-s -w', firstTime: 'about 1 min' },
  { name: 'kustomize', package: 'sigs.k8s.io/kustomize/kustomize/v5', ldflags: '-s -w', firstTime: 'some seconds' },
];

/**
 * A PATH with the real helm and kustomize, in the versions of `e2e/go`. They are built from Go modules once, and kept in the user's
 * cache by what they were built from, as the cluster's programs are.
 */
export async function pathWithDeployTools(folder: string): Promise<string> {
  const cacheFolder = cacheFolderOf(process.env);
  mkdirSync(folder, { recursive: true });
  const go = await findGo();
  for (const program of programs) {
    const sourceFolder = join(__dirname, '..', '..', 'e2e', 'go');
    const { path } = await build(program, { go, sourceFolder, cacheFolder, logFile: join(folder, `build-${program.name}.log`) });
    symlinkSync(path, join(folder, program.name));
  }
  return `${folder}${delimiter}${process.env['PATH'] ?? ''}`;
}
