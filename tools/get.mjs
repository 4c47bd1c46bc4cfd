import { get as httpGet } from 'node:http';

/** The body of an answer with status 200, over a connection of its own; undefined for anything else. */
export function get(url, limitMs = 2000) {
  return new Promise((resolve) => {
    const request = httpGet(url, { agent: false, timeout: limitMs }, (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk) => (text += chunk));
      response.on('end', () => resolve(response.statusCode === 200 ? text : undefined));
      response.on('error', () => resolve(undefined));
    });
    request.on('timeout', () => request.destroy());
    request.on('error', () => resolve(undefined));
  });
}
