import { PassThrough } from 'node:stream';
import type { Kube } from '../clients';
import { failed, succeeded } from '../model';
import { followLogs, type LoggedContainer, type LogLine } from '.';

interface Instance {
  readonly bytes: { readonly at: number; readonly text: Buffer }[];
  readonly readers: Set<PassThrough>;
  ended: boolean;
}

/** The logs of one container as a kubelet keeps them: of this life and the one before, each line with its time; asked for by the second. */
class KeptLog implements Pick<Kube, 'logs'> {
  private lives: Instance[] = [];
  private nanos = 0;
  private watchers: (() => void)[] = [];
  opened = 0;

  start(): void {
    this.lives.push({ bytes: [], readers: new Set(), ended: false });
    this.changed();
  }

  /** Ends the life, and with it every stream of it. */
  die(): void {
    const life = this.last();
    life.ended = true;
    for (const reader of life.readers) reader.end();
    this.changed();
  }

  write(text: string | Buffer, { sameTime = false, lineBreak = true } = {}): void {
    if (!sameTime) this.nanos += 150_000_000;
    const at = this.nanos;
    const seconds = new Date(Math.floor(at / 1e9) * 1000).toISOString().slice(0, 19);
    const stamp = Buffer.from(`${seconds}.${String(at % 1e9).padStart(9, '0')}Z `);
    const line = Buffer.concat([stamp, Buffer.from(text), Buffer.from(lineBreak ? '\n' : '')]);
    this.last().bytes.push({ at, text: line });
    for (const reader of this.last().readers) reader.write(line);
  }

  /** Breaks the connections, in the middle of what is being sent. */
  cut(half = ''): void {
    for (const reader of this.last().readers) {
      if (half !== '') reader.write(half);
      reader.end();
    }
    this.last().readers.clear();
  }

  logs(request: Parameters<Kube['logs']>[0]): ReturnType<Kube['logs']> {
    const life = request.previous ? this.lives.at(-2) : this.lives.at(-1);
    if (!life) return Promise.resolve(failed({ code: 'containerNotReady', message: 'not started', retry: 'afterDelay', exitCode: 1 }));
    const reader = new PassThrough();
    const since = request.sinceTime === undefined ? 0 : Math.floor(Date.parse(request.sinceTime) / 1000) * 1e9;
    for (const { at, text } of life.bytes) if (at >= since) reader.write(text);
    if (!request.follow || life.ended) reader.end();
    else life.readers.add(reader);
    request.signal?.addEventListener('abort', () => reader.destroy(), { once: true });
    this.opened += 1;
    this.changed();
    return Promise.resolve(succeeded(reader));
  }

  /** Waits until the follower has a stream of the present life. */
  async followed(): Promise<void> {
    while (this.last().readers.size === 0) await new Promise<void>((resolve) => this.watchers.push(resolve));
  }

  private changed(): void {
    for (const wake of this.watchers.splice(0)) wake();
  }

  private last(): Instance {
    const life = this.lives.at(-1);
    if (!life) throw new Error('nothing was started');
    return life;
  }
}

const seen = (part: Partial<LoggedContainer> = {}): LoggedContainer => ({
  id: 'containerd://1',
  service: 'worker',
  artifact: 'worker',
  namespace: 'shop',
  pod: 'worker-1',
  podUid: 'u1',
  container: 'worker',
  running: true,
  ...part,
});

function follow(kube: Pick<Kube, 'logs'>, since?: Date) {
  const lines: LogLine[] = [];
  let wake: () => void = () => undefined;
  const onLine = (line: LogLine): void => {
    lines.push(line);
    wake();
  };
  const follower = followLogs({ kube, onLine, ...(since ? { since } : {}) });
  const texts = () => lines.map(({ line }) => line);
  const until = async (last: string): Promise<readonly string[]> => {
    while (texts().at(-1) !== last) await new Promise<void>((resolve) => (wake = resolve));
    return texts();
  };
  return { lines, texts, until, follower };
}

