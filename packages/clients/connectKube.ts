import { PassThrough } from 'node:stream';
import { type Problem, type Result, failed, succeeded, usualFieldManager } from '../model';
import type { KindRef, Kube, KubeObject, ObjectRef } from './kube';
import { kubeLogin } from './kubeCredentials';
import { type KubeconfigOptions, loadKubeconfig } from './kubeconfig';
import { openExec } from './kubeExec';
import { type KubeHttp, kubeHttp } from './kubeHttp';
import { openPortForward } from './kubePortForward';
import { type KubeResources, kubeResources, versionPath } from './kubeResources';
import { listObjects, watchObjects } from './kubeWatch';

/** Reads the kubeconfig and pins its context. The cluster is not asked anything yet; `version` tells whether it answers. */
export function connectKube(options: KubeconfigOptions = {}): Promise<Result<Kube>> {
  const pinned = loadKubeconfig(options);
  return Promise.resolve(pinned.ok ? succeeded(kubeOf(kubeHttp(pinned.value.target, kubeLogin(pinned.value)))) : pinned);
}

function kubeOf(http: KubeHttp): Kube {
  const { target } = http;
  const resources = kubeResources(http);
  const paths = objectPaths(http, resources);
  return {
    target,
    async version() {
      const answer = await http.json({ method: 'GET', path: '/version', subject: 'the version' });
      return answer.ok ? succeeded((answer.value as { gitVersion: string }).gitVersion) : answer;
    },
    apply: (object, applyOptions = {}) => applyObject(http, paths, object, applyOptions),
    async get(ref) {
      const path = await paths.object(ref);
      if (!path.ok) return path.problem.code === 'kindUnknown' ? succeeded(undefined) : path;
      const answer = await http.json({ method: 'GET', path: path.value, subject: nameOf(ref) });
      if (answer.ok) return succeeded(answer.value as KubeObject);
      return isNotThere(answer.problem, ref) ? succeeded(undefined) : answer;
    },
    async list(kind, listOptions = {}) {
      const path = await paths.collection(kind, listOptions.namespace);
      if (!path.ok) return path;
      const { limit } = listOptions;
      const listed = await listObjects(http, {
        kind,
        path: path.value,
        query: selectors(listOptions),
        ...(limit !== undefined && { limit }),
      });
      return listed.ok ? succeeded(listed.value.objects) : listed;
    },
    async delete(ref, { gracePeriodSeconds, propagation = 'Background' } = {}) {
      const path = await paths.object(ref);
      if (!path.ok) return path.problem.code === 'kindUnknown' ? succeeded(undefined) : path;
      const body = JSON.stringify({ kind: 'DeleteOptions', apiVersion: 'v1', propagationPolicy: propagation, gracePeriodSeconds });
      const answer = await http.json({ method: 'DELETE', path: path.value, subject: nameOf(ref), body });
      return answer.ok || isNotThere(answer.problem, ref) ? succeeded(undefined) : answer;
    },
    watch: (kind, watchOptions, events) =>
      watchObjects(http, { kind, path: () => paths.collection(kind, watchOptions.namespace), query: selectors(watchOptions) }, events),
    resource: (kind) => resources.find(kind),
    exec: (request) => openExec(http, request),
    logs: (request) => openLogs(http, request),
    portForward: (request) => openPortForward(http, request),
  };
}

interface ObjectPaths {
  collection(kind: KindRef, namespace: string | undefined): Promise<Result<string>>;
  object(ref: ObjectRef): Promise<Result<string>>;
}

function objectPaths({ target }: KubeHttp, resources: KubeResources): ObjectPaths {
  const collection = async (kind: KindRef, namespace: string | undefined): Promise<Result<string>> => {
    const found = await resources.find(kind);
    if (!found.ok) return found;
    if (!found.value) {
      return failed({
        code: 'kindUnknown',
        message: `the cluster of context ${target.context} has no ${kind.kind} of ${kind.apiVersion}`,
        hint: 'install what defines it, or correct apiVersion and kind',
        retry: 'afterDelay',
        exitCode: 2,
      });
    }
    const within = found.value.namespaced && namespace !== undefined ? `/namespaces/${namespace}` : '';
    return succeeded(`${versionPath(kind.apiVersion)}${within}/${found.value.plural}`);
  };
  return {
    collection,
    async object(ref) {
      const path = await collection(ref, ref.namespace ?? target.namespace);
      return path.ok ? succeeded(`${path.value}/${encodeURIComponent(ref.name)}`) : path;
    },
  };
}

