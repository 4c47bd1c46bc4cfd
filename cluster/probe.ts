import { request } from 'node:http';

/** The status that a plain HTTP address answers with, 0 when it does not answer. */
export function get(url: string, timeoutMs = 1_000): Promise<number> {
  return new Promise((resolve) => {
    const asked = request(url, { timeout: timeoutMs, agent: false }, (response) => {
      response.resume();
      resolve(response.statusCode ?? 0);
    });
    asked.on('timeout', () => asked.destroy());
    asked.on('error', () => resolve(0));
    asked.end();
  });
}
