import { mkdtempSync, realpathSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CommandOptions } from '../../dev';
import type { Problem } from '../../model';
import { buildOptions, imageRecord } from './build/build';
import { deployOptions } from './deploy/deploy';
import { tellNxWhenReady } from './dev/dev';
import { execute, verbosityOf, type ExecutorOptions } from './execute';

const problem: Problem = { code: 'clusterUnreachable', message: 'the cluster does not answer', retry: 'afterDelay', exitCode: 3 };

describe('an executor', () => {
  let root: string;
  beforeEach(() => (root = realpathSync(mkdtempSync(join(tmpdir(), 'slipway-executor-')))));
  afterEach(() => rmSync(root, { recursive: true, force: true }));

  const run = async (options: ExecutorOptions, does: (options: CommandOptions) => readonly Problem[] = () => []) => {
    let text = '';
    const asked: CommandOptions[] = [];
    const ended = await execute(
      options,
      { root, projectName: 'worker', isVerbose: false, projectGraph: { nodes: {}, dependencies: {} } },
      {
        stdout: { write: (part) => (text += part) },
        env: { HOME: '/home/me' },
        signal: new AbortController().signal,
        report: () => undefined,
      },
      (command) => {
        asked.push(command);
        const problems = does(command);
        return Promise.resolve({ exitCode: problems.length === 0 ? 0 : 3, problems, document: 'what it made' });
      },
    );
    return { text, asked, ended };
  };

  it('runs a command for its project, with paths from the workspace', async () => {
    const { asked, ended } = await run({
      kubeconfig: 'k.yaml',
      context: 'kind-a',
      acceptContext: true,
      namespace: 'shop',
      defaultRepo: 'r.example/t',
    });
    expect(asked).toMatchObject([
      {
        root,
        projects: ['worker'],
        kubeconfig: join(root, 'k.yaml'),
        context: 'kind-a',
        acceptContext: true,
        namespace: 'shop',
        defaultRepo: 'r.example/t',
        env: { HOME: '/home/me' },
      },
    ]);
    expect(ended).toEqual({ success: true, document: 'what it made' });
  });

  it('takes absolute paths as they are', async () => {
    const { asked } = await run({ kubeconfig: '/home/me/.kube/config' });
    expect(asked).toMatchObject([{ kubeconfig: '/home/me/.kube/config' }]);
    expect(buildOptions({ fileOutput: '/tmp/images.json' }, { root })).toEqual({ dryRun: false, fileOutput: '/tmp/images.json' });
    expect(buildOptions({ fileOutput: 'images.json' }, { root })).toMatchObject({ fileOutput: join(root, 'images.json') });
    expect(deployOptions({ buildArtifacts: '/tmp/images.json' }, { root })).toMatchObject({ buildArtifacts: '/tmp/images.json' });
    expect(deployOptions({ buildArtifacts: 'images.json' }, { root })).toMatchObject({ buildArtifacts: join(root, 'images.json') });
  });

  it('tells as much as it is asked to, or Nx is', () => {
    expect(verbosityOf({ verbosity: 'quiet' }, { isVerbose: true })).toBe('quiet');
    expect(verbosityOf({}, { isVerbose: true })).toBe('debug');
    expect(verbosityOf({}, { isVerbose: false })).toBe('normal');
  });

  it('says nothing of options that were not given', async () => {
    const { asked } = await run({});
    expect(Object.keys(asked[0] ?? {}).sort()).toEqual(['env', 'graph', 'projects', 'report', 'root', 'signal']);
  });

  it('fails with the problems that were not told before', async () => {
    const other: Problem = { ...problem, code: 'other', message: 'told by an event' };
    const { text, ended } = await run({}, ({ report }) => {
      report({ kind: 'failed', subject: 'worker', code: other.code, message: other.message, problem: other });
      return [other, problem];
    });
    expect(ended.success).toBe(false);
    expect(text).toBe(
      'worker   failed: told by an event [other]\n           it is tried again\nfailed: the cluster does not answer [clusterUnreachable]\n',
    );
  });

  it('records the same images in the same words, whether it built them or found them', () => {
    const image = { project: 'worker', artifact: 'worker', image: 'worker', tag: 't', digest: 'sha256:0', ref: 'r/worker:t@sha256:0' };
    const built = imageRecord({ images: [{ ...image, built: true, delivered: true, because: 'pushed' }] });
    expect(imageRecord({ images: [{ ...image, built: false, delivered: false, because: 'it was there' }] })).toBe(built);
    expect(JSON.parse(built)).toEqual({ images: [image] });
  });

  it('tells Nx once that it is ready, with the first address', () => {
    const told: (string | undefined)[] = [];
    const report = tellNxWhenReady((url) => {
      told.push(url);
      return true;
    });
    const forwarded = (url: string) =>
      ({ kind: 'forwarded', release: 'worker', resource: 'service/worker', port: 80, localPort: 1, url }) as const;
    report(forwarded('http://localhost:8080'));
    report(forwarded('http://localhost:8081'));
    report({ kind: 'ready', containers: 1, ms: 1 });
    report({ kind: 'ready', containers: 1, ms: 1 });
    expect(told).toEqual(['http://localhost:8080']);
    // Nx before 24 has no such thing.
    expect(() => tellNxWhenReady(undefined)({ kind: 'ready', containers: 1, ms: 1 })).not.toThrow();
  });
});
