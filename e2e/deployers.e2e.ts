import { rmSync } from 'node:fs';
import { deployTools, pathWithDeployTools } from './deployTools';
import { Shop } from './shop';

const readable = (text: string) => text.replace(/^\n/, '');

const overlay = readable(`
namePrefix: dev-
resources: [../../base]
patches: [{path: replicas.yaml}]
configMapGenerator: [{name: site, literals: [COLOUR=blue]}]
`);

describe('deployers', () => {
  const shop = new Shop();
  let path = '';
  const nx = (target: string, project: string) => shop.nx(['run', `${project}:${target}`, ...shop.where], { env: { PATH: path } });
  beforeAll(async () => {
    await shop.open();
    path = await pathWithDeployTools(shop.path('.tools'), [deployTools.kustomize]);
  });
  afterAll(() => shop.close());

  it('an overlay of kustomize is applied, changed and deleted through Nx, and nothing else is touched', async () => {
    const other = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'foreign', namespace: shop.namespace }, data: {} };
    const applied = await shop.kube.apply(other);
    expect(applied.ok).toBe(true);
    const base = shop.read('apps/web/k8s/web.yaml').replace('image: web', 'image: web\n          envFrom: [{configMapRef: {name: site}}]');
    rmSync(shop.path('apps/web/k8s/web.yaml'));
    shop.write('apps/web/k8s/base/web.yaml', base);
    shop.write('apps/web/k8s/base/kustomization.yaml', 'resources: [web.yaml]\n');
    shop.write('apps/web/k8s/overlays/dev/kustomization.yaml', overlay);
    const patch = (replicas: number | string) =>
      `apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\nspec: {replicas: ${replicas}}\n`;
    shop.write('apps/web/k8s/overlays/dev/replicas.yaml', patch(1));
    shop.write('apps/web/slipway.yaml', 'version: 1\nkustomize: {paths: [k8s/overlays/dev]}\n');

    await nx('k8s-deploy', 'web');
    const first = await shop.onlyOne('web');
    expect(first.ready).toBe(true);
    const explained = await shop.slipway(['explain', 'apps/web/k8s/base/web.yaml', '--json']);
    expect(JSON.parse(explained.stdout)).toMatchObject({
      files: [{ artifacts: [{ name: 'web', action: 'redeploy', because: 'part of the overlay apps/web/k8s/overlays/dev' }] }],
    });

    const again = await nx('k8s-deploy', 'web');
    expect(again.stdout).not.toMatch(/applied to \S+: /);
    expect(await shop.onlyOne('web')).toEqual(first);

    shop.write('apps/web/k8s/overlays/dev/replicas.yaml', patch(2));
    shop.write('apps/web/k8s/overlays/dev/kustomization.yaml', overlay.replace('blue', 'green'));
    const changed = await nx('k8s-deploy', 'web');
    // The name of a generated ConfigMap is made from its content: the one of before is no part of the overlay any more.
    expect(changed.stdout).toMatch(/removed, as no manifest has it: configmap\/dev-site-/);
    expect(await shop.running('web')).toMatchObject([{ ready: true }, { ready: true }]);

    shop.write('apps/web/k8s/overlays/dev/replicas.yaml', patch('many'));
    const refused = await shop.nx(['run', 'web:k8s-deploy', ...shop.where], { env: { PATH: path }, exitCode: 1 });
    expect(refused.stdout + refused.stderr).toMatch(/apps\/web\/k8s\/overlays\/dev\/replicas\.yaml:4/);

    await nx('k8s-delete', 'web');
    expect(await shop.objects()).toEqual(['ConfigMap/foreign']);
    await shop.kube.delete({ apiVersion: 'v1', kind: 'ConfigMap', name: 'foreign', namespace: shop.namespace });
  });

  it('without its tool a project says which one it needs', async () => {
    shop.write('apps/worker/slipway.yaml', 'version: 1\nhelm: {releases: [{name: x, chart: x}]}\n');
    const ended = await shop.slipway(['deploy', 'worker', '--json', ...shop.where], { exitCode: 2, env: { PATH: pathWithout() } });
    expect(ended.stdout).toContain('"helmMissing"');
  });
});

/** Node, and nothing else that a deploy needs. */
function pathWithout(): string {
  return process.execPath.replace(/\/[^/]*$/, '');
}
