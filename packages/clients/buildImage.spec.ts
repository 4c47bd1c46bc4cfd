import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { connectEngine } from '.';

const folder = mkdtempSync(join(tmpdir(), 'slipway-engine-'));
afterAll(() => rmSync(folder, { recursive: true }));

/** An engine that is in the middle of a build when something happens to it. */
async function building(happens: (answer: ServerResponse) => void) {
  const server = createServer((request, answer) => {
    request.resume();
    if (!request.url?.includes('/build')) return void answer.writeHead(404).end();
    answer.writeHead(200).write('{"id":"moby.buildkit.trace","aux":""}\n');
    happens(answer);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const engine = connectEngine({
    env: { DOCKER_HOST: `tcp://127.0.0.1:${(server.address() as AddressInfo).port}`, DOCKER_CONFIG: folder },
  });
  try {
    return await engine.build({
      context: Readable.from([Buffer.alloc(1024)]),
      dockerfile: 'Dockerfile',
      args: {},
      labels: {},
      tags: [],
      signal: new AbortController().signal,
      onLine: () => undefined,
    });
  } finally {
    server.closeAllConnections();
    server.close();
  }
}

describe('an engine that is in the middle of a build', () => {
  it.each<[string, (answer: ServerResponse) => void]>([
    ['is killed', (answer) => answer.destroy()],
    ['ends its answer without a word', (answer) => answer.end()],
    ['is cut off within a line', (answer) => answer.end('{"aux":{"ID":"sha2')],
  ])('and %s has not built anything, and is out of reach', async (_, happens) => {
    expect(await building(happens)).toMatchObject({ ok: false, problem: { code: 'engineUnreachable', exitCode: 3, retry: 'afterDelay' } });
  });
});
