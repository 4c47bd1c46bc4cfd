import { PassThrough } from 'node:stream';
import type { Exec } from '../clients';
import { silenceMs, unlessSilent } from './silence';

describe('how long a process that was started in a container may say nothing', () => {
  beforeEach(() => jest.useFakeTimers({ doNotFake: ['nextTick', 'setImmediate'] }));
  afterEach(() => jest.useRealTimers());

  const started = () => {
    let closed = false;
    const stdout = new PassThrough();
    const close = (): void => {
      closed = true;
      stdout.end();
    };
    const ended = new Promise<never>(() => undefined);
    const exec: Exec = { stdin: new PassThrough(), stdout, stderr: new PassThrough(), ended, close };
    const heard: string[] = [];
    const end = new Promise<readonly string[]>((resolve) => {
      stdout.on('data', (chunk: Buffer) => heard.push(chunk.toString())).once('end', () => resolve(heard));
    });
    const say = async (word: string): Promise<void> => {
      stdout.write(word);
      await new Promise((resolve) => setImmediate(resolve));
    };
    return { exec, end, say, isClosed: () => closed };
  };

  it('is twice as long at each further try, up to a minute', () => {
    expect([0, 1, 2, 3, 4, 50].map(silenceMs)).toEqual([6_000, 12_000, 24_000, 48_000, 60_000, 60_000]);
  });

  it('begins anew with each word, and what is silent then is closed', async () => {
    const { exec, end, say, isClosed } = started();
    const hearing = unlessSilent(exec, 1000, () => end);
    for (const word of ['one', 'two', 'three']) {
      jest.advanceTimersByTime(900);
      await say(word);
    }
    expect(isClosed()).toBe(false);
    jest.advanceTimersByTime(1000);
    expect(await hearing).toEqual({ answer: ['one', 'two', 'three'], wasSilent: true });
    expect(jest.getTimerCount()).toBe(0);
  });

  it('is over with the answer, also for one that goes on talking', async () => {
    const { exec, say, isClosed } = started();
    exec.stdout.resume();
    expect(await unlessSilent(exec, 1000, () => Promise.resolve('done'))).toEqual({ answer: 'done', wasSilent: false });
    await say('more');
    expect(jest.getTimerCount()).toBe(0);
    jest.advanceTimersByTime(5000);
    expect(isClosed()).toBe(false);
  });

  it('is over when hearing it out fails', async () => {
    const { exec } = started();
    await expect(unlessSilent(exec, 1000, () => Promise.reject(new Error('not a word of it')))).rejects.toThrow('not a word');
    expect(jest.getTimerCount()).toBe(0);
  });
});
