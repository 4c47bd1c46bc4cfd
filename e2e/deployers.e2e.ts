import { rmSync } from 'node:fs';
import { delimiter } from 'node:path';
import { parseAllDocuments } from 'yaml';
import type { KubeObject } from '../clients';
import { deployTools, pathWithDeployTools } from './deployTools';
import { valueOf } from './localRegistry';
import { runCommand } from './runCommand';
import { Shop } from './shop';

const readable = (text: string) => text.replace(/^\n/, '');

const overlay = readable(`
namePrefix: dev-
resources: [../../base]
patches: [{path: replicas.yaml}]
configMapGenerator: [{name: site, literals: [COLOUR=blue]}]
`);

const settings = (word: string) => `apiVersion: v1\nkind: ConfigMap\nmetadata: {name: settings}\ndata: {A: ${word}}\n`;

const deploymentOf = (name: string, container = '') =>
  readable(`
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}}
spec:
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec:
      terminationGracePeriodSeconds: 0
      containers:
        - {name: ${name}, image: 'redis:7-alpine', command: [sleep, '3600']${container}}
`);

/** A project that is deployed in every way at once. Its overlay reads a file that is not below it, which kustomize has to be told to do. */
const mixed: Readonly<Record<string, string>> = {
  'project.json': '{"name": "mixed"}',
  'slipway.yaml': readable(`
version: 1
manifests: [plain]
kustomize: {paths: [overlays/dev], buildArgs: [--load-restrictor, LoadRestrictionsNone]}
helm: {releases: [{name: charted, chartPath: chart, setValueTemplates: {colour: "\${COLOUR}"}}]}
profiles:
  prod: {kustomize: {paths: [overlays/prod]}}
`),
  'plain/all.yaml': `${settings('one')}---\n${settings('one').replace('name: settings', 'name: extra')}`,
  'base/based.yaml': deploymentOf('based'),
  'base/kustomization.yaml': 'resources: [based.yaml]\n',
  'shared.txt': 'shared',
  'overlays/dev/kustomization.yaml':
    'resources: [../../base]\nnamePrefix: dev-\nconfigMapGenerator: [{name: site, literals: [A=b], files: [../../shared.txt]}]\n',
  'overlays/prod/kustomization.yaml': 'resources: [../../base]\nnamePrefix: prod-\nreplicas: [{name: based, count: 2}]\n',
  'chart/Chart.yaml': 'apiVersion: v2\nname: charted\nversion: 0.1.0\n',
  'chart/values.yaml': 'colour: none\nextra: true\n',
  'chart/templates/deployment.yaml': deploymentOf(
    '{{ .Release.Name }}',
    ', env: [{name: COLOUR, value: {{ .Values.colour }}}], envFrom: [{configMapRef: {name: settings}}]',
  ),
  'chart/templates/maps.yaml': readable(`
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}}
data: {random: {{ randAlpha 8 }}}
{{- if .Values.extra }}
---
apiVersion: v1
kind: ConfigMap
metadata: {name: {{ .Release.Name }}-extra}
data: {A: b}
{{- end }}
`),
};

