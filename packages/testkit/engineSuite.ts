/// <reference types="jest" />
import { PassThrough, Readable } from 'node:stream';
import { extract, pack } from 'tar-stream';
import type { BuildRequest, Engine } from '../clients';
import type { Result } from '../model';

export interface EngineSubject {
  readonly engine: Engine;
  /** Where images of the suite may go: `localhost:5000/suite`. */
  readonly repository: string;
  /** A base image with a shell that the engine has. */
  readonly base: string;
  /** A container that runs, and has a shell. */
  readonly container: { readonly name: string; readonly labels: Readonly<Record<string, string>> };
  close(): Promise<void>;
}

/** What everyone may expect of an `Engine`: run against the fake and against a real one. */
export function engineSuite(name: string, open: () => Promise<EngineSubject>): void {
  describe(name, () => {
    let subject: EngineSubject;
    let opened = false;
    beforeAll(async () => {
      subject = await open();
      opened = true;
    }, 60_000);
    // Without what it opened there is nothing to close, and the reason has been told already.
    afterAll(() => (opened ? subject.close() : Promise.resolve()), 60_000);

    const build = async (
      files: Readonly<Record<string, string>>,
      request: Partial<BuildRequest> = {},
    ): Promise<{ result: Result<{ readonly imageId: string }>; lines: string[] }> => {
      const lines: string[] = [];
      const entries = pack();
      for (const [path, content] of Object.entries(files)) entries.entry({ name: path }, content);
      entries.finalize();
      const context = new PassThrough();
      entries.pipe(context);
      const signal = new AbortController().signal;
      const result = await subject.engine.build({
        context,
        dockerfile: 'Dockerfile',
        args: {},
        labels: {},
        tags: [],
        signal,
        onLine: (line) => lines.push(line),
        ...request,
      });
      return { result, lines };
    };
    const push = (ref: string) => subject.engine.push({ ref, signal: new AbortController().signal, onLine: () => undefined });

    it('answers a ping with what it is', async () => {
      expect(valueOf(await subject.engine.ping()).platform).toMatch(/^\w+\/\w+$/);
    });

    it('tells how much it keeps of earlier builds', async () => {
      await build({ Dockerfile: `FROM ${subject.base}\nRUN echo ${subject.repository} > /kept\n` });
      expect(valueOf(await subject.engine.cacheBytes())).toBeGreaterThan(0);
    });

    it('builds an image, finds it under all its tags, and reads its config back', async () => {
      const Dockerfile =
        'FROM scratch\nCOPY a /a\nENV X=y\nUSER 1000\nWORKDIR /w\nLABEL own=1\nENTRYPOINT ["/run"]\nCMD ["it"]\nONBUILD COPY b /b\n';
      const tags = [`${subject.repository}/config:1`, `${subject.repository}/config:2`];
      const { result } = await build({ Dockerfile, a: 'content' }, { tags, labels: { 'slipway.dev/test': 'config' } });
      const { imageId } = valueOf(result);
      for (const tag of tags) expect(valueOf(await subject.engine.imageId(tag))).toBe(imageId);
      expect(valueOf(await subject.engine.inspect(tags[0] ?? ''))).toMatchObject({
        id: imageId,
        entrypoint: ['/run'],
        command: ['it'],
        env: expect.arrayContaining(['X=y']) as string[],
        workingDir: '/w',
        user: '1000',
        labels: { own: '1', 'slipway.dev/test': 'config' },
        onBuild: ['COPY b /b'],
      });
      const listed = valueOf(await subject.engine.list({ name: 'slipway.dev/test', value: 'config' }));
      expect(listed.find((image) => image.id === imageId)?.refs).toEqual(expect.arrayContaining(tags));
    }, 60_000);

    it('takes a Dockerfile from anywhere in the context, a target and arguments', async () => {
      const Dockerfile = 'ARG BASE\nFROM ${BASE} AS first\nLABEL stage=first\nFROM first AS second\nLABEL stage=second\n';
      const request = {
        dockerfile: 'deep/Dockerfile',
        target: 'first',
        args: { BASE: subject.base },
        tags: [`${subject.repository}/target:1`],
      };
      valueOf((await build({ 'deep/Dockerfile': Dockerfile }, request)).result);
      expect(valueOf(await subject.engine.inspect(`${subject.repository}/target:1`))?.labels['stage']).toBe('first');
    }, 60_000);

    it('names each step in its lines', async () => {
      const { lines } = await build({ Dockerfile: 'FROM scratch\nCOPY a /named\n', a: 'x' });
      expect(lines.join('\n')).toContain('COPY a /named');
    });

    it('tells the line of an instruction that does not exist', async () => {
      const { result } = await build({ Dockerfile: `FROM ${subject.base}\n\nRUNN x\n` });
      expect(problemOf(result)).toMatchObject({
        code: 'buildFailed',
        message: expect.stringContaining('unknown instruction: RUNN') as string,
        retry: 'whenInputChanges',
        location: { file: 'Dockerfile', line: 3 },
      });
    });

    it('tells the command that failed, its exit code and what it printed', async () => {
      const { result } = await build({ Dockerfile: `FROM ${subject.base}\nRUN echo the reason; exit 3\n` });
      expect(problemOf(result)).toMatchObject({ code: 'buildFailed', retry: 'whenInputChanges', detail: 'the reason' });
      expect(problemOf(result)?.message).toMatch(/RUN echo the reason; exit 3.*exit code 3/);
    }, 60_000);

    it('tells the file that a COPY does not find', async () => {
      const { result } = await build({ Dockerfile: 'FROM scratch\nCOPY missing /x\n' });
      expect(problemOf(result)).toMatchObject({
        code: 'buildFailed',
        message: expect.stringMatching(/COPY missing \/x.*missing" not found/) as string,
      });
    });

    it('tells the base image that cannot be had', async () => {
      const { result } = await build({ Dockerfile: 'FROM localhost:1/no/such:image\n' });
      expect(problemOf(result)).toMatchObject({
        code: 'baseImageNotFound',
        message: expect.stringContaining('localhost:1/no/such:image') as string,
      });
    });

    it('builds without BuildKit, step by step, and says which instruction needs it', async () => {
      const steps = `FROM ${subject.base} AS first\nRUN echo made > /made\n`;
      const without = { buildkit: 'none' } as const;
      const ref = `${subject.repository}/target:1`;
      const made = await build({ Dockerfile: steps }, { ...without, tags: [ref], labels: { 'slipway.dev/test': 'steps' } });
      expect(valueOf(made.result).imageId).toBe(valueOf(await subject.engine.imageId(ref)));
      expect(made.lines.join('\n')).toContain('RUN echo made > /made');
      const broken = await build({ Dockerfile: `${steps}RUN echo the reason; exit 3\n` }, without);
      expect(problemOf(broken.result)).toMatchObject({ code: 'buildFailed', detail: 'the reason', location: { file: 'Dockerfile' } });
      expect(problemOf(broken.result)?.message).toMatch(/^the build failed at RUN echo the reason; exit 3: exit code 3$/);
      const mounted = await build({ Dockerfile: `${steps}RUN --mount=type=cache,target=/c true\n` }, without);
      expect(problemOf(mounted.result)).toMatchObject({
        code: 'buildkitNeeded',
        message: expect.stringMatching(/^RUN --mount=type=cache,target=\/c true needs BuildKit/) as string,
      });
      expect(problemOf((await build({ Dockerfile: 'FROM localhost:1/no/such:image\n' }, without)).result)).toMatchObject({
        code: 'baseImageNotFound',
        message: expect.stringContaining('localhost:1/no/such:image') as string,
      });
      valueOf(await subject.engine.remove(ref));
    }, 120_000);

    it.each(['with', 'without'])(
      'stops a build that is aborted, %s BuildKit',
      async (way) => {
        const stop = new AbortController();
        const { result } = await build(
          { Dockerfile: `FROM ${subject.base}\nRUN sleep 600\n` },
          {
            signal: stop.signal,
            onLine: (line) => line.includes('sleep 600') && stop.abort(),
            ...(way === 'without' && { buildkit: 'none' }),
          },
        );
        expect(problemOf(result)?.code).toBe('aborted');
      },
      30_000,
    );

    it('pushes an image and gives the digest, the same one again for the same image', async () => {
      const ref = `${subject.repository}/pushed:1`;
      valueOf((await build({ Dockerfile: 'FROM scratch\nCOPY a /a\n', a: 'pushed' }, { tags: [ref] })).result);
      const { digest } = valueOf(await push(ref));
      expect(digest).toMatch(/^sha256:[0-9a-f]{64}$/);
      expect(valueOf(await push(ref)).digest).toBe(digest);
    }, 60_000);

    it('pulls an image back by its digest, and says when the registry has none', async () => {
      const ref = `${subject.repository}/pulled:1`;
      valueOf((await build({ Dockerfile: 'FROM scratch\nCOPY a /a\n', a: 'pulled' }, { tags: [ref] })).result);
      const imageId = valueOf(await subject.engine.imageId(ref));
      const { digest } = valueOf(await push(ref));
      valueOf(await subject.engine.remove(ref));
      const pull = (pulled: string) => subject.engine.pull({ ref: pulled, signal: new AbortController().signal, onLine: () => undefined });
      const name = ref.replace(/:1$/, '');
      valueOf(await pull(`${ref}@${digest}`));
      valueOf(await subject.engine.tag(`${name}@${digest}`, `${name}:2`));
      expect(valueOf(await subject.engine.imageId(`${name}:2`))).toBe(imageId);
      expect(problemOf(await pull(`${name}:none`))?.code).toBe('pullRefused');
    }, 60_000);

    it('hands an image out as an archive of its layers, and nothing for one that it does not have', async () => {
      const ref = `${subject.repository}/named:saved`;
      valueOf((await build({ Dockerfile: 'FROM scratch\nCOPY a /a\n', a: 'saved' }, { tags: [ref] })).result);
      const archive = valueOf(await subject.engine.save(ref));
      const names: string[] = [];
      const entries = extract();
      archive?.pipe(entries);
      for await (const entry of entries) {
        names.push(entry.header.name);
        entry.resume();
      }
      expect(names).toContain('manifest.json');
      valueOf(await subject.engine.remove(ref));
      expect(valueOf(await subject.engine.save(ref))).toBeUndefined();
    }, 60_000);

    it('refuses to push what it does not have', async () => {
      expect(problemOf(await push(`${subject.repository}/nothing:1`))?.code).toBe('pushRefused');
    });

    it('finds a running container by its labels, all of them', async () => {
      const { name, labels } = subject.container;
      expect(valueOf(await subject.engine.containers(labels))).toEqual([name]);
      expect(valueOf(await subject.engine.containers({ ...labels, 'slipway.dev/test': 'another' }))).toEqual([]);
    });

    it('runs a command in a container: what goes in, what comes out on which side, and how it ended', async () => {
      const run = (script: string, input?: Readable) =>
        subject.engine.exec({ container: subject.container.name, command: ['sh', '-c', script], ...(input && { input }) });
      const many = Buffer.alloc(3_000_000, 'x');
      expect(await run('wc -c', Readable.from([many, many], { objectMode: false }))).toEqual({
        ok: true,
        value: { exitCode: 0, stdout: '6000000\n', stderr: '' },
      });
      expect(await run('echo out; echo err >&2; exit 3')).toEqual({ ok: true, value: { exitCode: 3, stdout: 'out\n', stderr: 'err\n' } });
      // It does not wait for what it does not read.
      expect(await run('exit 4', Readable.from([many], { objectMode: false }))).toMatchObject({ ok: true, value: { exitCode: 4 } });
      expect(problemOf(await subject.engine.exec({ container: 'no-such-container', command: ['true'] }))?.code).toBe('engineRefused');
    });

    it('gives an image another name and takes it away again', async () => {
      const [ref, other] = [`${subject.repository}/named:1`, `${subject.repository}/other:1`];
      const { imageId } = valueOf((await build({ Dockerfile: 'FROM scratch\nCOPY a /a\n', a: 'named' }, { tags: [ref] })).result);
      valueOf(await subject.engine.tag(ref, other));
      expect(valueOf(await subject.engine.imageId(other))).toBe(imageId);
      valueOf(await subject.engine.remove(other));
      expect(valueOf(await subject.engine.imageId(other))).toBeUndefined();
      expect(valueOf(await subject.engine.imageId(ref))).toBe(imageId);
      expect(await subject.engine.remove(other)).toEqual({ ok: true, value: undefined });
    });
  });
}

function valueOf<T>(result: Result<T>): T {
  if (result.ok) return result.value;
  throw new Error(`${result.problem.code}: ${result.problem.message}`);
}

function problemOf(result: Result<unknown>) {
  return result.ok ? undefined : result.problem;
}
