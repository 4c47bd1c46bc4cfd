import { randomUUID } from 'node:crypto';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFileSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import type { Problem } from '../model';
import { type DeployTool, pathWithDeployTools } from './deployTools';
import { localRegistry, valueOf } from './localRegistry';
import { objectsIn } from './objectsIn';
import { runCommand } from './runCommand';
import { Shop } from './shop';

const readable = (text: string) => text.replace(/^\n/, '');

const chart: Readonly<Record<string, string>> = {
  'Chart.yaml': 'apiVersion: v2\nname: worker\nversion: 0.1.0\n',
  'values.yaml': 'image: {repository: nobody/has-it, tag: none}\ngreeting: Welcome\nextra: true\nreplicas: 1\n',
  'templates/_image.tpl': readable(`
{{- define "image" -}}
{{- with .Values.wholeImage }}{{ . }}{{ else -}}
{{ with .Values.image.registry }}{{ . }}/{{ end }}{{ .Values.image.repository }}:{{ .Values.image.tag }}
{{- end }}
{{- end }}
`),
  'templates/deployment.yaml': readable(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: {{ .Release.Name }}}
spec:
  replicas: {{ .Values.replicas }}
  selector: {matchLabels: {app: {{ .Release.Name }}}}
  template:
    metadata: {labels: {app: {{ .Release.Name }}}}
    spec:
      terminationGracePeriodSeconds: 1
      containers:
        - name: worker
          image: {{ include "image" . }}
          env: [{name: GREETING, value: {{ .Values.greeting | quote }}}]
          {{- with .Values.settings }}
          envFrom:
            {{- toYaml . | nindent 12 }}
          {{- end }}
`),
  'templates/service.yaml': readable(`
apiVersion: v1
kind: Service
metadata: {name: {{ .Release.Name }}}
spec:
  selector: {app: {{ .Release.Name }}}
  ports: [{name: http, port: 80, targetPort: 3000}]
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
        - {name: migrate, image: {{ include "image" . }}, command: [node, -e, ""]}
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
      images: {wholeImage: worker}
      imageStrategy: fqn
`);

interface Deployed {
  readonly data: Readonly<Record<string, string>>;
  readonly spec: { readonly template: { readonly spec: { readonly containers: readonly { readonly image: string }[] } } };
}

interface Values {
  readonly wholeImage?: string;
  readonly image: { readonly registry?: string; readonly repository: string; readonly tag: string };
}

function whole({ registry, repository, tag }: Values['image']): string {
  return `${registry === undefined ? '' : `${registry}/`}${repository}:${tag}`;
}

/** Charts of the workspace, packaged ones, and those of repositories, by one version of helm. */
export function playCharts(helm: DeployTool): void {
  const shop = new Shop();
  let path = '';
  let repository: Server | undefined;
  const run = (command: string, args: readonly string[]) => runCommand({ command, args, cwd: shop.root, env: { PATH: path } });
  const nx = (target: string, project: string) => shop.nx(['run', `${project}:${target}`, ...shop.where], { env: { PATH: path } });
  const otherNamespace = () => `${shop.namespace}-charts`;
  const helmList = async (namespace = shop.namespace) =>
    (await run('helm', ['list', '--short', '--namespace', namespace])).stdout.split('\n').filter((name) => name !== '');
  const valuesOf = async (name: string, namespace = shop.namespace): Promise<Values> =>
    JSON.parse((await run('helm', ['get', 'values', name, '--namespace', namespace, '--output', 'json'])).stdout) as Values;
  const deployed = async (kind: string, name: string, namespace = shop.namespace): Promise<Deployed | undefined> =>
    valueOf(await shop.kube.get({ apiVersion: kind === 'Deployment' ? 'apps/v1' : 'v1', kind, name, namespace })) as Deployed | undefined;
  const refused = async (exitCode: number): Promise<readonly Pick<Problem, 'code' | 'location'>[]> => {
    const { stdout } = await shop.slipway(['deploy', 'worker', '--json', ...shop.where], { env: { PATH: path }, exitCode });
    return (JSON.parse(stdout.trimEnd().split('\n').at(-1) ?? '') as { readonly problems: readonly Problem[] }).problems;
  };

  beforeAll(async () => {
    await shop.open();
    path = await pathWithDeployTools(shop.path('.tools'), [helm]);
    shop.devEnv = { PATH: path };
  });
  afterAll(async () => {
    repository?.close();
    await shop.kube.delete({ apiVersion: 'v1', kind: 'Namespace', name: otherNamespace() });
    await shop.close();
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
    const values = await valuesOf('backend');
    expect(values).toMatchObject({ greeting: word });
    expect(whole(values.image)).toBe(imageOf(await deployed('Deployment', 'backend')));
    expect((await valuesOf('packaged')).wholeImage).toBe(imageOf(await deployed('Deployment', 'packaged')));

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

    // What is wrong is told where it stands: a field in its template, what the template was given in the file of values.
    const mend = shop.edit('apps/worker/chart/templates/deployment.yaml', 'env: [', 'envs: [');
    expect(await refused(2)).toMatchObject([
      { code: 'manifestInvalid', location: { file: 'apps/worker/chart/templates/deployment.yaml', line: 14 } },
    ]);
    mend();
    shop.write('apps/worker/values.dev.yaml', 'greeting: changed\nextra: false\nsettings:\n  - configMapRef: {name: nowhere}\n');
    expect(await refused(1)).toMatchObject([{ code: 'configMissing', location: { file: 'apps/worker/values.dev.yaml', line: 4 } }]);
    // helm itself waits where it is told to, no longer than it is given, and is ready for another try then.
    const noMore = shop.edit('apps/worker/slipway.yaml', 'timeout: 120', 'timeout: 3\n      wait: true');
    expect(await refused(1)).toMatchObject([{ code: 'helmFailed', hint: expect.stringMatching(/leave out wait/) as string }]);
    noMore();

    // One that the project names no more goes with it.
    shop.write('apps/worker/values.dev.yaml', 'greeting: changed\nextra: false\n');
    shop.write('apps/worker/slipway.yaml', helmConfig.slice(0, helmConfig.indexOf('    - name: packaged')));
    await nx('k8s-deploy', 'worker');
    expect(await helmList()).toEqual(['backend']);

    await nx('k8s-delete', 'worker');
    expect(await helmList()).toEqual([]);
    expect(await shop.objects()).toEqual([]);

    // Nobody has named its Service, and no manifest has it.
    const dev = shop.dev('worker', '--no-logs');
    await dev.answer('worker', '/healthz', 'ok');
    expect(await dev.interrupt()).toBe(0);
    expect(await helmList()).toEqual([]);
    expect(await shop.objects()).toEqual([]);
  });

  it('charts of a repository and of a registry are installed each in its namespace, with values of files and of templates', async () => {
    for (const [file, text] of Object.entries(chart)) shop.write(`apps/worker/chart/${file}`, text);
    const folder = shop.path('apps/worker/packaged');
    await run('helm', ['package', 'apps/worker/chart', '--destination', folder]);
    repository = await serve(folder);
    const address = `http://127.0.0.1:${(repository.address() as AddressInfo).port}`;
    const registry = `${await localRegistry(shop.kube)}/${shop.namespace}`;
    await run('helm', ['repo', 'index', folder, '--url', address]);
    await run('helm', ['push', `${folder}/worker-0.1.0.tgz`, `oci://${registry}`, '--plain-http']);
    shop.write('apps/worker/greeting.txt', 'from a file, with commas');
    shop.write('apps/worker/slipway.yaml', remoteConfig({ address, registry, namespace: otherNamespace() }));
    rmSync(shop.path('apps/worker/chart'), { recursive: true });

    const rendered = await shop.slipway(['render', 'worker', '--offline', ...shop.where], { env: { PATH: path } });
    expect(rendered.stdout).toMatch(/name: GREETING\n +value: from a file, with commas/);
    await shop.slipway(['deploy', 'worker', ...shop.where], { env: { PATH: path } });
    expect(await helmList()).toEqual(['from-repository']);
    expect(await helmList(otherNamespace())).toEqual(['from-registry']);
    const [pod] = await shop.running('from-repository');
    expect(await shop.inside('worker', pod?.pod ?? '', ['sh', '-c', 'echo $GREETING'])).toBe('from a file, with commas\n');
    const image = imageOf(await deployed('Deployment', 'from-repository'));
    expect(imageOf(await deployed('Deployment', 'from-registry', otherNamespace()))).toBe(image);
    // Values of each kind have arrived as they were said, beside the parts of the image.
    const fromRepository = await valuesOf('from-repository');
    expect(fromRepository).toMatchObject({ greeting: 'from a file, with commas', extra: false });
    expect(whole(fromRepository.image)).toBe(image);
    const fromRegistry = await valuesOf('from-registry', otherNamespace());
    expect(fromRegistry).toMatchObject({ greeting: 'nobody', replicas: 2 });
    expect(whole(fromRegistry.image)).toBe(image);

    // What is not there is told once, in helm's words, and with where to look.
    const mend = shop.edit('apps/worker/slipway.yaml', 'version: 0.1.0', 'version: 9.9.9');
    expect(await refused(1)).toMatchObject([
      { code: 'helmFailed', hint: expect.stringMatching(/^check chart, repo and version/) as string },
    ]);
    mend();

    await shop.slipway(['delete', 'worker', ...shop.where], { env: { PATH: path } });
    expect([...(await helmList()), ...(await helmList(otherNamespace()))]).toEqual([]);
    expect(await objectsIn(shop.kube, otherNamespace())).toEqual([]);
  });
}

