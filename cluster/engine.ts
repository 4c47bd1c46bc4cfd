import { createWriteStream } from 'node:fs';
import { request, type RequestOptions } from 'node:http';
import type { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { MARKER_LABEL, MARKER_VALUE } from './layout';
import { ClusterProblem, wordsOf } from './problem';

interface Answer {
  readonly status: number;
  readonly text: string;
}

/** The few things that are asked of a Docker engine, through its socket. */
export class Engine {
  constructor(readonly socket: string) {}

  /** Whether it answers, and if so whether it is one that an embedded cluster started. */
  async ping(timeoutMs = 2_000): Promise<'silent' | 'ours' | 'theirs'> {
    try {
      const { status, text } = await this.ask('GET', '/info', { timeoutMs });
      if (status !== 200) return 'silent';
      const labels = (JSON.parse(text) as { Labels?: string[] | null }).Labels ?? [];
      return labels.includes(`${MARKER_LABEL}=${MARKER_VALUE}`) ? 'ours' : 'theirs';
    } catch {
      return 'silent';
    }
  }

  async hasImage(reference: string): Promise<boolean> {
    return (await this.labelsOf(reference)) !== undefined;
  }

  /** An image's labels, or nothing when the engine has no such image. */
  async labelsOf(reference: string): Promise<Readonly<Record<string, string>> | undefined> {
    const { status, text } = await this.ask('GET', `/images/${encodeURIComponent(reference)}/json`);
    return status === 200
      ? ((JSON.parse(text) as { Config?: { Labels?: Record<string, string> | null } }).Config?.Labels ?? {})
      : undefined;
  }

  /** Takes a name from an image; its layers stay while another name or image needs them. */
  async untag(reference: string): Promise<void> {
    await this.ask('DELETE', `/images/${encodeURIComponent(reference)}`);
  }

  /** Whether the engine reaches the registry that an image comes from. */
  async reachesRegistryOf(reference: string, timeoutMs: number): Promise<boolean> {
    try {
      return (await this.ask('GET', `/distribution/${reference}/json`, { timeoutMs })).status === 200;
    } catch {
      return false;
    }
  }

  /** Pulls an image; false when that did not work within the time given. */
  async pull(image: string, tag: string, timeoutMs: number): Promise<boolean> {
    const query = new URLSearchParams({ fromImage: image, tag });
    try {
      const { status } = await this.ask('POST', `/images/create?${query.toString()}`, { timeoutMs });
      // A pull that breaks off later still answers 200; the image is what counts.
      return status === 200 && (await this.hasImage(`${image}:${tag}`));
    } catch {
      return false;
    }
  }

  /** Makes an image of one layer from a tar stream of its whole file system. */
  async importImage({
    image,
    tag,
    changes,
    files,
  }: {
    readonly image: string;
    readonly tag: string;
    readonly changes: readonly string[];
    readonly files: Readable;
  }): Promise<void> {
    const query = new URLSearchParams({ fromSrc: '-', repo: image, tag });
    for (const change of changes) query.append('changes', change);
    const { status, text } = await this.ask('POST', `/images/create?${query.toString()}`, { timeoutMs: 300_000, body: files });
    if (status !== 200 || !(await this.hasImage(`${image}:${tag}`)))
      throw new ClusterProblem(`the engine did not take the image ${image}:${tag}: ${text.trim()}`);
  }

  /** Writes an image as an archive that other container runtimes read. */
  save(reference: string, file: string): Promise<void> {
    return new Promise((resolve, reject) => {
      const fail = (words: string) => reject(new ClusterProblem(`the engine did not give the image ${reference}: ${words}`));
      const asked = request({ socketPath: this.socket, path: `/images/${encodeURIComponent(reference)}/get` }, (response) => {
        if (response.statusCode === 200)
          pipeline(response, createWriteStream(file)).then(resolve, (error: unknown) => fail(wordsOf(error)));
        else {
          response.resume();
          fail(`it answered ${response.statusCode ?? 0}`);
        }
      });
      asked.on('error', (error) => fail(wordsOf(error)));
      asked.end();
    });
  }

  private ask(
    method: string,
    path: string,
    { timeoutMs = 10_000, body }: { readonly timeoutMs?: number; readonly body?: Readable } = {},
  ): Promise<Answer> {
    return new Promise((resolve, reject) => {
      const options: RequestOptions = {
        socketPath: this.socket,
        method,
        path,
        headers: body === undefined ? {} : { 'content-type': 'application/x-tar' },
      };
      const asked = request(options, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('error', reject);
        response.on('end', () => {
          clearTimeout(timer);
          resolve({ status: response.statusCode ?? 0, text });
        });
      });
      const timer = setTimeout(() => asked.destroy(new Error(`no answer in ${timeoutMs} ms`)), timeoutMs);
      asked.on('error', (error) => {
        clearTimeout(timer);
        reject(new ClusterProblem(`the engine at ${this.socket} did not answer: ${wordsOf(error)}`));
      });
      if (body === undefined) asked.end();
      else body.on('error', (error) => asked.destroy(error)).pipe(asked);
    });
  }
}

/** The socket of the engine that Docker's own client would use, or nothing when that engine is not on this machine. */
export function hostEngineSocket(env: NodeJS.ProcessEnv): string | undefined {
  const host = env['DOCKER_HOST'];
  if (host === undefined || host === '') return '/var/run/docker.sock';
  return host.startsWith('unix://') ? host.slice('unix://'.length) : undefined;
}
