import { spawn } from 'node:child_process';
import type { KubeObject } from '../clients';
import { runHere } from './fakeExec';
import { type FakeKube, type FakeKubeOptions, fakeKube } from './fakeKube';

/** A fake cluster whose pods run shell scripts on this machine, so that execs and logs have something behind them. */
export interface FakeCluster {
  readonly kube: FakeKube;
  startPod(namespace: string, name: string, script: string): void;
  startWebPod(namespace: string, name: string, port: number, page: string): void;
  /** Ends what the pods run. */
  close(): Promise<void>;
}

export function fakeCluster(options: Omit<FakeKubeOptions, 'program' | 'listen'> = {}): FakeCluster {
  const stop = new AbortController();
  const ended: Promise<unknown>[] = [];
  const pages = new Map<string, string>();
  const kube = fakeKube({
    ...options,
    program: runHere,
    listen(connection, { pod, port }) {
      const page = pages.get(`${pod}:${port}`);
      if (page === undefined) return 'refused';
      connection.once('data', () => connection.end(`HTTP/1.0 200 OK\r\n\r\n${page}`));
      return 'taken';
    },
  });
  return {
    kube,
    startPod(namespace, name, script) {
      kube.put(runningPod(namespace, name));
      const at = { namespace, pod: name, container: 'main' };
      const child = spawn('sh', ['-c', script], { detached: true, stdio: ['ignore', 'pipe', 'ignore'] });
      stop.signal.addEventListener('abort', () => child.pid !== undefined && process.kill(-child.pid, 'SIGKILL'), { once: true });
      child.stdout.setEncoding('utf8');
      child.stdout.on('data', (chunk: string) => {
        for (const line of chunk.split('\n').slice(0, -1)) kube.log(at, line);
      });
      ended.push(new Promise((resolve) => child.once('close', resolve)));
    },
    startWebPod(namespace, name, port, page) {
      kube.put(runningPod(namespace, name));
      pages.set(`${name}:${port}`, page);
    },
    async close() {
      kube.cutExecs();
      stop.abort();
      await Promise.all(ended);
    },
  };
}

function runningPod(namespace: string, name: string): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace },
    spec: { containers: [{ name: 'main', image: 'none' }] },
    status: {
      phase: 'Running',
      containerStatuses: [{ name: 'main', ready: true, restartCount: 0, containerID: `fake://${name}/main`, state: { running: {} } }],
    },
  };
}
