import { connect } from 'node:net';

/** A number that lives in redis. Its protocol is a line of text each way, for which nobody needs a package. */
export function counter(url: string, key: string): { add(): Promise<number> } {
  const { hostname, port } = new URL(url);
  return {
    add: () =>
      new Promise((resolve, reject) => {
        const socket = connect(Number(port), hostname, () => socket.write(`INCR ${key}\r\n`));
        socket.setTimeout(2000, () => socket.destroy(new Error('no answer within 2 s')));
        socket.on('error', reject);
        socket.once('data', (data) => {
          socket.end();
          const answer = /^:(\d+)\r\n$/.exec(data.toString());
          if (answer) resolve(Number(answer[1]));
          else reject(new Error(data.toString().trim()));
        });
      }),
  };
}
