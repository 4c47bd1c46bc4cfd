import { type Duplex, PassThrough, duplexPair } from 'node:stream';
import type { Kube, KubeObject, KubeTarget } from '../clients';
import { type Problem, type Result, failed, succeeded, usualFieldManager } from '../model';
import { type FakeExec, type FakeProgram, startFakeExec } from './fakeExec';
import { fakeObjects } from './fakeObjects';

type ForwardRequest = Parameters<Kube['portForward']>[0];

export interface FakeKubeOptions {
  readonly target?: Partial<KubeTarget>;
  /** That exist besides `default`. */
  readonly namespaces?: readonly string[];
  /** What an exec runs; without it every exec is refused. */
  readonly program?: FakeProgram;
  /** What listens on the ports of pods: takes the connection, or says `refused`. Without it every one is refused. */
  readonly listen?: (connection: Duplex, request: ForwardRequest) => 'taken' | 'refused';
  /** What the API server's validation or a webhook says about an object that is applied. */
  readonly validate?: (object: KubeObject) => Problem | undefined;
}

export interface ContainerName {
  readonly namespace: string;
  readonly pod: string;
  readonly container: string;
}

/** A cluster in memory: it keeps objects with versions and generations, merges what is applied, tells watchers, and runs execs. */
export interface FakeKube extends Kube {
  /** Writes an object as a controller would, with its status. */
  put(object: KubeObject): KubeObject;
  /** Everything of a kind, without asking the API. */
  all(kind: string): readonly KubeObject[];
  /** Adds a line to a container's log. */
  log(container: ContainerName, line: string): void;
  /** The container's log has nothing more to come. */
  endLog(container: ContainerName): void;
  /** Breaks the exec streams, all or those of one pod, as a lost connection does. */
  cutExecs(pod?: string): void;
  /** Makes every watch list again. */
  expireWatches(): void;
  /** Whether it answers. Watches that run stay silent, which is what a lost connection looks like from here. */
  reachable: boolean;
}

export function fakeKube(options: FakeKubeOptions = {}): FakeKube {
  const target: KubeTarget = {
    context: 'fake',
    cluster: 'fake',
    server: 'https://127.0.0.1:1',
    namespace: 'default',
    files: [],
    ...options.target,
  };
  const objects = fakeObjects(target.namespace);
  const execs = new Map<FakeExec, string>();
  const logs = fakeLogs();
  const state = { reachable: true };

  const answer = <T>(value: () => T | Problem): Promise<Result<T>> => {
    if (!state.reachable) return Promise.resolve(failed(unreachable(target)));
    const given = value();
    return Promise.resolve(isProblem(given) ? failed(given) : succeeded(given));
  };
  const kindUnknown = ({ apiVersion, kind }: { readonly apiVersion: string; readonly kind: string }): Problem | undefined =>
    objects.kind({ apiVersion, kind })
      ? undefined
      : problem('kindUnknown', `the cluster of context ${target.context} has no ${kind} of ${apiVersion}`);
  const podProblem = (
    { namespace, pod }: { readonly namespace: string; readonly pod: string },
    container?: string,
  ): Problem | undefined => {
    const found = objects.find({ apiVersion: 'v1', kind: 'Pod', name: pod, namespace });
    if (!found) return problem('podGone', `The pod ${namespace}/${pod} is not there`);
    const spec = found['spec'] as { readonly containers?: readonly { readonly name: string }[] } | undefined;
    const has = container === undefined || (spec?.containers ?? []).some((each) => each.name === container);
    return has ? undefined : problem('execRefused', `The pod ${namespace}/${pod} has no container ${container}`);
  };
  const put = (object: KubeObject): KubeObject => objects.put(objects.placed(object, target.namespace));
  for (const name of ['default', target.namespace, ...(options.namespaces ?? [])])
    put({ apiVersion: 'v1', kind: 'Namespace', metadata: { name } });

  return {
    target,
    get reachable() {
      return state.reachable;
    },
    set reachable(value) {
      state.reachable = value;
    },
    put,
    all: (kind) => objects.all().filter((object) => object.kind === kind),
    log: (container, line) => logs.add(container, line),
    endLog: (container) => logs.end(container),
    expireWatches: () => objects.expireWatches(),
    cutExecs(pod) {
      for (const [exec, of] of [...execs]) if (pod === undefined || pod === of) exec.cut();
    },

    version: () => answer(() => 'v1.34.0'),
    resource: (kind) => answer(() => objects.kind(kind)),
    get: (ref) => answer(() => objects.find(ref)),
    list: (kind, selection = {}) => answer(() => kindUnknown(kind) ?? objects.select(kind, selection).slice(0, selection.limit)),
    delete: (ref) => answer(() => objects.remove(ref)),
    watch: (kind, selection, events) => objects.watch(kind, selection, events),
    apply: (object, { dryRun = false, force = false, fieldManager = usualFieldManager, namespace } = {}) =>
      answer(() => {
        const placed = objects.placed(object, namespace ?? target.namespace);
        const refused =
          kindUnknown(object) ?? unnamed(object) ?? withoutNamespace(placed) ?? outdated(placed) ?? options.validate?.(placed);
        if (refused) return refused;
        const applied = objects.apply(placed, { manager: fieldManager, force, dryRun });
        return isConflict(applied) ? managedByOther(placed, applied.conflict) : applied;
      }),
    exec: (request) =>
      answer(() => {
        const refused = podProblem(request, request.container);
        if (refused) return refused;
        if (!options.program) return problem('execRefused', 'Nothing can be run here');
        const started = startFakeExec(options.program, request);
        execs.set(started, request.pod);
        void started.exec.ended.then(() => execs.delete(started));
        return started.exec;
      }),
    logs: (request) => answer(() => podProblem(request, request.container) ?? logs.read(request)),
    portForward: (request) =>
      answer(() => {
        const refused = podProblem(request);
        if (refused) return refused;
        const [near, far] = duplexPair();
        request.signal?.addEventListener('abort', () => near.destroy(), { once: true });
        if (options.listen?.(far, request) !== 'taken')
          setImmediate(() => near.destroy(new Error(`nothing listens on port ${request.port}`)));
        return near;
      }),
  };

  /** Of one that has changed since; one that is gone is made anew. */
  function outdated({ apiVersion, kind, metadata: { name = '', namespace = '', resourceVersion } }: KubeObject): Problem | undefined {
    if (resourceVersion === undefined) return undefined;
    const found = objects.find({ apiVersion, kind, name, namespace });
    if (!found || found.metadata.resourceVersion === resourceVersion) return undefined;
    return { ...problem('objectConflict', `${kind} ${name} was changed by someone else`), retry: 'afterDelay' };
  }

  function withoutNamespace({ kind, metadata: { namespace, name = '' } }: KubeObject): Problem | undefined {
    if (namespace === undefined || objects.find({ apiVersion: 'v1', kind: 'Namespace', name: namespace })) return undefined;
    return problem('namespaceNotFound', `${kind} ${namespace}/${name} needs the namespace ${namespace}, which does not exist`);
  }
}

