import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { pack } from 'tar-stream';
import { buffer } from 'node:stream/consumers';
import type { HelmSource } from '../../model';
import { helmSource } from '../../testkit/helmSource';
import { placesInChart } from './chartPlaces';

const deployment = `{{- /* What runs.
  In two lines. */ -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "web.fullname" . }}-main
spec:
  {{- if not .Values.autoscaling.enabled }}
  replicas: {{ .Values.replicas }}
  {{- end }}
  template:
    spec:
      containers:
        - name: {{ .Chart.Name }}
          image: "{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}"
          command: [sleep, '3600']
          {{- with .Values.livenessProbe }}
          livenessProbe:
            {{- toYaml . | nindent 12 }}
          {{- end }}
          resources:
            {{- toYaml .Values.resources | nindent 12 }}
          env:
            - {name: COLOUR, value: {{ .Values.colour | quote }}}
            {{- range .Values.env }}
            - name: {{ .name }}
              value: {{ .value }}
            {{- end }}
        - name: proxy
          image: proxy:1
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: other}
spec: {replicas: 3}
`;
const values = `replicas: 1
image:
  repository: web
  tag: ''
colour: red
resources:
  limits:
    memory: 64Mi
livenessProbe:
  httpGet: {path: /live}
cache:
  size: 2
global:
  zone: a
`;
const subTemplate = `apiVersion: v1
kind: ConfigMap
metadata: {name: cache}
data:
  size: {{ .Values.size }}
  own: {{ .Values.own }}
  zone: {{ .Values.global.zone }}
`;

const files = {
  'chart/Chart.yaml': 'apiVersion: v2\nname: web\ndependencies: [{name: cache, repository: "file://../cache", version: 1.0.0}]\n',
  'chart/values.yaml': values,
  'chart/templates/deployment.yaml': deployment,
  'cache/Chart.yaml': 'apiVersion: v2\nname: cache\n',
  'cache/values.yaml': 'size: 1\nown: 5\n',
  'cache/templates/map.yaml': subTemplate,
  'dev.yaml': '# Ours.\nimage: {tag: dev}\nresources: {limits: {memory: 32Mi}}\n',
};

const source: HelmSource = {
  ...helmSource,
  name: 'web',
  chart: { kind: 'local', path: 'chart', hasDependencies: true },
  valuesFiles: ['dev.yaml'],
};

describe('what a chart has made', () => {
  let root = '';
  beforeAll(async () => {
    root = mkdtempSync(join(tmpdir(), 'slipway-chart-'));
    for (const [file, text] of Object.entries(files)) {
      mkdirSync(dirname(join(root, file)), { recursive: true });
      writeFileSync(join(root, file), text);
    }
    const packed = pack();
    for (const [file, text] of Object.entries(files))
      if (file.startsWith('chart/')) packed.entry({ name: file.replace(/^chart/, 'web') }, text);
    packed.finalize();
    writeFileSync(join(root, 'web-1.0.0.tgz'), gzipSync(await buffer(packed)));
  });
  afterAll(() => rmSync(root, { recursive: true }));

  const place = (fieldPath: string | undefined, more: Partial<HelmSource> = {}, part?: 'key' | 'value', name = 'release-web-main') => {
    const { file, line } = placesInChart({ ...source, ...more }, { root }, 'web/templates/deployment.yaml')(
      { kind: 'Deployment', name },
      fieldPath,
      part,
    );
    return `${file}:${line ?? ''}`;
  };
  const container = 'spec.template.spec.containers[name="web"]';

  test.each([
    ['the object itself, in its document', undefined, 'chart/templates/deployment.yaml:3'],
    ['what the template says itself', `${container}.command`, 'chart/templates/deployment.yaml:16'],
    ['a value that files of values have, the last one first', `${container}.resources.limits.memory`, 'dev.yaml:3'],
    ['a value of the chart alone, inside a condition', 'spec.replicas', 'chart/values.yaml:1'],
    ['one of two values of a text', `${container}.image`, 'chart/values.yaml:3'],
    ['below a `with`', `${container}.livenessProbe.httpGet.path`, 'chart/values.yaml:10'],
    ['in a list in one line', `${container}.env[name="COLOUR"].value`, 'chart/values.yaml:5'],
    ['in a loop', `${container}.env[name="SIZE"].value`, 'chart/templates/deployment.yaml:27'],
    [
      'a container beside one whose name is not known',
      'spec.template.spec.containers[name="proxy"].image',
      'chart/templates/deployment.yaml:30',
    ],
    ['what nobody wrote, at what is around it', 'spec.template.spec.tolerations', 'chart/templates/deployment.yaml:12'],
  ])('is found: %s', (_, fieldPath, wanted) => expect(place(fieldPath)).toBe(wanted));

  it('has its keys in the template, and what slipway.yaml sets in none of the files of values', () => {
    expect(place('spec.replicas', {}, 'key')).toBe('chart/templates/deployment.yaml:9');
    expect(place('spec.replicas', { setValues: { replicas: 2 } })).toBe('chart/templates/deployment.yaml:9');
    expect(place(`${container}.resources.limits.memory`, { values: { resources: { limits: {} } } })).toBe(
      'chart/templates/deployment.yaml:21',
    );
    expect(place('spec.replicas', {}, 'value', 'other')).toBe('chart/templates/deployment.yaml:35');
  });

  it('is found in a package', () => {
    const chart = { kind: 'local', path: 'web-1.0.0.tgz', hasDependencies: false } as const;
    expect(place(`${container}.command`, { chart })).toBe('web-1.0.0.tgz/templates/deployment.yaml:16');
    expect(place('spec.replicas', { chart })).toBe('web-1.0.0.tgz/values.yaml:1');
    expect(place(`${container}.resources.limits.memory`, { chart })).toBe('dev.yaml:3');
  });

  it('of a chart that is somewhere else has the name of its template', () => {
    expect(place('spec.replicas', { chart: { kind: 'remote', name: 'oci://x/web' } })).toBe('web/templates/deployment.yaml:');
  });

  it('of a chart below is found beside it, and its values in those of the chart above', () => {
    const at = (field: string) => {
      const { file, line } = placesInChart(
        source,
        { root },
        'web/charts/cache/templates/map.yaml',
      )({ kind: 'ConfigMap', name: 'cache' }, `data.${field}`);
      return `${file}:${line ?? ''}`;
    };
    expect(['size', 'own', 'zone'].map(at)).toEqual(['chart/values.yaml:12', 'cache/values.yaml:2', 'chart/values.yaml:14']);
  });
});