function remoteConfig({
  address,
  registry,
  namespace,
}: {
  readonly address: string;
  readonly registry: string;
  readonly namespace: string;
}): string {
  return readable(`
version: 1
helm:
  releases:
    - name: from-repository
      chart: worker
      repo: ${address}
      version: 0.1.0
      setFiles: {greeting: greeting.txt}
      values: {extra: false}
      images: {image: worker}
      imageStrategy: registry+repository+tag
    - name: from-registry
      chart: oci://${registry}/worker
      plainHttp: true
      version: 0.1.0
      namespace: ${namespace}
      createNamespace: true
      wait: true
      skipTests: true
      setValues: {replicas: 2}
      setValueTemplates: {image.repository: "\${IMAGE_REPO}", image.tag: "\${IMAGE_TAG}@\${IMAGE_DIGEST}", greeting: "\${TEAM:-nobody}"}
`);
}

function imageOf(deployment: Deployed | undefined): string | undefined {
  return deployment?.spec.template.spec.containers[0]?.image;
}

/** The files of a folder, on a port of this machine. */
function serve(folder: string): Promise<Server> {
  const server = createServer((request, response) => {
    try {
      response.end(readFileSync(join(folder, basename(request.url ?? ''))));
    } catch {
      response.writeHead(404).end();
    }
  });
  return new Promise((resolve) => server.listen(0, '127.0.0.1', () => resolve(server)));
}
