import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { extract } from 'tar-stream';
import { type BuildRequest, type ContainerCommandEnd, type Engine, type ImageConfig, parseImageRef } from '../clients';
import { type Problem, type Result, failed, succeeded } from '../model';
import { buildFakeImage } from './fakeBuild';
import { type FakeRegistry, fakeRegistry } from './fakeRegistry';
import { imageParts, pushImage, savedImage } from './fakeImage';

export interface FakeEngineOptions {
  /** Where pushes go. */
  readonly registry?: FakeRegistry;
  /** Base images that can be pulled. Without a list every one can. */
  readonly bases?: readonly string[];
  /** Awaited in every build, after its context was read: holds a build for as long as a test wants, or makes it fail. */
  readonly onBuild?: (request: BuildRequest, files: ReadonlyMap<string, string>) => Promise<Problem | undefined>;
  /** What runs in it beside builds. */
  readonly containers?: readonly FakeContainer[];
}

/** A container as far as whoever runs commands in it sees. */
export interface FakeContainer {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  run(command: readonly string[], input: Readable): Promise<ContainerCommandEnd>;
}

/** An engine in memory: it keeps images, reads the tars that it is sent, and takes a Dockerfile's words for what they say. */
export interface FakeEngine extends Engine {
  readonly registry: FakeRegistry;
  /** The files of the context that the image with this reference was built from: path → content. */
  contextOf(ref: string): ReadonlyMap<string, string> | undefined;
  /** How many builds were finished. */
  readonly builds: number;
  /** Whether it answers. */
  running: boolean;
  /** Set: the next push is refused with it. */
  refusePush: Problem | undefined;
}

interface StoredImage {
  readonly config: ImageConfig;
  readonly files: ReadonlyMap<string, string>;
}

const down: Problem = { code: 'engineUnreachable', message: 'no Docker engine answers at fake', retry: 'afterDelay', exitCode: 3 };
const aborted: Problem = { code: 'aborted', message: 'the engine was told to stop', retry: 'afterDelay', exitCode: 1 };

