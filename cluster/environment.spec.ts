import { shellLines, type Environment } from './environment';
import { hierarchiesOf } from './cgroup';
import { readArguments } from './arguments';
import { clock, progressTo } from './progress';
import { toldBy } from './told';

const environment: Environment = {
  kind: 'embedded',
  kubeconfig: '/var/lib/x/kubeconfig',
  context: 'slipway',
  dockerHost: 'unix:///var/lib/x/docker.sock',
  registry: '10.200.0.2:5000',
};

describe('what cluster:env prints', () => {
  test('is what a shell needs', () => {
    expect(shellLines(environment)).toEqual([
      'export KUBECONFIG=/var/lib/x/kubeconfig',
      'export DOCKER_HOST=unix:///var/lib/x/docker.sock',
    ]);
  });
  test('leaves out what is not ours to set, and quotes what a shell would split', () => {
    expect(shellLines({ ...environment, dockerHost: undefined, kubeconfig: "/home/o'neil/my config" })).toEqual([
      `export KUBECONFIG='/home/o'\\''neil/my config'`,
    ]);
  });
});

describe('a cluster that is told', () => {
  test('comes from flags, then from SLIPWAY_ variables, never from KUBECONFIG alone', () => {
    expect(toldBy({}, { KUBECONFIG: '/x' })).toBeUndefined();
    expect(toldBy({}, { SLIPWAY_CONTEXT: 'a' })).toEqual({ context: 'a', kubeconfig: undefined });
    expect(toldBy({ context: 'b' }, { SLIPWAY_CONTEXT: 'a', SLIPWAY_KUBECONFIG: '/f' })).toEqual({ context: 'b', kubeconfig: '/f' });
    expect(toldBy({ context: '' }, { SLIPWAY_CONTEXT: '' })).toBeUndefined();
  });
});

describe('the command line', () => {
  test('a verb and its flags', () => {
    expect(readArguments(['up', '--context', 'a', '--keep-failed'])).toMatchObject({
      verb: 'up',
      context: 'a',
      keepFailed: true,
      json: false,
    });
    expect(readArguments(['--help'])).toBe('help');
  });
  test.each([[[]], [['start']], [['up', 'down']], [['up', '--kind', 'minikube']], [['up', '--nope']]])(
    '%j is wrong use',
    (args: string[]) => {
      expect(() => readArguments(args)).toThrow(expect.objectContaining({ exitCode: 2 }) as Error);
    },
  );
});

describe('control groups', () => {
  test('one hierarchy for each controller of version 1; an empty version 2 beside them is none', () => {
    const mounts =
      'cgroup /sys/fs/cgroup/cpu cgroup rw 0 0\ncgroup /sys/fs/cgroup/memory cgroup rw 0 0\ncgroup2 /sys/fs/cgroup/unified cgroup2 rw 0 0\n';
    expect(hierarchiesOf(mounts)).toEqual([
      { path: '/sys/fs/cgroup/cpu', version: 1 },
      { path: '/sys/fs/cgroup/memory', version: 1 },
    ]);
  });
  test('a single one of version 2', () => {
    expect(hierarchiesOf('proc /proc proc rw 0 0\ncgroup2 /sys/fs/cgroup cgroup2 rw 0 0\n')).toEqual([
      { path: '/sys/fs/cgroup', version: 2 },
    ]);
  });
});

describe('progress', () => {
  test.each([
    [900, '1s'],
    [59_400, '59s'],
    [80_000, '1m20s'],
    [3_600_000, '60m00s'],
  ])('%d ms is %s', (ms, words) => {
    expect(clock(ms)).toBe(words);
  });

  test('one line for a step that did something, none for one that had nothing to do, and the step that failed is known', async () => {
    const lines: string[] = [];
    let now = 0;
    const progress = progressTo(
      (line) => lines.push(line),
      () => now,
    );
    await progress.step({ doing: 'looking', done: () => undefined }, () => Promise.resolve(1));
    now = 1_500;
    await progress.step({ doing: 'making', done: (count) => `made ${String(count)}` }, () => Promise.resolve(2));
    await expect(progress.step({ doing: 'breaking', done: () => 'broken' }, () => Promise.reject(new Error('no')))).rejects.toThrow('no');
    expect(lines).toEqual(['   1.5s  made 2']);
    expect(progress.current).toBe('breaking');
  });
});
