import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { parse } from 'yaml';
import { kubeconfigOf, RemoteCluster } from './remoteCluster';
import type { Ended } from './runCommand';
import { Shop } from './shop';
import { until } from './until';

/** All that the guard itself asks: which cluster it is, and whether it answers. */
const itsQuestions = ['GET /api/v1/namespaces/kube-system', 'GET /api/v1/nodes', 'GET /version'];

const isFull = process.env['SLIPWAY_FULL'] !== undefined;

/** Every command that has to do with a cluster: one for each way in, and with SLIPWAY_FULL the others too. */
const commands: readonly (readonly string[])[] = [
  ['dev', 'worker'],
  ['deploy', 'worker'],
  ['build', 'inside', '--default-repo=localhost:1'],
  ['sync', '--once', '--selector=app=web', '--local-path=apps/web', '--remote-path=/app'],
  ['logs', 'worker'],
  ['delete', 'worker'],
  ['prune', '--yes', '--images'],
  ...(!isFull
    ? []
    : [
        ['dev', 'worker', '--attach'],
        ['dev', 'worker', '--exit-when-ready', '--keep', '--takeover', '--force'],
        ['run', 'worker'],
        ['deploy', 'worker', '--no-build', '--with-required'],
        ['build', 'worker'],
        ['sync', 'worker', '--once'],
        ['status', 'worker'],
        ['prune', '--yes'],
        ['doctor'],
      ]),
];

describe('the guard', () => {
  const shop = new Shop();
  beforeAll(async () => {
    await shop.open();
    shop.write('apps/inside/project.json', '{"name": "inside"}');
    shop.write('apps/inside/Dockerfile', 'FROM scratch\nCOPY project.json /\n');
    shop.write('apps/inside/slipway.yaml', 'version: 1\nimage: {builder: buildkit}\n');
    shop.write('infra/plain/project.json', '{"name": "plain"}');
    shop.write('infra/plain/k8s/plain.yaml', 'apiVersion: v1\nkind: ConfigMap\nmetadata: {name: plain}\n');
  });
  afterAll(() => shop.close());

  /** What people read. */
  const told = ({ stdout, stderr }: Ended): string => `${stdout}${stderr}`;

  it('no command does anything in a cluster that is neither local nor allowed, or looks at more than which it is', async () => {
    const remote = await RemoteCluster.open('production');
    shop.write('production', kubeconfigOf({ 'kind-production': remote.url }));
    const env = { KUBECONFIG: shop.path('production') };
    const left = [...commands];
    const play = async (): Promise<void> => {
      for (let command = left.shift(); command; command = left.shift()) {
        const ended = await shop.slipway([...command, `--namespace=${shop.namespace}`], { env, exitCode: 2 });
        expect({ command, told: told(ended) }).toEqual({
          command,
          told: expect.stringMatching(/context kind-production .* is not a local cluster [^]*allowContexts: \[kind-production\]/) as string,
        });
      }
    };
    await Promise.all([play(), play()]);

    // What can do without a cluster does.
    const rendered = await shop.slipway(['render', 'plain', `--namespace=${shop.namespace}`], { env });
    expect(rendered.stdout).toContain('name: plain');

    const asked = ['run-many', '-p', 'worker', '--excludeTaskDependencies', '--skip-nx-cache', '--nxBail=false', '--output-style=stream'];
    for (const targets of [['k8s-deploy', 'k8s-sync', 'k8s-logs', 'k8s-delete', 'dev'], ...(isFull ? [['k8s-build']] : [])]) {
      const printed = told(await shop.nx([...asked, '-t', ...targets], { env, exitCode: 1 }));
      expect({ printed, refusals: printed.split('[contextNotAllowed]').length - 1 }).toEqual({ printed, refusals: targets.length });
    }

    remote.close();
    expect([...new Set(remote.requests)].sort()).toEqual(itsQuestions);
  });

  it('a context that means another cluster than it did is asked about, and nothing is done', async () => {
    const remote = await RemoteCluster.open('staging');
    shop.write('staging', kubeconfigOf({ staging: remote.url }));
    // The context is in the second file.
    const env = { KUBECONFIG: [shop.path('not-there'), shop.path('staging')].join(delimiter), XDG_STATE_HOME: shop.path('state') };
    shop.write('slipway.yaml', 'version: 1\nallowContexts: [staging]\n');
    const play = async (command: string) =>
      told(await shop.slipway([command, 'worker', `--namespace=${shop.namespace}`], { env, exitCode: 2 }));
    // What comes after the guard finds no registry there.
    expect(await play('deploy')).not.toMatch(/contextNotAllowed|contextChanged/);
    remote.uid = 'production';
    remote.requests.length = 0;
    for (const command of ['deploy', 'delete']) expect(await play(command)).toMatch(/now means another cluster .*contextChanged/);
    expect([...new Set(remote.requests)].sort()).toEqual(itsQuestions);
    shop.remove('slipway.yaml');
    remote.close();
  });

  it('dev stays in the cluster that it began in, whatever the kubeconfig says meanwhile, to the end of its cleaning up', async () => {
    const remote = await RemoteCluster.open('production');
    const text = readFileSync(process.env['KUBECONFIG'] ?? join(homedir(), '.kube', 'config'), 'utf8');
    const real = parse(text) as { readonly 'current-context': string; readonly clusters: readonly { readonly name: string }[] };
    const context = process.env['SLIPWAY_CONTEXT'] ?? real['current-context'];
    shop.write('kubeconfig', JSON.stringify({ ...real, 'current-context': context }));
    const dev = shop.dev('plain', 'cache', `--kubeconfig=${shop.path('kubeconfig')}`);
    await dev.until('ready');
    // The same names, and another cluster behind them.
    const elsewhere = real.clusters.map(({ name }) => ({ name, cluster: { server: remote.url } }));
    shop.write('kubeconfig', JSON.stringify({ ...real, clusters: elsewhere, 'current-context': context }));
    const word = randomUUID();
    const mark = dev.mark();
    shop.write('infra/plain/k8s/plain.yaml', `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: plain}\ndata: {word: ${word}}\n`);
    await dev.until('applied', ({ release }) => release === 'plain', mark);
    const ref = { apiVersion: 'v1', kind: 'ConfigMap', namespace: shop.namespace, name: 'plain' };
    await until('the edit arrives', async () => {
      const found = await shop.kube.get(ref);
      return found.ok && JSON.stringify(found.value).includes(word) ? true : undefined;
    });
    expect(await dev.interrupt()).toBe(0);
    await until('all is removed', async () => ((await shop.objects()).length === 0 ? true : undefined));
    remote.close();
    expect(remote.requests.filter((request) => !request.startsWith('GET '))).toEqual([]);
  });
});