export function fakeEngine(options: FakeEngineOptions = {}): FakeEngine {
  const registry = options.registry ?? fakeRegistry();
  const images = new Map<string, StoredImage>();
  const tags = new Map<string, string>();
  const pushed = new Map<string, StoredImage>();
  const state: { running: boolean; builds: number; refusePush: Problem | undefined } = { running: true, builds: 0, refusePush: undefined };

  const keyOf = (ref: string): string => {
    const { registry: host, repository, tag = 'latest' } = parseImageRef(ref);
    return `${host}/${repository}:${tag}`;
  };
  const digestKeyOf = (ref: string): string => {
    const { registry: host, repository, digest = '' } = parseImageRef(ref);
    return `${host}/${repository}@${digest}`;
  };
  const find = (ref: string): StoredImage | undefined =>
    images.get(ref) ?? images.get(tags.get(digestKeyOf(ref)) ?? tags.get(keyOf(ref)) ?? '');
  const answer = <T>(value: () => T): Promise<Result<T>> => Promise.resolve(state.running ? succeeded(value()) : failed(down));
  const baseOf = (ref: string): ImageConfig | undefined => {
    const known = find(ref)?.config;
    if (known || (options.bases && !options.bases.includes(ref))) return known;
    return { id: `sha256:${hash(ref)}`, entrypoint: [], command: [], env: [], workingDir: '', user: '', labels: {}, onBuild: [] };
  };

  const build = async (request: BuildRequest): Promise<Result<{ readonly imageId: string }>> => {
    const files = await readTar(request);
    if (request.signal.aborted) return failed(aborted);
    if (!files) return failed({ code: 'contextUnreadable', message: 'the build context cannot be read', retry: 'afterDelay', exitCode: 1 });
    const stopped = new Promise<Problem>((resolve) => request.signal.addEventListener('abort', () => resolve(aborted), { once: true }));
    const problem = await Promise.race([options.onBuild?.(request, files) ?? Promise.resolve(undefined), stopped]);
    if (problem) return failed(problem);
    const built = buildFakeImage(request, files, baseOf);
    if (!built.ok) return built;
    images.set(built.value.id, { config: built.value, files });
    for (const tag of request.tags) tags.set(keyOf(tag), built.value.id);
    state.builds += 1;
    return succeeded({ imageId: built.value.id });
  };

  return {
    registry,
    contextOf: (ref) => find(ref)?.files,
    get builds() {
      return state.builds;
    },
    get running() {
      return state.running;
    },
    set running(value) {
      state.running = value;
    },
    get refusePush() {
      return state.refusePush;
    },
    set refusePush(value) {
      state.refusePush = value;
    },
    ping: () => answer(() => ({ version: '28.0.0', platform: 'linux/amd64' })),
    cacheBytes: () => answer(() => state.builds * 1000),
    build: (request) => (state.running ? build(request) : Promise.resolve(failed(down))),
    imageId: (ref) => answer(() => find(ref)?.config.id ?? (options.bases?.includes(ref) === true ? baseOf(ref)?.id : undefined)),
    inspect: (ref) => answer(() => find(ref)?.config),
    async push({ ref, signal, onLine }) {
      if (!state.running) return failed(down);
      if (signal.aborted) return failed(aborted);
      const refused = state.refusePush;
      state.refusePush = undefined;
      if (refused) return failed(refused);
      const image = find(ref);
      const refuse = (reason: string): Result<{ readonly digest: string }> =>
        failed({ code: 'pushRefused', message: `${ref} was not pushed: ${reason}`, retry: 'afterDelay', exitCode: 1 });
      if (!image) return refuse(`An image does not exist locally with the tag: ${ref}`);
      const sent = await pushImage(registry, ref, await imageParts(image.config, image.files));
      if (!sent.ok) return refuse('connection refused');
      pushed.set(sent.value.digest, image);
      onLine(`${parseImageRef(ref).tag ?? 'latest'}: digest: ${sent.value.digest}`);
      return sent;
    },
    async pull({ ref }) {
      if (!state.running) return failed(down);
      const digest = await registry.digest(ref);
      const image = digest.ok ? pushed.get(digest.value ?? '') : undefined;
      const problem: Problem = { code: 'pullRefused', message: `${ref} cannot be pulled`, retry: 'afterDelay', exitCode: 1 };
      if (!digest.ok || digest.value === undefined || !image) return failed(problem);
      images.set(image.config.id, image);
      tags.set(ref.includes('@') ? digestKeyOf(ref) : keyOf(ref), image.config.id);
      return succeeded(undefined);
    },
    save: (ref) => {
      if (!state.running) return Promise.resolve(failed(down));
      const image = find(ref);
      const config = image?.config ?? (options.bases?.includes(ref) === true ? baseOf(ref) : undefined);
      return Promise.resolve(succeeded(config && savedImage(config, image?.files ?? baseFiles)));
    },
    tag(source, ref) {
      if (!state.running) return Promise.resolve(failed(down));
      const image = find(source);
      if (!image)
        return Promise.resolve(failed({ code: 'engineRefused', message: `No such image: ${source}`, retry: 'afterDelay', exitCode: 1 }));
      tags.set(keyOf(ref), image.config.id);
      return Promise.resolve(succeeded(undefined));
    },
    remove: (ref) =>
      answer(() => {
        const id = find(ref)?.config.id;
        tags.delete(keyOf(ref));
        if (id !== undefined && ![...tags.values()].includes(id)) images.delete(id);
      }),
    list: ({ name, value }) =>
      answer(() =>
        [...images.values()]
          .filter(({ config }) => name in config.labels && (value === undefined || config.labels[name] === value))
          .map(({ config }) => ({
            id: config.id,
            refs: [...tags].filter(([, id]) => id === config.id).map(([ref]) => ref.replace(/^docker\.io\/(?:library\/)?/, '')),
          })),
      ),
    containers: (labels) =>
      answer(() =>
        (options.containers ?? [])
          .filter((each) => Object.entries(labels).every(([name, value]) => each.labels[name] === value))
          .map(({ name }) => name)
          .sort(),
      ),
    async exec({ container, command, input = Readable.from([]), signal }) {
      if (!state.running) return failed(down);
      if (signal?.aborted === true) return failed(aborted);
      const found = options.containers?.find(({ name }) => name === container);
      const gone = `No such container: ${container}`;
      return found
        ? succeeded(await found.run(command, input))
        : failed({ code: 'engineRefused', message: gone, retry: 'afterDelay', exitCode: 1 });
    },
  };
}

/** What a base image has for whoever asks who a user is. */
const baseFiles: ReadonlyMap<string, string> = new Map([
  ['etc/passwd', 'root:x:0:0:root:/root:/bin/sh\nnode:x:1000:1000::/home/node:/bin/sh\n'],
  ['etc/group', 'root:x:0:\nnode:x:1000:\nstaff:x:50:\n'],
]);

function hash(content: string): string {
  return createHash('sha256').update(content).digest('hex');
}

/** Path → content of every file in the tar; undefined when it is no tar or its source failed. */
function readTar({ context, signal }: BuildRequest): Promise<ReadonlyMap<string, string> | undefined> {
  return new Promise((resolve) => {
    const files = new Map<string, string>();
    const entries = extract();
    entries.on('entry', (header, stream, next) => {
      void text(stream).then((content) => {
        if (header.type === 'file') files.set(header.name.replace(/^\.\//, ''), content);
        if (header.type === 'symlink') files.set(header.name.replace(/^\.\//, ''), `-> ${header.linkname}`);
        next();
      });
    });
    entries.once('finish', () => resolve(files));
    entries.once('error', () => resolve(undefined));
    context.once('error', () => resolve(undefined));
    signal.addEventListener('abort', () => resolve(undefined), { once: true });
    context.pipe(entries);
  });
}
