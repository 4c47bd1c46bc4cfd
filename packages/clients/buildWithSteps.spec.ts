import { createServer } from 'node:http';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { readSteps } from './buildWithSteps';
import { connectEngine } from './connectEngine';
import type { BuildRequest } from './engine';

/** What an engine prints, as the messages of its answer. */
async function read(...messages: readonly object[]) {
  const lines: string[] = [];
  const answer = Readable.from([Buffer.from(messages.map((message) => `${JSON.stringify(message)}\r\n`).join(''))]);
  const { signal } = new AbortController();
  const request: Pick<BuildRequest, 'signal' | 'onLine' | 'dockerfile'> = {
    signal,
    dockerfile: 'Dockerfile',
    onLine: (line) => lines.push(line),
  };
  const result = await readSteps(answer, request as BuildRequest);
  return { lines, result };
}
const printed = (...texts: readonly string[]) => texts.map((stream) => ({ stream }));

it('tells each step once, whether it was done before, and what it prints', async () => {
  const { lines, result } = await read(
    ...printed('Step 1/3 : FROM busybox', '\n', ' ---> 0123\n', 'Step 2/3 : WORKDIR /app\n', ' ---> Using cache\n', ' ---> 4567\n'),
    ...printed(
      'Step 3/3 : RUN make\n',
      ' ---> Running in 89ab\n',
      'half a ',
      'line\n10%\r100%\n',
      'Removing intermediate container 89ab\n',
    ),
    { aux: { ID: 'sha256:made' } },
    ...printed('Successfully built made\n'),
  );
  expect(result).toEqual({ ok: true, value: { imageId: 'sha256:made' } });
  expect(lines).toEqual(['[1/3] FROM busybox', '[2/3] WORKDIR /app (cached)', '[3/3] RUN make', 'half a line', '100%']);
});

it('tells the command that failed, with its exit code and what it printed last', async () => {
  const error = "The command '/bin/sh -c make' returned a non-zero code: 2";
  const { result } = await read(...printed('Step 1/2 : FROM x\n', 'Step 2/2 : RUN make\n', ' ---> Running in 1\n', 'no rule\n'), {
    error,
    errorDetail: { code: 2, message: error },
  });
  expect(result).toMatchObject({
    ok: false,
    problem: { code: 'buildFailed', message: 'the build failed at RUN make: exit code 2', instruction: 'RUN make', detail: 'no rule' },
  });
});

it.each([
  ['RUN --mount=type=cache,target=/c true', 'the --mount option requires BuildKit. Refer to https://docs.docker.com/go/buildkit/'],
  ['COPY --chmod=755 a /a', 'the --chmod option requires BuildKit'],
])('names the instruction that needs BuildKit: %s', async (instruction, message) => {
  const { result } = await read(...printed('Step 1/2 : FROM x\n', `Step 2/2 : ${instruction}\n`), { error: message });
  expect(result).toMatchObject({
    ok: false,
    problem: { code: 'buildkitNeeded', instruction, message: expect.stringContaining(instruction) as string },
  });
});

it('says nothing of a build whose answer was cut off', async () => {
  expect((await read(...printed('Step 1/2 : FROM x\n'))).result).toBeUndefined();
});

describe('an engine without BuildKit', () => {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-engine-'));
  const socketPath = join(folder, 'docker.sock');
  const asked: URL[] = [];
  const pinged: Record<string, string> = {};
  const server = createServer((request, response) => {
    for (const [name, value] of Object.entries(pinged)) response.setHeader(name, value);
    asked.push(new URL(request.url ?? '', 'http://engine'));
    request.resume();
    request.once('end', () => response.end(request.url?.includes('/build') === true ? '{"aux":{"ID":"sha256:made"}}\n' : 'OK'));
  });
  beforeAll((done) => void server.listen(socketPath, done));
  afterAll((done) => {
    server.close(done);
    rmSync(folder, { recursive: true });
  });
  const build = (more: Partial<BuildRequest>) =>
    connectEngine({ socketPath }).build({
      context: Readable.from([Buffer.alloc(1024)]),
      dockerfile: 'Dockerfile',
      args: {},
      labels: {},
      tags: [],
      signal: new AbortController().signal,
      onLine: () => undefined,
      ...more,
    });

  it.each<[string, Record<string, string>, string]>([
    ['of another kind', { 'Builder-Version': '', 'API-Version': '1.41', OSType: 'linux' }, '1'],
    ['that is too old', { 'Builder-Version': '1', 'API-Version': '1.38', OSType: 'linux' }, '1'],
    ['of Windows', { 'Builder-Version': '1', 'API-Version': '1.47', OSType: 'windows' }, '1'],
    ['that has it and names no builder', { 'API-Version': '1.41', OSType: 'linux' }, '2'],
    ['that has it and does not take it by itself', { 'Builder-Version': '1', 'API-Version': '1.41', OSType: 'linux' }, '2'],
    ['that takes it by itself', { 'Builder-Version': '2', 'API-Version': '1.47', OSType: 'linux' }, '2'],
  ])('is one %s', async (_, headers, version) => {
    Object.assign(pinged, headers);
    asked.length = 0;
    expect(await build({})).toMatchObject({ ok: true, value: { imageId: 'sha256:made' } });
    expect(asked.find(({ pathname }) => pathname === '/build')?.searchParams.get('version')).toBe(version);
    for (const name of Object.keys(headers)) Reflect.deleteProperty(pinged, name);
  });

  it.each<[string, Partial<BuildRequest>]>([
    ['image.docker.buildkit: true', { buildkit: 'needed' }],
    ['image.docker.secrets', { secrets: new Map([['token', Buffer.from('x')]]) }],
  ])('is told by its address when there is %s', async (wanted, more) => {
    expect(await build(more)).toMatchObject({
      ok: false,
      problem: {
        code: 'buildkitNotFound',
        exitCode: 3,
        message: `the Docker engine at unix://${socketPath} has no BuildKit, which ${wanted} asks for`,
      },
    });
  });
});