describe('deployers', () => {
  const shop = new Shop();
  let path = '';
  let helm = '';
  const nx = (target: string, project: string) => shop.nx(['run', `${project}:${target}`, ...shop.where], { env: { PATH: path } });
  beforeAll(async () => {
    await shop.open();
    helm = await pathWithDeployTools(shop.path('.tools/helm'), [deployTools.helm]);
    path = `${await pathWithDeployTools(shop.path('.tools/kustomize'), [deployTools.kustomize])}${delimiter}${helm}`;
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

    // What is written into a file is what was applied: with the image, and from the same fingerprint.
    shop.write('made/web.yaml', '# more than there will be\n'.repeat(10_000));
    for (const file of ['made/web.yaml', 'made/for/it/web.yaml']) {
      const told = await shop.nx(['run', 'web:k8s-render', `--output=${file}`, ...shop.where], { env: { PATH: path } });
      expect(told.stdout).toContain(`wrote 3 objects of web to ${shop.path(file)}\n`);
      const objects = parseAllDocuments(shop.read(file)).map((document) => document.toJS() as KubeObject);
      expect(objects.map(({ kind }) => kind)).toEqual(['ConfigMap', 'Service', 'Deployment']);
      for (const { apiVersion, kind, metadata, ...rest } of objects) {
        const { name = '', namespace = '' } = metadata;
        expect(valueOf(await shop.kube.get({ apiVersion, kind, name, namespace }))).toMatchObject({ ...rest, kind, metadata });
      }
    }
    const unwritable = await shop.slipway(['render', 'web', '--output=apps', ...shop.where], { env: { PATH: path }, exitCode: 2 });
    expect(unwritable.stderr).toContain('/apps cannot be written [outputNotWritten]');

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

  it('plain manifests, an overlay and a chart are one project: rendered, applied, changed and pruned each by itself, and deleted together', async () => {
    for (const [file, text] of Object.entries(mixed)) shop.write(`infra/mixed/${file}`, text);
    const slipway = async (args: readonly string[], PATH = path) =>
      (await shop.slipway([...args, ...shop.where], { env: { PATH, COLOUR: 'red' } })).stdout;
    const objects = async () => (await shop.objects()).filter((object) => !/^(Pod|Secret|ReplicaSet)/.test(object)).sort();
    const madeUp = async () =>
      valueOf(await shop.kube.get({ apiVersion: 'v1', kind: 'ConfigMap', name: 'charted', namespace: shop.namespace }))?.['data'];
    const revision = async () => {
      const { stdout } = await runCommand({
        command: 'helm',
        args: ['list', '--namespace', shop.namespace, '--output', 'json'],
        cwd: shop.root,
        env: { PATH: helm },
      });
      return (JSON.parse(stdout) as readonly { readonly revision: string }[]).map((release) => Number(release.revision));
    };

    // What the binary of its own makes and what the one inside kubectl makes is the same.
    const rendered = await slipway(['render', 'mixed']);
    expect(rendered).toMatch(/name: dev-based\n[\s\S]*name: charted\n/);
    const withoutRandom = (text: string) => text.replace(/random: .*/g, '');
    expect(withoutRandom(await slipway(['render', 'mixed'], helm))).toBe(withoutRandom(rendered));

    await slipway(['deploy', 'mixed']);
    const charted = ['ConfigMap/charted', 'ConfigMap/charted-extra', 'Deployment/charted'];
    const site = (await objects()).find((object) => object.startsWith('ConfigMap/dev-site-')) ?? '';
    const plain = ['ConfigMap/extra', 'ConfigMap/settings'];
    expect(await objects()).toEqual([...charted, site, ...plain, 'Deployment/dev-based'].sort());
    const first = await madeUp();
    const { pod } = await shop.onlyOne('charted');
    expect(await shop.inside('charted', pod, ['sh', '-c', 'echo $COLOUR $A'])).toBe('red one\n');

    // A chart is none of what else changes, and so keeps what it made up: but its pods read a ConfigMap that stands beside it.
    shop.edit('infra/mixed/overlays/dev/kustomization.yaml', 'A=b', 'A=c');
    expect(await slipway(['deploy', 'mixed'])).toMatch(
      /applied to \S+: configmap\/dev-site-\S+; removed, as no manifest has it: configmap\/dev-site-/,
    );
    expect([(await shop.onlyOne('charted')).pod, ...(await revision())]).toEqual([pod, 1]);
    shop.edit('infra/mixed/plain/all.yaml', 'A: one', 'A: two');
    await slipway(['deploy', 'mixed']);
    const { pod: next } = await shop.onlyOne('charted');
    expect(await shop.inside('charted', next, ['sh', '-c', 'echo $COLOUR $A'])).toBe('red two\n');
    expect(await madeUp()).toEqual(first);
    expect(await slipway(['deploy', 'mixed'])).toMatch(/nothing changed/);
    expect(await revision()).toEqual([2]);

    // One of each is left out, and a profile takes another overlay.
    shop.write('infra/mixed/plain/all.yaml', settings('two'));
    shop.edit('infra/mixed/chart/values.yaml', 'extra: true', 'extra: false');
    await slipway(['deploy', 'mixed', '--profile=prod']);
    expect(await objects()).toEqual(['ConfigMap/charted', 'ConfigMap/settings', 'Deployment/charted', 'Deployment/prod-based']);
    expect(await shop.running('based')).toHaveLength(2);

    await slipway(['delete', 'mixed']);
    expect(await shop.objects()).toEqual([]);
    expect(await revision()).toEqual([]);
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
