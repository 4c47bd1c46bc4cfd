import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { GraphSource } from '../graph';
import { failed, succeeded, type Result } from '../model';
import { nxGraph } from '../nx';
import { declaresWorkspaces, isTurborepo, turboGraph, workspacesGraph } from '../turbo';

/**
 * The workspace around a folder: the nearest one upwards that has an nx.json, a turbo.json, or a package manager's workspaces.
 * @param isBrief this process does one thing and ends.
 */
export function findWorkspace(from: string, { isBrief }: { readonly isBrief: boolean }): Result<GraphSource> {
  for (let folder = from; ; folder = dirname(folder)) {
    if (existsSync(join(folder, 'nx.json'))) return succeeded(nxGraph(folder, { isBrief }));
    if (isTurborepo(folder)) return succeeded(turboGraph(folder));
    if (declaresWorkspaces(folder)) return succeeded(workspacesGraph(folder));
    if (dirname(folder) === folder) break;
  }
  return failed({
    code: 'workspaceNotFound',
    message: `${from} is in no workspace: neither it nor a folder above has an nx.json, a turbo.json, a pnpm-workspace.yaml or a package.json with workspaces`,
    hint: 'change into the workspace, or make one: with `workspaces` in package.json, or with `npx nx init`',
    retry: 'whenInputChanges',
    exitCode: 2,
  });
}
