import type { ServerHttp2Stream } from 'node:http2';
import { connect, performServerHandshake } from 'node:http2';
import { Duplex, PassThrough, Readable } from 'node:stream';
import { succeeded } from '../model';
import type { BuildkitRequest } from './buildkit';
import { connectBuildkit } from './connectBuildkit';
import { framed, frameReader } from './grpcFrames';
import { bytesIn, decodeFields, encodeBytes, encodeEach, encodeMap, encodeStrings, messagesIn, stringIn } from './protobuf';

/** What a buildkitd was asked. */
interface Asked {
  frontend: Readonly<Record<string, string>>;
  exporter: Readonly<Record<string, string>>;
  caches: readonly Readonly<Record<string, string>>[];
  context: string;
}

type Answer = (asked: Asked) => { readonly status: number; readonly message?: string };

/** A buildkitd that fetches the context through the session, as the real one does, and then answers what it is told to. */
function fakeBuildkitd(answer: Answer): { readonly connection: () => Duplex; readonly asked: Asked } {
  const asked: Asked = { frontend: {}, exporter: {}, caches: [], context: '' };
  const connection = (): Duplex => {
    const [toServer, toClient] = [new PassThrough(), new PassThrough()];
    const session = performServerHandshake(Duplex.from({ readable: toServer, writable: toClient }));
    let tunnel: ServerHttp2Stream | undefined;
    session.on('error', () => undefined);
    session.on('stream', (stream, headers) => {
      stream.on('error', () => undefined);
      const method = headers[':path']?.replace(/^.*\//, '');
      if (method === 'Session') return void (tunnel = stream);
      stream.respond({ ':status': 200 }, { waitForTrailers: true });
      if (method === 'Status') {
        const vertex = encodeEach([
          [1, Buffer.from('v1')],
          [3, Buffer.from('[2/2] RUN false')],
          [5, Buffer.alloc(0)],
          [7, Buffer.from('exit code: 1')],
        ]);
        stream.once('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
        stream.resume();
        return void stream.end(framed(encodeBytes({ 1: vertex })));
      }
      stream.on(
        'data',
        frameReader((message) => {
          const fields = decodeFields(message);
          asked.exporter = mapIn(fields, 4);
          asked.frontend = mapIn(fields, 7);
          asked.caches = messagesIn(fields, 8).flatMap((options) => messagesIn(options, 4).map((each) => mapIn(each, 2)));
          if (tunnel) void pulledThrough(tunnel).then((context) => finish(stream, { ...asked, context }));
        }),
      );
    });
    const finish = (stream: ServerHttp2Stream, seen: Asked): void => {
      asked.context = seen.context;
      const { status, message = '' } = answer(asked);
      const trailers = { 'grpc-status': String(status), 'grpc-message': encodeURIComponent(message) };
      stream.once('wantTrailers', () => stream.sendTrailers(trailers));
      const digest = encodeEach(encodeMap(1, { 'containerimage.digest': 'sha256:aa' }));
      stream.end(status === 0 ? framed(digest) : undefined);
    };
    return Duplex.from({ readable: toClient, writable: toServer });
  };
  return { connection, asked };
}

function mapIn(fields: ReturnType<typeof decodeFields>, number: number): Readonly<Record<string, string>> {
  return Object.fromEntries(messagesIn(fields, number).map((entry) => [stringIn(entry, 1), stringIn(entry, 2)]));
}

/** Asks for what is behind `http://buildkit-session/`, over a connection that the messages of a stream carry. */
function pulledThrough(tunnel: ServerHttp2Stream): Promise<string> {
  tunnel.respond({ ':status': 200 });
  const inner = new Duplex({
    read: () => undefined,
    write: (chunk: Buffer, _encoding, taken) => void tunnel.write(framed(encodeBytes({ 1: chunk })), taken),
  });
  tunnel.on(
    'data',
    frameReader((message) => {
      for (const bytes of bytesIn(decodeFields(message), 1)) inner.push(bytes);
    }),
  );
  const client = connect('http://session', { createConnection: () => inner });
  client.on('error', () => undefined);
  const stream = client.request({ ':method': 'POST', ':path': '/moby.upload.v1.Upload/Pull' });
  stream.on('error', () => undefined);
  let pulled = '';
  stream.on(
    'data',
    frameReader((message) => {
      for (const bytes of bytesIn(decodeFields(message), 1)) pulled += bytes.toString();
    }),
  );
  return new Promise((resolve) => {
    stream.once('trailers', () => resolve(pulled));
    stream.once('close', () => resolve('broken off'));
    stream.end(framed(encodeStrings({})));
  });
}

function requestOf(request: Partial<BuildkitRequest> = {}): BuildkitRequest {
  return {
    context: Readable.from([Buffer.from('the '), Buffer.from('tar')]),
    dockerfile: 'Dockerfile',
    args: {},
    labels: {},
    repository: 'r.test/api',
    signal: new AbortController().signal,
    onLine: () => undefined,
    ...request,
  };
}

function clientOf({ connection }: { readonly connection: () => Duplex }) {
  return connectBuildkit({ connect: () => Promise.resolve(succeeded(connection())), env: {} });
}

describe('a build in a buildkitd', () => {
  it('gets its context through the session, and gives the digest of an image without a name', async () => {
    const daemon = fakeBuildkitd(() => ({ status: 0 }));
    expect(await clientOf(daemon).build(requestOf())).toEqual({ ok: true, value: { digest: 'sha256:aa' } });
    expect(daemon.asked).toMatchObject({
      context: 'the tar',
      exporter: { name: 'r.test/api', push: 'true', 'push-by-digest': 'true' },
      frontend: { filename: 'Dockerfile', context: expect.stringMatching(/^http:\/\/buildkit-session\//) as string },
    });
  });

  it('is told target, arguments, labels, platform, hosts and caches in the words of the frontend', async () => {
    const daemon = fakeBuildkitd(() => ({ status: 0 }));
    await clientOf(daemon).build(
      requestOf({
        target: 'dev',
        args: { A: '1' },
        labels: { l: '2' },
        platform: 'linux/arm64',
        network: 'none',
        addHosts: { a: '10.0.0.1', b: '10.0.0.2' },
        cacheFrom: ['r.test/from'],
        cache: 'r.test/cache',
        pull: true,
        noCache: true,
      }),
    );
    const { context, ...rest } = daemon.asked.frontend;
    expect(context).toBeDefined();
    expect(rest).toEqual({
      filename: 'Dockerfile',
      target: 'dev',
      'build-arg:A': '1',
      'label:l': '2',
      platform: 'linux/arm64',
      'force-network-mode': 'none',
      'add-hosts': 'a=10.0.0.1,b=10.0.0.2',
      'image-resolve-mode': 'pull',
      'no-cache': '',
      'cache-imports': '[{"Type":"registry","Attrs":{"ref":"r.test/from"}},{"Type":"registry","Attrs":{"ref":"r.test/cache"}}]',
    });
  });

  it('pushes to a registry without TLS, and keeps its steps there, when that is asked for', async () => {
    const daemon = fakeBuildkitd(() => ({ status: 0 }));
    await clientOf(daemon).build(requestOf({ isInsecure: true, cacheTo: ['r.test/steps'] }));
    expect(daemon.asked.exporter).toMatchObject({ 'registry.insecure': 'true' });
    expect(daemon.asked.caches).toEqual([{ ref: 'r.test/steps', mode: 'max', 'registry.insecure': 'true' }]);
  });

  it.each<[string, string, object]>([
    [
      'a step that fails is a failed build, at its instruction',
      'failed to solve: process "/bin/sh -c false" did not complete successfully: exit code: 1',
      { code: 'buildFailed', instruction: 'RUN false' },
    ],
    ['a registry that takes no image is told apart', 'failed to push r.test/api: denied', { code: 'pushRefused', retry: 'afterDelay' }],
  ])('%s', async (_, message, problem) => {
    const daemon = fakeBuildkitd(() => ({ status: 2, message }));
    expect(await clientOf(daemon).build(requestOf())).toMatchObject({ ok: false, problem });
  });

  it('whose connection is lost may be tried again', async () => {
    let connection: Duplex | undefined;
    const daemon = fakeBuildkitd(() => {
      connection?.destroy();
      return { status: 0 };
    });
    const client = connectBuildkit({ connect: () => Promise.resolve(succeeded((connection = daemon.connection()))), env: {} });
    expect(await client.build(requestOf())).toMatchObject({ ok: false, problem: { code: 'buildkitLost', retry: 'afterDelay' } });
  });

  it('whose context breaks off is not built of half of it', async () => {
    let begun = false;
    const context = new Readable({
      read() {
        if (begun) return void this.destroy(new Error('it was removed'));
        begun = true;
        this.push('half');
      },
    });
    const daemon = fakeBuildkitd(() => ({ status: 0 }));
    expect(await clientOf(daemon).build(requestOf({ context }))).toMatchObject({
      ok: false,
      problem: { code: 'contextUnreadable', message: 'the build context cannot be read: it was removed' },
    });
    expect(daemon.asked.context).toBe('broken off');
  });

  it('that is aborted ends at once', async () => {
    const stop = new AbortController();
    const daemon = fakeBuildkitd(() => {
      stop.abort();
      return { status: 0 };
    });
    expect(await clientOf(daemon).build(requestOf({ signal: stop.signal }))).toMatchObject({ ok: false, problem: { code: 'aborted' } });
  });
});
