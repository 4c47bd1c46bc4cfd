import { parseDocument } from 'yaml';
import type { WorkspaceFiles } from '../graph';
import type { WorkspacePath } from '../model';
import { isPackageFolder, packagePatterns } from '../scaffold';
import { valueIn, withItems, withProperty } from './editJson';
import type { PackageManager } from './packageManager';
import type { Change } from './setUp';

/** Where the workspace says where its packages are, with the new ones that no pattern of it covers: they would be none otherwise. */
export function newPackagesChange(
  folders: readonly WorkspacePath[],
  { files, manager }: { readonly files: WorkspaceFiles; readonly manager: PackageManager },
): readonly Change[] {
  const patterns = packagePatterns(files);
  const missing = folders.filter((folder) => !isPackageFolder(folder, patterns));
  if (missing.length === 0) return [];
  const ofPnpm = files.textOf('pnpm-workspace.yaml');
  const because = [`${missing.join(', ')}: a package where no pattern of the workspaces was; \`${manager} install\` takes it up`];
  if (ofPnpm !== undefined || manager === 'pnpm')
    return [{ path: 'pnpm-workspace.yaml', created: ofPnpm === undefined, text: withPnpmPackages(ofPnpm ?? '', missing), because }];
  const before = files.textOf('package.json');
  if (before === undefined) return [];
  return [{ path: 'package.json', created: false, text: withWorkspaces(before, missing), because }];
}

function withPnpmPackages(text: string, folders: readonly WorkspacePath[]): string {
  const document = parseDocument(text);
  if (document.hasIn(['packages', 0])) for (const folder of folders) document.addIn(['packages'], folder);
  else document.set('packages', document.createNode(folders));
  return document.toString({ lineWidth: 0 });
}

/** Yarn had an object with more in it. */
function withWorkspaces(text: string, folders: readonly WorkspacePath[]): string {
  const path = [['workspaces'], ['workspaces', 'packages']].find((each) => Array.isArray(valueIn(text, each)));
  return path ? withItems(text, path, folders) : withProperty(text, [], 'workspaces', folders);
}
