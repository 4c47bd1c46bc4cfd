import { existsSync } from 'node:fs';
import { join, posix } from 'node:path';
import type { NxJsonConfiguration } from '@nx/devkit';
import { joinPath } from '../../graph';
import type { Project } from '../../model';
import { createNodes, type PluginOptions } from '../inference';
import { pluginName } from './workspace';

/** What dev is called in each project, as it is inferred from what is on the disk: one that has a dev of its own gets another name. */
export async function devTargets(
  root: string,
  projects: readonly Project[],
  nxJson: NxJsonConfiguration,
): Promise<(project: string) => string> {
  const options = pluginOptions(nxJson);
  const files = projects.flatMap((project) =>
    ['package.json', 'project.json'].map((name) => joinPath(project.root, name)).filter((file) => existsSync(join(root, file))),
  );
  const inferred = await createNodes[1](files, options, { nxJsonConfiguration: nxJson, workspaceRoot: root });
  const byRoot = new Map<string, string>();
  for (const [file, { projects: found = {} }] of inferred) {
    for (const { targets = {} } of Object.values(found)) {
      const dev = Object.entries(targets).find(([, target]) => target.executor === `${pluginName}:dev`);
      if (dev) byRoot.set(posix.dirname(file), dev[0]);
    }
  }
  return (name) => {
    const at = projects.find((project) => project.name === name)?.root ?? name;
    return byRoot.get(at === '' ? '.' : at) ?? options.devTargetName ?? 'dev';
  };
}

function pluginOptions({ plugins }: NxJsonConfiguration): PluginOptions {
  const registered = plugins?.find((plugin) => typeof plugin !== 'string' && plugin.plugin === pluginName);
  return typeof registered === 'object' ? ((registered.options as PluginOptions | undefined) ?? {}) : {};
}
