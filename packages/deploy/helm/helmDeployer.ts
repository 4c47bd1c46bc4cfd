import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import type { KubeObject } from '../../clients';
import { failed, messageOf, succeeded, type HelmSource, type Problem, type Result } from '../../model';
import type { DeployContext, Deployer } from '../deployer';
import { readManifests, type ManifestText } from '../kubectl/manifest';
import { annotations } from '../ownership';
import { placesInChart, templatePath } from './chartPlaces';
import { helm, type HelmCommand } from './helm';
import { helmValues } from './helmValues';
import { postRendererArgs, type PostRendering } from './postRendererArgs';

/**
 * Charts, installed by helm itself: the release stands in `helm list`, and its hooks run. What helm would install is asked for first, so
 * that it can be tried like any other manifest, and exactly that is installed then: helm hands its objects to a post-renderer, which answers
 * with those that were tried, with images, labels and annotations in them. Failures: `helmMissing`, `helmFailed`.
 */
export const helmDeployer: Deployer<HelmSource> = {
  async manifests(source, context) {
    const installed = await installedManifest(source, context);
    if (!installed.ok) return installed;
    if (installed.value !== undefined) {
      return succeeded(manifestsIn(installed.value, source, context).map((manifest) => ({ ...manifest, installed: true })));
    }
    const updated = await updateDependencies(source, context);
    if (!updated.ok) return updated;
    const answered = context.cluster ? await askCluster(source, context) : await template(source, context);
    if (!answered.ok) return answered;
    return succeeded(manifestsIn(answered.value, source, context));
  },

  async install(source, objects, context) {
    const folder = await mkdtemp(join(tmpdir(), 'slipway-helm-'));
    try {
      const postRendering = await postRendererArgs(folder, withFingerprint(objects, chartFingerprint(source, context)), context);
      if (!postRendering.ok) return postRendering;
      const ran = await upgrade(source, context, postRendering.value);
      return ran.ok ? succeeded(undefined) : ran;
    } catch (error) {
      return failed({
        code: 'helmFailed',
        message: `helm release ${source.name} cannot be prepared: ${messageOf(error)}`,
        retry: 'afterDelay',
        exitCode: 1,
      });
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

function namespaceOf(source: HelmSource, { namespace }: DeployContext): string {
  return source.namespace ?? namespace;
}

/**
 * What is installed, when it was made from the chart, values and images of now: a chart may make something else of them each time, and a new
 * revision would be one for nothing.
 */
async function installedManifest(source: HelmSource, context: DeployContext): Promise<Result<string | undefined>> {
  if (!context.cluster) return succeeded(undefined);
  const args = ['status', source.name, '--namespace', namespaceOf(source, context), '--output', 'json'];
  const ran = await helm({ ...context, args });
  if (!ran.ok) return ran;
  if (ran.value.exitCode !== 0) return succeeded(undefined);
  try {
    const { info, manifest = '' } = JSON.parse(ran.value.stdout) as {
      readonly info?: { readonly status?: string };
      readonly manifest?: string;
    };
    return succeeded(info?.status === 'deployed' && isOfNow(manifest, source, context) ? manifest : undefined);
  } catch {
    // What cannot be read is installed anew.
    return succeeded(undefined);
  }
}

function isOfNow(manifest: string, source: HelmSource, context: DeployContext): boolean {
  const wanted = chartFingerprint(source, context);
  const installed = readManifests([{ path: source.name, text: manifest }]).objects.map(({ object }) => object);
  return (
    installed.length > 0 &&
    installed.every(({ metadata }) => {
      const { [annotations.chart]: fingerprint, [annotations.images]: images = '{}' } = metadata.annotations ?? {};
      const ran = Object.entries(JSON.parse(images) as DeployContext['images']);
      return fingerprint === wanted && ran.every(([artifact, image]) => isDeepStrictEqual(image, context.images[artifact]));
    })
  );
}

/**
 * What an installation is made from: chart and settings, the values that say which images there are, and which names its templates could
 * say for one. An image that a template names is written down with the object.
 */
function chartFingerprint(source: HelmSource, context: DeployContext): string {
  const { args, input } = helmValues(source, context);
  const names = Object.keys(context.images)
    .sort()
    .map((artifact) => context.imageNames[artifact]);
  const parts = [context.chartFingerprints[source.name], args, input, names];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}

function withFingerprint(objects: readonly KubeObject[], fingerprint: string): readonly KubeObject[] {
  return objects.map((object) => ({
    ...object,
    metadata: { ...object.metadata, annotations: { ...object.metadata.annotations, [annotations.chart]: fingerprint } },
  }));
}

/** What helm makes of a chart for this cluster and for what is installed there now: `lookup` answers, secrets that were made once stay. */
async function askCluster(source: HelmSource, context: DeployContext): Promise<Result<string>> {
  const ran = await upgrade(source, context, { args: ['--dry-run=server', '--output', 'json'] });
  if (!ran.ok) {
    // The chart brings the definition of a kind that it uses: the cluster knows it only once the chart is installed.
    const isUnknownKind = /no matches for kind|ensure CRDs are installed first/.test(ran.problem.detail ?? '');
    return isUnknownKind ? template(source, context) : ran;
  }
  try {
    const release = JSON.parse(ran.value) as { readonly manifest?: unknown };
    return succeeded(typeof release.manifest === 'string' ? release.manifest : '');
  } catch (error) {
    return failed(helmFailed(source, context, `its answer cannot be read: ${messageOf(error)}`));
  }
}

async function upgrade(source: HelmSource, context: DeployContext, more: Partial<PostRendering>): Promise<Result<string>> {
  const values = helmValues(source, context);
  const args = [
    'upgrade',
    source.name,
    '--install',
    ...chartArgs(source),
    '--namespace',
    namespaceOf(source, context),
    ...(source.createNamespace ? ['--create-namespace'] : []),
    // What is deployed depends on the files alone, not on what was set once.
    '--reset-values',
    ...(source.wait ? ['--wait'] : []),
    ...(source.timeoutMs === undefined ? [] : ['--timeout', `${source.timeoutMs}ms`]),
    ...values.args,
    ...(more.args ?? []),
  ];
  return run(source, context, { args, input: values.input, ...(more.env && { env: more.env }) });
}

/** What helm makes of a chart without asking a cluster. */
async function template(source: HelmSource, context: DeployContext): Promise<Result<string>> {
  const values = helmValues(source, context);
  const args = ['template', source.name, ...chartArgs(source), '--namespace', namespaceOf(source, context), '--no-hooks', ...values.args];
  return run(source, { ...context, cluster: undefined }, { args, input: values.input });
}

function chartArgs({ chart, version }: HelmSource): readonly string[] {
  const of = version === undefined ? [] : ['--version', version];
  switch (chart.kind) {
    case 'local':
      return [`./${chart.path}`, ...of];
    case 'remote':
      return [
        chart.name,
        ...(chart.repo === undefined ? [] : ['--repo', chart.repo]),
        ...(chart.plainHttp === true ? ['--plain-http'] : []),
        ...of,
      ];
  }
}

/** Puts the charts that a chart names into its `charts/`; one from a folder of the workspace is packed anew each time. */
async function updateDependencies(source: HelmSource, context: DeployContext): Promise<Result<void>> {
  const { chart } = source;
  if (chart.kind !== 'local' || !chart.hasDependencies) return succeeded(undefined);
  const ran = await run(source, { ...context, cluster: undefined }, { args: ['dependency', 'build', `./${chart.path}`, '--skip-refresh'] });
  return ran.ok ? succeeded(undefined) : ran;
}

async function run(
  source: HelmSource,
  context: DeployContext,
  request: Pick<HelmCommand, 'args' | 'input' | 'env'>,
): Promise<Result<string>> {
  const ran = await helm({ ...context, ...request });
  if (!ran.ok) return ran;
  const { exitCode, stdout, stderr } = ran.value;
  // helm 4 says first what it has pulled.
  return exitCode === 0 ? succeeded(stdout.replace(/^Pulled: .*\nDigest: .*\n/, '')) : failed(helmFailed(source, context, stderr));
}

/** Each template's output by itself, with where the template and its values have what is in it. */
function manifestsIn(text: string, source: HelmSource, context: DeployContext): readonly ManifestText[] {
  const namespace = namespaceOf(source, context);
  return text.split(/^---$/m).flatMap((part) => {
    if (part.trim() === '') return [];
    const named = /^# Source: ([^\s]+)$/m.exec(part)?.[1];
    return [
      { path: templatePath(source, named), text: part, placeOf: placesInChart(source, context, named), part: source.name, namespace },
    ];
  });
}

function helmFailed(source: HelmSource, context: DeployContext, stderr: string): Problem {
  const lines = stderr.split('\n').filter((line) => line.trim() !== '' && !/^(WARNING|coalesce\.go|walk\.go|warning:)/i.test(line));
  const [first = 'it gives no reason', ...more] = lines.map((line) => line.replace(/^Error: /, '').trim());
  // What has failed stands below, a line for each.
  const said = first.replace(/\d+ errors? occurred:$/, (count) => more.map((line) => line.replace(/^\* /, '')).join('; ') || count);
  const place = chartPlace(source, stderr);
  return {
    code: 'helmFailed',
    message: `helm release ${source.name}: ${said}`,
    hint: hintOf(source, namespaceOf(source, context), stderr),
    retry: /connection refused|timed out|i\/o timeout|EOF|another operation/.test(stderr) ? 'afterDelay' : 'whenInputChanges',
    exitCode: 1,
    detail: stderr,
    ...(place && { location: place }),
  };
}

/** `parse error at (chart/templates/x.yaml:3)`, `template: chart/templates/x.yaml:3:5:` */
function chartPlace({ chart }: HelmSource, stderr: string): Problem['location'] {
  const found = /[\w.-]+\/(templates\/[\w./-]+\.(?:ya?ml|tpl|txt)):(\d+)(?::(\d+))?/.exec(stderr);
  if (!found || chart.kind !== 'local') return undefined;
  const [, inside = '', line, column] = found;
  return { file: `${chart.path}/${inside}`, line: Number(line), ...(column !== undefined && { column: Number(column) }) };
}

function hintOf({ name, chart, wait }: HelmSource, namespace: string, stderr: string): string {
  const job = /\bjob (\S+) failed/.exec(stderr)?.[1];
  if (job !== undefined) return `mend what it says: kubectl logs job/${job} --namespace ${namespace}`;
  if (wait && /deadline exceeded|timed out waiting/.test(stderr))
    return 'leave out wait: then Slipway waits for what helm installed, and tells what keeps it; or give it a longer timeout';
  if (/another operation .* is in progress/.test(stderr))
    return `an earlier helm was ended in the middle: helm rollback ${name}, or helm uninstall ${name} when nothing of it was ever deployed`;
  if (/invalid ownership metadata/.test(stderr))
    return 'somebody else made an object of that name: delete it, or give the one of the chart another name';
  if (/namespaces? .* not found/.test(stderr)) return 'set createNamespace: true in slipway.yaml, or make the namespace';
  if (chart.kind === 'remote') return 'check chart, repo and version in slipway.yaml; helm repo update may be due';
  return `see what helm makes of it: helm template ${name} ${chart.path}`;
}
