import { randomUUID } from 'node:crypto';
import { rmSync } from 'node:fs';
import { pathWithDeployTools } from './deployTools';
import { runCommand } from './runCommand';
import { Shop } from './shop';

const readable = (text: string) => text.replace(/^\n/, '');

const overlay = readable(`
namePrefix: dev-
resources: [../../base]
patches: [{path: replicas.yaml}]
configMapGenerator: [{name: site, literals: [COLOUR=blue]}]
`);

const chart: Readonly<Record<string, string>> = {
  'Chart.yaml': 'apiVersion: v2\nname: worker\nversion: 0.1.0\n',
  'values.yaml': 'image: {repository: nobody/has-it, tag: none}\ngreeting: Welcome\nextra: true\n',
  'templates/deployment.yaml': readable(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}}
spec:
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: worker
          image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}"
          env: [{name: GREETING, value: {{ .Values.greeting }}}]
`),
  'templates/extra.yaml': readable(`
{{- if .Values.extra }}
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-extra}
data: {random: {{ randAlphaNum 8 }}}
{{- end }}
`),
  // It can only end well with the image of this deploy.
  'templates/hook.yaml': readable(`
apiVersion: batch/v1
kind: Job
metadata:
  name: {{ .Release.Name }}-migrate
  annotations: {helm.sh/hook: "post-install,post-upgrade", helm.sh/hook-delete-policy: hook-succeeded}
spec:
  backoffLimit: 0
  template:
    spec:
      restartPolicy: Never
      containers:
        - {name: migrate, image: "{{ .Values.image.repository }}:{{ .Values.image.tag }}", command: [node, -e, ""]}
`),
};

const helmConfig = readable(`
version: 1
helm:
  releases:
    - name: backend
      chartPath: chart
      valuesFiles: [values.dev.yaml]
      images: {image: worker}
      imageStrategy: repository+tag
      timeout: 120
    - name: packaged
      chartPath: packaged/worker-0.1.0.tgz
      setValues: {extra: false}
      setValueTemplates: {image.repository: "\${IMAGE_REPO}", image.tag: "\${IMAGE_TAG}"}
`);

describe('deployers', () => {
  const shop = new Shop();
  let path = '';
  const run = (command: string, args: readonly string[]) => runCommand({ command, args, cwd: shop.root, env: { PATH: path } });
  const nx = (target: string, project: string) => shop.nx(['run', `${project}:${target}`, ...shop.where], { env: { PATH: path } });
  const helmList = async () =>
    (await run('helm', ['list', '--short', '--namespace', shop.namespace])).stdout.split('\n').filter((name) => name !== '');
  const deployed = async (kind: string, name: string) => {
    const answer = await shop.kube.get({ apiVersion: kind === 'Deployment' ? 'apps/v1' : 'v1', kind, name, namespace: shop.namespace });
    if (!answer.ok) throw new Error(answer.problem.message);
    return answer.value as
      | {
          readonly metadata: { readonly resourceVersion?: string };
          readonly spec: { readonly replicas: number };
          readonly data: Record<string, string>;
        }
      | undefined;
  };

  beforeAll(async () => {
    await shop.open();
    path = await pathWithDeployTools(shop.path('.tools'));
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

  it('releases of helm are installed with the images of the workspace, upgraded only when something changed, and uninstalled', async () => {
    rmSync(shop.path('apps/worker/k8s'), { recursive: true });
    for (const [file, text] of Object.entries(chart)) shop.write(`apps/worker/chart/${file}`, text);
    await run('helm', ['package', 'apps/worker/chart', '--destination', 'apps/worker/packaged']);
    const word = randomUUID();
    shop.write('apps/worker/values.dev.yaml', `greeting: ${word}\n`);
    shop.write('apps/worker/slipway.yaml', helmConfig);

    await nx('k8s-deploy', 'worker');
    expect(await helmList()).toEqual(['backend', 'packaged']);
    expect(await shop.running('packaged')).toMatchObject([{ ready: true }]);
    const first = await shop.onlyOne('backend');
    const random = (await deployed('ConfigMap', 'backend-extra'))?.data['random'];

    // What a chart makes may be another thing each time; only its files and its images decide.
    await nx('k8s-deploy', 'worker');
    expect(await shop.onlyOne('backend')).toEqual(first);
    expect((await deployed('ConfigMap', 'backend-extra'))?.data['random']).toBe(random);

    shop.write('apps/worker/values.dev.yaml', 'greeting: changed\nextra: false\n');
    const affecting = await shop.slipway(['explain', 'apps/worker/values.dev.yaml', '--json']);
    expect(JSON.parse(affecting.stdout)).toMatchObject({ files: [{ artifacts: [{ action: 'redeploy', because: 'values of backend' }] }] });
    await nx('k8s-deploy', 'worker');
    expect((await shop.onlyOne('backend')).podUid).not.toBe(first.podUid);
    expect(await deployed('ConfigMap', 'backend-extra')).toBeUndefined();

    // One that the project names no more goes with it.
    shop.write('apps/worker/slipway.yaml', helmConfig.slice(0, helmConfig.indexOf('    - name: packaged')));
    await nx('k8s-deploy', 'worker');
    expect(await helmList()).toEqual(['backend']);

    await nx('k8s-delete', 'worker');
    expect(await helmList()).toEqual([]);
    expect(await shop.objects()).toEqual([]);
  });

  it('without its tool a project says which one it needs', async () => {
    const ended = await shop.slipway(['deploy', 'worker', '--json', ...shop.where], { exitCode: 2, env: { PATH: pathWithout() } });
    expect(ended.stdout).toContain('"helmMissing"');
  });
});

/** Node, and nothing else that a deploy needs. */
function pathWithout(): string {
  return process.execPath.replace(/\/[^/]*$/, '');
}