describe('followLogs', () => {
  test('says of which container a line is, without its time', async () => {
    const kept = new KeptLog();
    const { lines, until, follower } = follow(kept);
    kept.start();
    follower.update([seen()]);
    kept.write('hello world');
    await until('hello world');
    expect(lines).toEqual([
      {
        service: 'worker',
        artifact: 'worker',
        pod: 'worker-1',
        container: 'worker',
        time: expect.any(String) as string,
        line: 'hello world',
      },
    ]);
    follower.stop();
  });

  test('a cut connection neither loses nor doubles lines, even of one time, nor half a line, and the kubelet has no say', async () => {
    const kept = new KeptLog();
    const { until, follower } = follow(kept);
    kept.start();
    follower.update([seen()]);
    kept.write('1');
    kept.write('2');
    kept.write('3', { sameTime: true });
    await until('3');
    kept.cut('1970-01-01T00:00:00.300000000Z hal');
    kept.write('4', { sameTime: true });
    kept.write('half a line');
    await until('half a line');
    await kept.followed();
    kept.cut('unable to retrieve container logs for containerd://1\n');
    kept.write('5');
    expect(await until('5')).toEqual(['1', '2', '3', '4', 'half a line', '5']);
    follower.stop();
  });

  test('the last lines of a container that died unread come before those of the next', async () => {
    const kept = new KeptLog();
    const { until, follower } = follow(kept);
    kept.start();
    follower.update([seen()]);
    kept.write('1');
    await until('1');
    kept.cut();
    kept.write('2');
    kept.write('last words', { lineBreak: false });
    kept.die();
    kept.start();
    kept.write('3');
    follower.update([seen({ id: 'containerd://2' })]);
    expect(await until('3')).toEqual(['1', '2', 'last words', '3']);
    follower.stop();
  });

  test('a container that ends is read to its end, and followed again when it is back', async () => {
    const kept = new KeptLog();
    const { until, follower } = follow(kept);
    kept.start();
    follower.update([seen()]);
    kept.write('1');
    await until('1');
    kept.write('no line break', { lineBreak: false });
    kept.die();
    follower.update([seen({ running: false })]);
    await until('no line break');
    kept.start();
    follower.update([seen({ id: 'containerd://2' })]);
    kept.write('2');
    expect(await until('2')).toEqual(['1', 'no line break', '2']);
    follower.stop();
  });

  test('a container that is no longer listed is still heard until it has ended', async () => {
    const kept = new KeptLog();
    const { until, follower } = follow(kept);
    kept.start();
    follower.update([seen()]);
    kept.write('1');
    await until('1');
    follower.update([]);
    kept.write('stopping');
    await until('stopping');
    kept.write('stopped');
    kept.die();
    expect(await until('stopped')).toEqual(['1', 'stopping', 'stopped']);
    follower.stop();
  });

  test('of what ran before only lines since the beginning are wanted, of what starts later all', async () => {
    const before = new KeptLog();
    before.start();
    for (let index = 0; index < 20; index += 1) before.write(`old ${index}`);
    const { texts, until, follower } = follow(before, new Date(2_000));
    follower.update([seen()]);
    await until('old 19');
    expect(texts()[0]).toBe('old 13');
    follower.update([seen(), seen({ podUid: 'u2', pod: 'worker-2' })]);
    while (texts().length < 27) await until('old 19').then(() => new Promise((resolve) => setImmediate(resolve)));
    expect(texts().slice(7, 9)).toEqual(['old 0', 'old 1']);
    follower.stop();
  });

  test('bytes that are no UTF-8 do not stop it, and a character may come in two pieces', async () => {
    const kept = new KeptLog();
    const { until, follower } = follow(kept);
    kept.start();
    follower.update([seen()]);
    await kept.followed();
    kept.write(Buffer.from([0xff, 0x41]));
    kept.write('ä');
    expect(await until('ä')).toEqual(['\ufffdA', 'ä']);
    follower.stop();
  });
});
