import { randomUUID } from 'node:crypto';
import { openRegistry } from '../clients';
import { tasksOf, type History } from './ciHistory';
import { warmNx, type CiMachine } from './ciMachine';
import { localRegistry, valueOf } from './localRegistry';
import { objectStates } from './objectsIn';
import { runCommand } from './runCommand';
import { Shop } from './shop';

export interface HistoryOptions {
  /** Of the workspace's Nx; absent: the one of the example. */
  readonly nx?: string;
}

/** Plays the commits of a history, each a test: what is selected, what is built, and what becomes another in the cluster. */
export function playHistory(history: History, machine: CiMachine, { nx }: HistoryOptions = {}): void {
  const shop = new Shop();
  const commits = new Map<string, string>();
  const git = async (...args: readonly string[]): Promise<string> => {
    const who = ['user.name=CI', 'user.email=ci@shop.example', 'commit.gpgsign=false'].flatMap((setting) => ['-c', setting]);
    return (await runCommand({ command: 'git', args: [...who, ...args], cwd: shop.root })).stdout.trim();
  };

  beforeAll(async () => {
    await shop.open();
    if (nx !== undefined) await shop.install(`nx@${nx}`, `@nx/devkit@${nx}`);
    await git('init', '--quiet', '--initial-branch=main');
    await git('commit', '--quiet', '--allow-empty', '--message=nothing');
  });
  afterAll(() => shop.close());

  it.each(history.commits)('$what', async (commit) => {
    const { what, change, selected, selectedByNx, built, changed, cached = [] } = commit;
    if (commit === history.commits.at(-1)) await git('revert', '--no-edit', commits.get(history.reverted) ?? '');
    else {
      // Digits alone would be a number where it becomes a value of YAML.
      change(shop, `w${randomUUID().slice(0, 8)}`);
      await git('add', '--all');
      await git('commit', '--quiet', `--message=${what}`);
    }
    commits.set(what, await git('rev-parse', 'HEAD'));

    const before = await objectStates(shop.kube, shop.namespace);
    const { tasks, ...run } = await machine.run(shop);
    const after = await objectStates(shop.kube, shop.namespace);
    const names = new Set([...before.keys(), ...after.keys()]);
    const byNx = tasks && selectedByNx?.(Number.parseInt(nx ?? '24', 10));
    const wanted = byNx === 'all' ? history.projects : (byNx ?? selected);
    const wantedTasks = tasks && wanted.flatMap(tasksOf).sort();
    expect({ ...run, tasks, changed: [...names].filter((name) => before.get(name) !== after.get(name)).sort() }).toEqual({
      selected: wanted,
      tasks: wantedTasks,
      cached: wantedTasks && (machine === warmNx ? cached.filter((task) => wantedTasks.includes(task)) : []),
      built,
      changed,
    });
  });

  if (machine !== warmNx) return;

  it('what the registry has lost is built again, whatever Nx has cached', async () => {
    const [project = ''] = history.projects;
    const { images } = JSON.parse(shop.read(`.slipway/images/${project}.json`)) as { readonly images: readonly [{ readonly ref: string }] };
    const registry = openRegistry();
    const [{ ref }] = images;
    expect(ref).toContain(await localRegistry(shop.kube));
    valueOf(await registry.remove(ref));
    const deploy = async () => (await shop.nx(['run', `${project}:k8s-deploy`, ...shop.where])).stdout;
    expect(await deploy()).toMatch(new RegExp(`^${project} +(built|delivered) `, 'm'));
    expect(valueOf(await registry.digest(ref.replace(/@.*$/, '')))).toBeDefined();
    expect(await deploy()).not.toMatch(new RegExp(`^${project} +(built|delivered) `, 'm'));
  });
}
