import { get } from 'node:http';
import { json } from 'node:stream/consumers';

/** Prices in cents by the name of an item, as the service at a URL has them now. */
export function pricesIn(url: string): () => Promise<Readonly<Record<string, number>>> {
  return () =>
    new Promise((resolve, reject) => {
      const request = get(`${url}/prices`, { timeout: 2000 }, (answer) => {
        if (answer.statusCode === 200) json(answer).then((prices) => resolve(prices as Record<string, number>), reject);
        else reject(new Error(`${answer.statusCode} ${answer.statusMessage}`));
      });
      request.on('timeout', () => request.destroy(new Error('no answer within 2 s')));
      request.on('error', reject);
    });
}
