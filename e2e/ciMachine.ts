import { renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { type Ended, type Env, runCommand } from './runCommand';
import type { Shop } from './shop';

/** What CI did after a commit. */
export interface CiRun {
  readonly selected: readonly string[];
  /** As the task runner names them; undefined where there is none. */
  readonly tasks: readonly string[] | undefined;
  readonly cached: readonly string[] | undefined;
  readonly built: readonly string[];
}

/** Where CI runs: in the workspace itself, where all that was made before is still there, or in a clone that has nothing but packages. */
export interface CiMachine {
  readonly name: string;
  /** After the last commit. */
  run(shop: Shop): Promise<CiRun>;
}

const deployTarget = 'k8s-deploy';

const nxIn = async (root: string, shop: Shop, env: Env = {}): Promise<CiRun> => {
  const args = ['affected', '-t', deployTarget, '--base=HEAD~1', '--output-style=static', ...shop.where];
  return runOf(await runCommand({ command: join(root, 'node_modules', '.bin', 'nx'), args, cwd: root, env }));
};

/** `nx affected` where it ran before. */
export const warmNx: CiMachine = { name: '`nx affected` with warm caches', run: (shop) => nxIn(shop.root, shop) };

/** `nx affected` as on a new machine: no caches, no records, nothing that was built. */
export const coldNx: CiMachine = {
  name: '`nx affected` on a fresh clone',
  async run(shop) {
    const clone = join(dirname(shop.root), 'clone');
    const [own, packages] = [join(shop.root, 'node_modules'), join(clone, 'node_modules')];
    await runCommand({ command: 'git', args: ['clone', '--quiet', shop.root, clone], cwd: shop.root });
    renameSync(own, packages);
    try {
      // Nx 23 finds the cache of the repository that it was cloned from.
      const [cache, data] = ['cache', 'data'].map((name) => join(clone, '.nx', name));
      return await nxIn(clone, shop, { NX_CACHE_DIRECTORY: cache, NX_WORKSPACE_DATA_DIRECTORY: data });
    } finally {
      renameSync(packages, own);
      rmSync(clone, { recursive: true });
    }
  },
};

/** One process of our own. */
export const slipway: CiMachine = {
  name: '`slipway deploy --affected`',
  async run(shop) {
    const { stdout } = await shop.slipway(['deploy', '--affected', '--base=HEAD~1', '--json', ...shop.where]);
    const { document } = JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as {
      readonly document: {
        readonly affected: readonly { readonly project: string }[];
        readonly images?: readonly { readonly image: string; readonly built: boolean }[];
      };
    };
    return {
      selected: document.affected.map(({ project }) => project).sort(),
      tasks: undefined,
      cached: undefined,
      built: (document.images ?? []).flatMap(({ image, built }) => (built ? [image] : [])).sort(),
    };
  },
};

function runOf({ stdout }: Ended): CiRun {
  const tasks = matches(stdout, /^> nx run (\S+)/gm);
  return {
    selected: tasks.filter((task) => task.endsWith(`:${deployTarget}`)).map((task) => task.slice(0, task.indexOf(':'))),
    tasks,
    cached: matches(stdout, /^> nx run (\S+) .*\[(?:local cache|existing outputs)/gm),
    built: matches(stdout, /^(\S+) +built /gm),
  };
}

function matches(text: string, pattern: RegExp): readonly string[] {
  return [...text.matchAll(pattern)].map(([, found = '']) => found).sort();
}