/** A namespace that is asked for by itself is what is not there; else it is what something else needs. */
function isNotThere({ code }: Problem, { kind }: ObjectRef): boolean {
  return code === 'objectNotFound' || (code === 'namespaceNotFound' && kind === 'Namespace');
}

/** `Deployment shop/api`: how messages name an object. */
function nameOf({ kind, name, namespace }: ObjectRef): string {
  return namespace === undefined ? `${kind} ${name}` : `${kind} ${namespace}/${name}`;
}

function selectors({
  labelSelector,
  fieldSelector,
}: {
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
}): URLSearchParams {
  const query = new URLSearchParams();
  if (labelSelector !== undefined) query.set('labelSelector', labelSelector);
  if (fieldSelector !== undefined) query.set('fieldSelector', fieldSelector);
  return query;
}

async function applyObject(
  http: KubeHttp,
  paths: ObjectPaths,
  object: KubeObject,
  { force = false, dryRun = false, namespace, fieldManager = usualFieldManager }: NonNullable<Parameters<Kube['apply']>[1]>,
): Promise<Result<KubeObject>> {
  const { name } = object.metadata;
  if (name === undefined) {
    return failed({
      code: 'objectInvalid',
      message: `a ${object.kind} has no metadata.name, which server-side apply needs`,
      retry: 'whenInputChanges',
      exitCode: 1,
    });
  }
  const within = object.metadata.namespace ?? namespace;
  const ref: ObjectRef = { apiVersion: object.apiVersion, kind: object.kind, name, ...(within === undefined ? {} : { namespace: within }) };
  const path = await paths.object(ref);
  if (!path.ok) return path;
  const query = new URLSearchParams({ fieldManager, fieldValidation: 'Strict', force: String(force) });
  if (dryRun) query.set('dryRun', 'All');
  const answer = await http.json({
    method: 'PATCH',
    path: `${path.value}?${query.toString()}`,
    subject: nameOf(ref),
    contentType: 'application/apply-patch+yaml',
    body: JSON.stringify(object),
  });
  if (answer.ok) return succeeded(answer.value as KubeObject);
  if (!dryRun) return answer;
  const collection = path.value.slice(0, path.value.lastIndexOf('/'));
  return failed(await withUnknownFields(http, { collection, subject: nameOf(ref), object }, answer.problem));
}

/** Of fields that nobody knows server-side apply may name only the outermost. Who tries to make the object is told all of them. */
async function withUnknownFields(
  http: KubeHttp,
  { collection, subject, object }: { readonly collection: string; readonly subject: string; readonly object: KubeObject },
  problem: Problem,
): Promise<Problem> {
  if (!problem.message.includes('field not declared in schema')) return problem;
  const path = `${collection}?dryRun=All&fieldValidation=Strict`;
  const answer = await http.json({ method: 'POST', path, subject, body: JSON.stringify(object) });
  const unknown = answer.ok ? [] : (answer.problem.message.match(/unknown field "[^"\n]+"/g) ?? []);
  return unknown.length === 0 ? problem : { ...problem, detail: [problem.detail ?? problem.message, ...unknown].join('\n') };
}

async function openLogs(http: KubeHttp, request: Parameters<Kube['logs']>[0]): ReturnType<Kube['logs']> {
  const { namespace, pod, container, follow, previous, tailLines, sinceTime, timestamps, signal } = request;
  const query = new URLSearchParams({ container });
  const flags = { follow, previous, tailLines, sinceTime, timestamps };
  for (const [name, value] of Object.entries(flags)) if (value !== undefined) query.set(name, String(value));
  const answer = await http.stream({
    method: 'GET',
    path: `/api/v1/namespaces/${namespace}/pods/${pod}/log?${query.toString()}`,
    subject: `the log of ${namespace}/${pod}, container ${container}`,
    ...(signal ? { signal } : {}),
  });
  if (!answer.ok) {
    if (answer.problem.code === 'objectNotFound') return failed({ ...answer.problem, code: 'podGone' });
    if (!/is waiting to start|has not yet|previous terminated container/.test(answer.problem.message)) return answer;
    return failed({ ...answer.problem, code: 'containerNotReady', retry: 'afterDelay' });
  }
  // A connection that is cut ends the log; an error event that nobody listens to would end the process.
  const lines = new PassThrough();
  answer.value.pipe(lines, { end: false });
  answer.value.once('close', () => lines.end());
  lines.once('close', () => answer.value.destroy());
  return succeeded(lines);
}
