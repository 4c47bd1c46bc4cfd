import { Agent, request } from 'node:https';
import { ClusterProblem, wordsOf } from './problem';

/** The API server, asked with a token and verified with the certificate it made. */
export class Api {
  private readonly agent: Agent;

  constructor(
    private readonly url: string,
    private readonly token: string,
    authority: string,
  ) {
    this.agent = new Agent({ ca: authority, keepAlive: true });
  }

  /** The object, or nothing when there is none or the server does not answer. */
  async get<T>(path: string): Promise<T | undefined> {
    try {
      const { status, text } = await this.ask('GET', path);
      return status === 200 ? (JSON.parse(text) as T) : undefined;
    } catch {
      return undefined;
    }
  }

  /** Whether a path answers well, whatever it says. */
  async answers(path: string): Promise<boolean> {
    try {
      return (await this.ask('GET', path)).status === 200;
    } catch {
      return false;
    }
  }

  /** Server-side apply: the same call makes, mends and leaves alone. */
  async apply(path: string, object: object): Promise<void> {
    const { status, text } = await this.ask('PATCH', `${path}?fieldManager=slipway-cluster&force=true`, JSON.stringify(object));
    if (status !== 200 && status !== 201) throw new ClusterProblem(`the API server refused ${path}: ${text.trim()}`);
  }

  close(): void {
    this.agent.destroy();
  }

  private ask(method: string, path: string, body?: string): Promise<{ readonly status: number; readonly text: string }> {
    return new Promise((resolve, reject) => {
      const headers: Record<string, string> = { authorization: `Bearer ${this.token}`, accept: 'application/json' };
      if (body !== undefined) headers['content-type'] = 'application/apply-patch+yaml';
      const asked = request(`${this.url}${path}`, { method, agent: this.agent, headers, timeout: 5_000 }, (response) => {
        let text = '';
        response.setEncoding('utf8').on('data', (chunk: string) => (text += chunk));
        response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
        response.on('error', reject);
      });
      asked.on('timeout', () => asked.destroy(new Error('no answer in 5 s')));
      asked.on('error', (error) => reject(new ClusterProblem(`the API server at ${this.url} did not answer: ${wordsOf(error)}`)));
      asked.end(body);
    });
  }
}