type Applied = ReturnType<ReturnType<typeof fakeObjects>['apply']>;

function isConflict(applied: Applied): applied is Exclude<Applied, KubeObject> {
  return 'conflict' in applied;
}

function managedByOther(
  { kind, metadata: { name = '', namespace } }: KubeObject,
  { field, manager }: { readonly field: string; readonly manager: string },
): Problem {
  const subject = `${kind} ${namespace === undefined ? '' : `${namespace}/`}${name}`;
  const message = `${subject} has fields that others manage: ${field} (conflict with "${manager}")`;
  return { code: 'objectConflict', message, retry: 'whenInputChanges', exitCode: 1 };
}

function problem(code: string, message: string): Problem {
  return { code, message, retry: 'afterDelay', exitCode: 1 };
}

function isProblem(value: unknown): value is Problem {
  return typeof value === 'object' && value !== null && 'code' in value && 'retry' in value;
}

function unreachable({ server, context }: KubeTarget): Problem {
  return {
    code: 'clusterUnreachable',
    message: `the cluster at ${server} (context ${context}) does not answer`,
    retry: 'afterDelay',
    exitCode: 3,
  };
}

function unnamed({ kind, metadata }: KubeObject): Problem | undefined {
  if (metadata.name !== undefined) return undefined;
  return {
    code: 'objectInvalid',
    message: `A ${kind} has no metadata.name, which server-side apply needs`,
    retry: 'whenInputChanges',
    exitCode: 1,
  };
}

interface FakeLog {
  readonly lines: string[];
  readonly readers: Set<PassThrough>;
  ended: boolean;
}

function fakeLogs() {
  const logs = new Map<string, FakeLog>();
  const logOf = ({ namespace, pod, container }: ContainerName): FakeLog => {
    const key = `${namespace}/${pod}/${container}`;
    const log = logs.get(key) ?? { lines: [], readers: new Set(), ended: false };
    logs.set(key, log);
    return log;
  };
  return {
    add(container: ContainerName, line: string): void {
      const log = logOf(container);
      log.lines.push(line);
      for (const reader of log.readers) reader.write(`${line}\n`);
    },
    end(container: ContainerName): void {
      const log = logOf(container);
      log.ended = true;
      for (const reader of log.readers) reader.end();
    },
    read(request: Parameters<Kube['logs']>[0]): PassThrough {
      const log = logOf(request);
      const reader = new PassThrough();
      const from = request.tailLines === undefined ? 0 : Math.max(0, log.lines.length - request.tailLines);
      for (const line of log.lines.slice(from)) reader.write(`${line}\n`);
      if (!request.follow || log.ended) reader.end();
      else log.readers.add(reader);
      reader.once('close', () => log.readers.delete(reader));
      request.signal?.addEventListener('abort', () => reader.end(), { once: true });
      return reader;
    },
  };
}
