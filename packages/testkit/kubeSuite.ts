/// <reference types="jest" />
import { once } from 'node:events';
import type { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { type Exec, type Kube, type KubeObject, eachLine } from '../clients';
import type { Result } from '../model';

export interface KubeSubject {
  readonly kube: Kube;
  /** One that exists and is the suite's own. */
  readonly namespace: string;
  /** Starts a pod whose container `main` runs a shell script, and waits until it runs. */
  startPod(name: string, script: string): Promise<void>;
  /** Starts a pod that serves a page over HTTP, and waits until it does. */
  startWebPod(name: string, port: number, page: string): Promise<void>;
  close(): Promise<void>;
}

/** Who has applied something of an object, as it says itself. */
function managersIn({ metadata }: KubeObject): readonly (string | undefined)[] {
  const { managedFields = [] } = metadata as {
    readonly managedFields?: readonly { readonly manager?: string; readonly operation?: string }[];
  };
  return managedFields.flatMap(({ manager, operation }) => (operation === 'Apply' ? [manager] : [])).sort();
}

/** What everyone may expect of a `Kube`: run against the fake and against a real cluster. */
export function kubeSuite(name: string, open: () => Promise<KubeSubject>): void {
  describe(name, () => {
    let subject: KubeSubject;
    let opened = false;
    let kube: Kube;
    beforeAll(async () => {
      subject = await open();
      opened = true;
      kube = subject.kube;
    }, 60_000);
    // Without what it opened there is nothing to close, and the reason has been told already.
    afterAll(() => (opened ? subject.close() : Promise.resolve()), 60_000);

    const configMap = (
      named: string,
      data: Readonly<Record<string, string>>,
      labels: Readonly<Record<string, string>> = {},
    ): KubeObject => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: named, namespace: subject.namespace, labels },
      data,
    });
    const refOf = (named: string) => ({ apiVersion: 'v1', kind: 'ConfigMap', name: named, namespace: subject.namespace });

    describe('objects', () => {
      it('come back as they were applied', async () => {
        valueOf(await kube.apply(configMap('plain', { a: '1' })));
        expect(valueOf(await kube.get(refOf('plain')))).toMatchObject({ kind: 'ConfigMap', metadata: { name: 'plain' }, data: { a: '1' } });
      });

      it('are not there before they are made, namespaces too', async () => {
        expect(valueOf(await kube.get(refOf('nowhere')))).toBeUndefined();
        expect(valueOf(await kube.get({ apiVersion: 'v1', kind: 'Namespace', name: 'no-such-namespace' }))).toBeUndefined();
        expect((await kube.delete({ apiVersion: 'v1', kind: 'Namespace', name: 'no-such-namespace' })).ok).toBe(true);
      });

      it('do not change when the same is applied again', async () => {
        const first = valueOf(await kube.apply(configMap('same', { a: '1' })));
        const second = valueOf(await kube.apply(configMap('same', { a: '1' })));
        expect(second.metadata.resourceVersion).toBe(first.metadata.resourceVersion);
      });

      it('lose a field that is not applied any more', async () => {
        valueOf(await kube.apply(configMap('shrinking', { a: '1', b: '2' })));
        expect(valueOf(await kube.apply(configMap('shrinking', { a: '1' })))['data']).toEqual({ a: '1' });
      });

      it('stay as they are when an apply is only tried', async () => {
        valueOf(await kube.apply(configMap('tried', { a: '1' })));
        expect(valueOf(await kube.apply(configMap('tried', { a: '2' }), { dryRun: true }))['data']).toEqual({ a: '2' });
        expect(valueOf(await kube.get(refOf('tried')))?.['data']).toEqual({ a: '1' });
      });

      it('are not written over by who has seen an older version', async () => {
        const first = valueOf(await kube.apply(configMap('versioned', { a: '1' })));
        const at = (data: string) => ({
          ...configMap('versioned', { a: data }),
          metadata: { name: 'versioned', namespace: subject.namespace, resourceVersion: first.metadata.resourceVersion ?? '' },
        });
        const second = valueOf(await kube.apply(at('2')));
        expect(second.metadata.resourceVersion).not.toBe(first.metadata.resourceVersion);
        expect(await kube.apply(at('3'), { force: true })).toMatchObject({ ok: false, problem: { code: 'objectConflict' } });
        valueOf(await kube.delete(refOf('versioned')));
        expect(valueOf(await kube.apply(at('4')))['data']).toEqual({ a: '4' });
      });

      it('are managed by who applies them: another is told of whom, may take fields over, and may manage the same together with them', async () => {
        const managed = (data: Readonly<Record<string, string>>) => configMap('managed', data, { of: 'all' });
        const of = (named: string, more: object = {}) => ({ fieldManager: named, ...more });
        valueOf(await kube.apply(managed({ a: '1', b: '2' }), of('one')));
        const refused = await kube.apply(managed({ a: '3' }), of('two'));
        expect(refused).toMatchObject({ ok: false, problem: { code: 'objectConflict' } });
        expect(refused.ok ? '' : refused.problem.message).toContain('data.a (conflict with "one"');
        valueOf(await kube.apply(managed({ a: '3' }), of('two', { force: true })));
        const both = valueOf(await kube.apply(managed({ a: '3', b: '2' }), of('one')));
        expect(both['data']).toEqual({ a: '3', b: '2' });
        expect(managersIn(both)).toEqual(['one', 'two']);
      });

      it('lose only what nobody else manages when a manager lets go of all of it', async () => {
        valueOf(await kube.apply(configMap('let-go', { a: '1', b: '2' }, { kept: 'yes' }), { fieldManager: 'one' }));
        valueOf(await kube.apply(configMap('let-go', { a: '1' }, { kept: 'yes' }), { fieldManager: 'two' }));
        const nothing = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'let-go', namespace: subject.namespace } };
        const left = valueOf(await kube.apply(nothing, { fieldManager: 'one' }));
        expect(left).toMatchObject({ data: { a: '1' }, metadata: { labels: { kept: 'yes' } } });
        expect(Object.keys(left['data'] as object)).toEqual(['a']);
        expect(managersIn(left)).toEqual(['two']);
      });

      it('get a new generation when what is wanted of them changes', async () => {
        const first = valueOf(await kube.apply(deployment(subject.namespace, 'generations', 'first')));
        const relabelled = deployment(subject.namespace, 'generations', 'first', { extra: 'label' });
        expect(valueOf(await kube.apply(relabelled)).metadata.generation).toBe(first.metadata.generation);
        const second = valueOf(await kube.apply(deployment(subject.namespace, 'generations', 'second', { extra: 'label' })));
        expect(second.metadata.generation).toBe((first.metadata.generation ?? 0) + 1);
      });

      it('are listed by their labels', async () => {
        valueOf(await kube.apply(configMap('one', {}, { group: 'listed', colour: 'red' })));
        valueOf(await kube.apply(configMap('two', {}, { group: 'listed', colour: 'blue' })));
        const names = async (labelSelector: string): Promise<readonly (string | undefined)[]> =>
          valueOf(await kube.list({ apiVersion: 'v1', kind: 'ConfigMap' }, { namespace: subject.namespace, labelSelector })).map(
            (each) => each.metadata.name,
          );
        expect(await names('group=listed')).toEqual(['one', 'two']);
        expect(await names('group=listed,colour!=red')).toEqual(['two']);
        expect(await names('group=listed,colour in (red,green)')).toEqual(['one']);
      });

      it('are listed as far as is asked for', async () => {
        for (const name of ['a', 'b', 'c']) valueOf(await kube.apply(configMap(name, {}, { group: 'limited' })));
        const first = valueOf(
          await kube.list(
            { apiVersion: 'v1', kind: 'ConfigMap' },
            { namespace: subject.namespace, labelSelector: 'group=limited', limit: 2 },
          ),
        );
        expect(first.map(({ metadata }) => metadata.name)).toEqual(['a', 'b']);
      });

      it('say their kind when they are listed', async () => {
        valueOf(await kube.apply(configMap('kinds', {}, { group: 'kinds' })));
        const listed = valueOf(
          await kube.list({ apiVersion: 'v1', kind: 'ConfigMap' }, { namespace: subject.namespace, labelSelector: 'group=kinds' }),
        );
        expect(listed).toMatchObject([{ apiVersion: 'v1', kind: 'ConfigMap' }]);
      });

      it('are gone after a delete, and deleting what is not there succeeds', async () => {
        valueOf(await kube.apply(configMap('doomed', {})));
        valueOf(await kube.delete(refOf('doomed')));
        expect(valueOf(await kube.get(refOf('doomed')))).toBeUndefined();
        expect(await kube.delete(refOf('doomed'))).toEqual({ ok: true, value: undefined });
      });
    });

    describe('kinds', () => {
      it('are known with their plural and where they live', async () => {
        expect(valueOf(await kube.resource({ apiVersion: 'apps/v1', kind: 'Deployment' }))).toEqual({
          plural: 'deployments',
          namespaced: true,
        });
        expect(valueOf(await kube.resource({ apiVersion: 'v1', kind: 'Namespace' }))).toEqual({ plural: 'namespaces', namespaced: false });
        expect(valueOf(await kube.resource({ apiVersion: 'example.invalid/v1', kind: 'Nothing' }))).toBeUndefined();
      });
    });

    describe('refusals', () => {
      it('tell a kind that the cluster does not have', async () => {
        const refused = await kube.apply({ apiVersion: 'example.invalid/v1', kind: 'Nothing', metadata: { name: 'x' } });
        expect(codeOf(refused)).toBe('kindUnknown');
      });

      it('tell a namespace that does not exist', async () => {
        const object = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'x', namespace: 'no-such-namespace' } };
        expect(codeOf(await kube.apply(object))).toBe('namespaceNotFound');
      });

      it('tell an object without a name', async () => {
        expect(codeOf(await kube.apply({ apiVersion: 'v1', kind: 'ConfigMap', metadata: {} }))).toBe('objectInvalid');
      });
    });

    describe('a watch', () => {
      it('lists what is there, then tells changes in order, and nothing after it was stopped', async () => {
        valueOf(await kube.apply(configMap('watched-before', {}, { group: 'watched' })));
        const seen: string[] = [];
        const waiting: { readonly line: string; readonly resolve: () => void }[] = [];
        const saw = (line: string): void => {
          seen.push(line);
          for (const wait of waiting) if (wait.line === line) wait.resolve();
        };
        const until = (line: string): Promise<void> =>
          new Promise((resolve) => {
            if (seen.includes(line)) resolve();
            else waiting.push({ line, resolve });
          });
        const watch = kube.watch(
          { apiVersion: 'v1', kind: 'ConfigMap' },
          { namespace: subject.namespace, labelSelector: 'group=watched' },
          {
            onList: (objects) => saw(`list ${objects.map((each) => each.metadata.name).join(' ')}`),
            onChange: (change, object) => saw(`${change} ${object.metadata.name ?? ''}`),
            onTrouble: (problem) => saw(`trouble ${problem.message}`),
            onConnected: () => saw('connected'),
          },
        );
        await until('connected');
        valueOf(await kube.apply(configMap('watched', {}, { group: 'watched' })));
        valueOf(await kube.apply(configMap('watched', { a: '1' }, { group: 'watched' })));
        valueOf(await kube.delete(refOf('watched')));
        await until('deleted watched');
        watch.stop();
        valueOf(await kube.delete(refOf('watched-before')));
        expect(seen).toEqual(['list watched-before', 'connected', 'added watched', 'modified watched', 'deleted watched']);
      });
    });

    describe('an exec', () => {
      beforeAll(() => subject.startPod('shell', 'sleep 3600'), 60_000);
      const exec = async (...command: readonly string[]): Promise<Exec> =>
        valueOf(await kube.exec({ namespace: subject.namespace, pod: 'shell', container: 'main', command }));

      it('has both outputs and the exit code', async () => {
        const { stdout, stderr, ended } = await exec('sh', '-c', 'echo out; echo err >&2; exit 3');
        expect(await Promise.all([text(stdout), text(stderr)])).toEqual(['out\n', 'err\n']);
        expect(await ended).toEqual({ exitCode: 3, problem: undefined });
      });

      it('tells the process that its input has ended', async () => {
        const { stdin, stdout, stderr, ended } = await exec('sh', '-c', 'wc -c; true');
        stderr.resume();
        stdin.end('12345');
        expect((await text(stdout)).trim()).toBe('5');
        expect(await ended).toEqual({ exitCode: 0, problem: undefined });
      });

      it('carries megabytes both ways without a change', async () => {
        const { stdin, stdout, stderr, ended } = await exec('sh', '-c', 'cat; true');
        stderr.resume();
        const sent = Array.from({ length: 60_000 }, (_each, at) => `line ${at} of many, to be long enough`).join('\n');
        const received = text(stdout);
        stdin.end(sent);
        expect((await received) === sent).toBe(true);
        expect(await ended).toEqual({ exitCode: 0, problem: undefined });
      });

      it('answers small messages one by one', async () => {
        const { stdin, stdout, stderr, ended } = await exec('sh', '-c', 'while read line; do echo "got $line"; done');
        stderr.resume();
        const nextLine = lineReader(stdout);
        for (const word of ['one', 'two', 'three']) {
          stdin.write(`${word}\n`);
          expect(await nextLine()).toBe(`got ${word}`);
        }
        stdin.end();
        expect(await ended).toEqual({ exitCode: 0, problem: undefined });
      });

      it('makes a sender wait that is faster than the process', async () => {
        const running = await exec('sleep', '3600');
        const { stdin, ended } = running;
        const part = Buffer.alloc(1024 * 1024);
        let sentMegabytes = 0;
        // A process that reads nothing: what the systems on the way can hold is used up at some point.
        while (!stdin.writableNeedDrain && sentMegabytes < 1_000) {
          stdin.write(part);
          sentMegabytes += 1;
          await new Promise((resolve) => setImmediate(resolve));
        }
        expect(sentMegabytes).toBeLessThan(1_000);
        running.close();
        await ended;
      });

      it('ends without an exit code when it is closed', async () => {
        const running = await exec('sleep', '3600');
        running.close();
        expect(await running.ended).toEqual({ exitCode: undefined, problem: undefined });
      });

      it('ends when its signal is aborted', async () => {
        const stop = new AbortController();
        const request = { namespace: subject.namespace, pod: 'shell', container: 'main', command: ['sleep', '3600'], signal: stop.signal };
        const { ended } = valueOf(await kube.exec(request));
        stop.abort();
        expect(await ended).toEqual({ exitCode: undefined, problem: undefined });
      });

      it('says that a program is not there', async () => {
        const opened = await kube.exec({ namespace: subject.namespace, pod: 'shell', container: 'main', command: ['no-such-program'] });
        const problem = opened.ok ? (await opened.value.ended).problem : opened.problem;
        expect(problem).toMatchObject({ code: 'execRefused', message: expect.stringContaining('no-such-program') as string });
      });

      it('says that a pod or a container is not there', async () => {
        const request = { namespace: subject.namespace, pod: 'shell', container: 'main', command: ['true'] };
        expect(codeOf(await kube.exec({ ...request, pod: 'nobody' }))).toBe('podGone');
        expect(codeOf(await kube.exec({ ...request, container: 'nobody' }))).toBe('execRefused');
      });
    });

    describe('logs', () => {
      it('come whole when they are not followed, and as many lines as were asked for', async () => {
        await subject.startPod('chatty', 'echo one; echo two; echo three; sleep 3600');
        const request = { namespace: subject.namespace, pod: 'chatty', container: 'main' };
        const followed = valueOf(await kube.logs({ ...request, follow: true }));
        const nextLine = lineReader(followed);
        for (const line of ['one', 'two', 'three']) expect(await nextLine()).toBe(line);
        followed.destroy();
        expect(await text(valueOf(await kube.logs(request)))).toBe('one\ntwo\nthree\n');
        expect(await text(valueOf(await kube.logs({ ...request, tailLines: 1 })))).toBe('three\n');
      }, 60_000);

      it('end with their signal', async () => {
        const stop = new AbortController();
        const log = valueOf(
          await kube.logs({ namespace: subject.namespace, pod: 'chatty', container: 'main', follow: true, signal: stop.signal }),
        );
        log.resume();
        stop.abort();
        await once(log, 'end');
      });

      it('say that a pod is not there', async () => {
        expect(codeOf(await kube.logs({ namespace: subject.namespace, pod: 'nobody', container: 'main' }))).toBe('podGone');
      });
    });

    describe('a forwarded port', () => {
      it('carries a request and its answer', async () => {
        await subject.startWebPod('web', 8080, 'a page');
        const connection = valueOf(await kube.portForward({ namespace: subject.namespace, pod: 'web', port: 8080 }));
        connection.write('GET / HTTP/1.0\r\nHost: web\r\n\r\n');
        expect(await text(connection)).toContain('a page');
      }, 60_000);

      it('ends with an error when nothing listens there', async () => {
        const connection = valueOf(await kube.portForward({ namespace: subject.namespace, pod: 'web', port: 9 }));
        const [error] = (await once(connection, 'error')) as [Error];
        expect(error.message).toMatch(/refused|nothing listens/);
      });

      it('is refused when the pod is not there', async () => {
        expect(codeOf(await kube.portForward({ namespace: subject.namespace, pod: 'nobody', port: 80 }))).toBe('podGone');
      });
    });
  });
}

function deployment(namespace: string, name: string, word: string, labels: Readonly<Record<string, string>> = {}): KubeObject {
  const app = { app: name };
  const container = { name: 'main', image: 'example.invalid/nothing', args: [word] };
  return {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, namespace, labels },
    spec: { replicas: 0, selector: { matchLabels: app }, template: { metadata: { labels: app }, spec: { containers: [container] } } },
  };
}

function valueOf<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new Error(`${result.problem.code}: ${result.problem.message}`);
}

function codeOf(result: Result<unknown>): string | undefined {
  return result.ok ? undefined : result.problem.code;
}

/** The lines of a stream, one at each call. */
function lineReader(stream: Readable): () => Promise<string> {
  const lines: string[] = [];
  const waiting: ((line: string) => void)[] = [];
  eachLine(stream, (line) => {
    const next = waiting.shift();
    if (next) next(line);
    else lines.push(line);
  });
  return () =>
    new Promise((resolve) => {
      const line = lines.shift();
      if (line === undefined) waiting.push(resolve);
      else resolve(line);
    });
}
