import { RestartWatch, type HeldConnection } from './restartWatch';

const socket = (local: string, remote: string, state: string, inode: number): string =>
  `0: ${local} ${remote} ${state} 0:0 0:0 0 0 0 ${inode} 1`;
const listens = (inode: number): string => socket('00000000:0BB8', '00000000:0000', '0A', inode);
const held = (port: number): string => socket(`0100007F:${port}`, '0100007F:0BB8', '01', port);
const ended = (port: number): string => socket(`0100007F:${port}`, '0100007F:0BB8', '08', port);

/** What a pod's table of sockets shows from a time on, and which connections are opened then. Milliseconds. */
type Moment = readonly [at: number, table: readonly string[], ...opened: string[]];

/** Which connections were ended, and when, in the two seconds after something was changed at 0. */
async function watched(...moments: readonly Moment[]): Promise<readonly (readonly [string, number])[]> {
  const connections = new Map<string, HeldConnection>();
  const over: [string, number][] = [];
  let at = 0;
  let reached = -1;
  const reach = (): void => {
    for (const [index, [from, , ...opened]] of moments.entries()) {
      if (index <= reached || from > at) continue;
      reached = index;
      for (const name of opened)
        connections.set(name, {
          openedAt: at,
          openingMs: 20,
          heardAt: at,
          end: () => {
            connections.delete(name);
            over.push([name, at]);
          },
        });
    }
  };
  reach();
  const watch = new RestartWatch({
    port: 3000,
    now: () => at,
    connections: () => [...connections.values()],
    run: () => Promise.resolve(moments[reached]?.[1].join('\n')),
    pause: (ms) => {
      at += ms;
      reach();
      return Promise.resolve();
    },
  });
  await watch.extend();
  return over;
}

describe('the connections to a process that has started again', () => {
  it('end when another socket listens and none of them is held', async () => {
    const over = await watched([0, [listens(1), held(41)], 'kept'], [300, [listens(2), ended(41)]]);
    expect(over).toEqual([['kept', 300]]);
  });

  it('end before the next one listens', async () => {
    const over = await watched([0, [listens(1), held(41)], 'kept'], [60, [ended(41)]], [100, [listens(2), ended(41)]]);
    expect(over).toEqual([['kept', 75]]);
  });

  it('stay as long as the same socket listens, whoever ends what', async () => {
    expect(await watched([0, [listens(1), held(41)], 'asking'], [100, [listens(1), ended(41)]])).toEqual([]);
  });

  it('stay while the old process still answers one of them', async () => {
    const over = await watched(
      [0, [listens(1), held(41), held(42)], 'download', 'kept'],
      [60, [ended(41), held(42)]],
      [120, [listens(2), ended(41), held(42)]],
      [360, [listens(2), ended(41), ended(42)]],
    );
    expect(over).toEqual([
      ['download', 375],
      ['kept', 375],
    ]);
  });

  it('end each time when it starts again twice', async () => {
    const over = await watched(
      [0, [listens(1), held(41)], 'first'],
      [120, [listens(2)]],
      [240, [listens(2), held(42)], 'second'],
      [480, [listens(3)]],
    );
    expect(over).toEqual([
      ['first', 125],
      ['second', 500],
    ]);
  });

  it('are told from those to the new process', async () => {
    const over = await watched(
      [0, [listens(1), held(41)], 'kept'],
      [12, [held(41)]],
      [120, [listens(2), held(41), held(43)], 'new'],
      [240, [listens(2), ended(41), held(43)]],
    );
    expect(over).toEqual([['kept', 250]]);
  });

  it('end a little later when nobody saw them held, for they may not be made yet', async () => {
    const over = await watched([0, [listens(1)]], [48, [], 'reset'], [84, [listens(2)]]);
    expect(over).toEqual([['reset', 150]]);
  });

  it('may have sent something just before the end, which is waited for', async () => {
    const over = await watched([0, [listens(1)]], [24, [listens(1), held(41)], 'answered'], [36, [ended(41)]]);
    expect(over).toEqual([['answered', 50]]);
  });

  it('are left alone where the kernel cannot be asked', async () => {
    const connection = { openedAt: 0, openingMs: 0, heardAt: 0, end: () => expect('an end').toBe('none') };
    const run = () => Promise.resolve(undefined);
    await new RestartWatch({
      port: 3000,
      now: () => 0,
      connections: () => [connection],
      run,
      pause: () => Promise.reject(new Error()),
    }).extend();
  });
});
