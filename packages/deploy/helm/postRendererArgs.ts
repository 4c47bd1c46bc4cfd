import { mkdir, readdir, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { stringify } from 'yaml';
import type { KubeObject } from '../../clients';
import { succeeded, type Result } from '../../model';
import type { DeployContext } from '../deployer';
import { helm } from './helm';

export interface PostRendering {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string>>;
}

/**
 * How helm is told to install these objects instead of those that it makes. helm 3 runs a program; helm 4 runs plugins only, from one folder, so
 * that the user's own have to be in it too. `folder` is an empty one for what this needs.
 */
export async function postRendererArgs(
  folder: string,
  objects: readonly KubeObject[],
  context: DeployContext,
): Promise<Result<PostRendering>> {
  const file = join(folder, 'objects.json');
  await writeFile(file, JSON.stringify(objects), { mode: 0o600 });
  const args = [join(__dirname, 'postRenderer.js'), file];
  const version = await helm({ ...context, cluster: undefined, args: ['version', '--template', '{{.Version}}'] });
  if (!version.ok) return version;
  // helm takes a program's arguments one by one.
  if (!version.value.stdout.startsWith('v4'))
    return succeeded({ args: ['--post-renderer', process.execPath, ...args.map((each) => `--post-renderer-args=${each}`)], env: {} });
  const asked = await helm({ ...context, cluster: undefined, args: ['env', 'HELM_PLUGINS'] });
  if (!asked.ok) return asked;
  const plugins = join(folder, 'plugins');
  await mkdir(join(plugins, pluginName), { recursive: true });
  await writeFile(join(plugins, pluginName, 'plugin.yaml'), pluginOf([process.execPath, ...args]));
  await linkAll(asked.value.stdout.trim(), plugins);
  return succeeded({ args: ['--post-renderer', pluginName], env: { HELM_PLUGINS: plugins } });
}

const pluginName = 'slipway-post-renderer';

/** Source: helm.sh/helm/v4, internal/plugin. helm fills in variables of the environment in a command, so dollar signs are not for paths. */
function pluginOf([command, ...args]: readonly [string, ...string[]]): string {
  return stringify({
    apiVersion: 'v1',
    type: 'postrenderer/v1',
    name: pluginName,
    version: '1.0.0',
    runtime: 'subprocess',
    runtimeConfig: { platformCommand: [{ command, args }] },
  });
}

/** A user without plugins has no folder for them. */
async function linkAll(from: string, to: string): Promise<void> {
  const names = await readdir(from).catch((): readonly string[] => []);
  for (const name of names) if (name !== pluginName) await symlink(join(from, name), join(to, name), 'junction');
}
