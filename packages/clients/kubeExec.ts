import { Readable, Writable } from 'node:stream';
import { type Problem, type Result, failed, succeeded } from '../model';
import type { Exec, Kube } from './kube';
import type { KubeHttp } from './kubeHttp';
import { type KubeStatus, problemOfStatus } from './kubeProblem';
import { type KubeSocket, openKubeSocket } from './kubeSocket';

export type ExecRequest = Parameters<Kube['exec']>[0];

/** Channels of `v5.channel.k8s.io`; 255 closes the one that its message names, which version 4 cannot say. */
const channel = { stdin: 0, stdout: 1, stderr: 2, status: 3, close: 255 } as const;
const protocols = ['v5.channel.k8s.io', 'v4.channel.k8s.io'];

/** Starts a process in a container, with its three streams on one WebSocket. */
export async function openExec(http: KubeHttp, request: ExecRequest): Promise<Result<Exec>> {
  const { namespace, pod, container, command, signal } = request;
  const subject = `exec in ${namespace}/${pod}, container ${container}`;
  const query = new URLSearchParams({ container, stdin: 'true', stdout: 'true', stderr: 'true' });
  for (const word of command) query.append('command', word);

  let socket: KubeSocket | undefined = undefined;
  let status: KubeStatus | undefined;
  let asked = false;
  let end: (ended: Awaited<Exec['ended']>) => void = () => undefined;
  const ended = new Promise<Awaited<Exec['ended']>>((resolve) => (end = resolve));
  const resume = (): void => socket?.resume();
  const stdout = new Readable({ read: resume, highWaterMark: 1024 * 1024 });
  const stderr = new Readable({ read: resume, highWaterMark: 1024 * 1024 });
  const stdin = new Writable({
    highWaterMark: 256 * 1024,
    write: (chunk: Buffer, _encoding, taken) => socket?.send(channel.stdin, chunk, taken),
    final(done) {
      if (socket?.protocol === 'v5.channel.k8s.io') socket.send(channel.close, Buffer.of(channel.stdin), () => undefined);
      done();
    },
  });
  const give = (stream: Readable, bytes: Buffer): void => {
    if (!stream.destroyed && bytes.length > 0 && !stream.push(bytes)) socket?.pause();
  };

  const opened = await openKubeSocket(
    http,
    { path: `/api/v1/namespaces/${namespace}/pods/${pod}/exec?${query.toString()}`, protocols, subject, ...(signal ? { signal } : {}) },
    {
      onMessage(from, bytes) {
        if (from === channel.stdout) give(stdout, bytes);
        else if (from === channel.stderr) give(stderr, bytes);
        else if (from === channel.status) status = JSON.parse(bytes.toString('utf8')) as KubeStatus;
      },
      onClose(lost) {
        stdout.push(null);
        stderr.push(null);
        stdin.destroy();
        end(outcome(status, asked || signal?.aborted === true, lost, subject));
      },
    },
  );
  if (!opened.ok) return failed(ofPod(opened.problem));
  socket = opened.value;
  return succeeded({
    stdin,
    stdout,
    stderr,
    ended,
    close() {
      asked = true;
      opened.value.close();
    },
  });
}

function outcome(status: KubeStatus | undefined, asked: boolean, lost: Problem | undefined, subject: string): Awaited<Exec['ended']> {
  if (status?.status === 'Success') return { exitCode: 0, problem: undefined };
  if (status) {
    const cause = status.details?.causes?.find((each) => each.reason === 'ExitCode');
    if (cause?.message !== undefined) return { exitCode: Number(cause.message), problem: undefined };
    return { exitCode: undefined, problem: refusedExec(status, subject) };
  }
  if (asked) return { exitCode: undefined, problem: undefined };
  const gone: Problem = {
    code: 'execLost',
    message: `the ${subject} ended without an exit code: its container or its node went away`,
    retry: 'afterDelay',
    exitCode: 1,
  };
  return { exitCode: undefined, problem: lost ?? gone };
}

/** Refused before anything was started: no such pod, or no such container in it. */
export function ofPod(problem: Problem): Problem {
  if (problem.code === 'objectNotFound') return { ...problem, code: 'podGone' };
  if (problem.code === 'objectInvalid') return { ...problem, code: 'execRefused', retry: 'afterDelay' };
  return problem;
}

/** What a runtime says of a container that is about to start or has just ended. */
const notThere =
  /container not found|container not created|task \S+ not found|no running task|container .* is not running|pod does not exist/;

/** The runtime's own words are in the message of an internal error. */
function refusedExec(status: KubeStatus, subject: string): Problem {
  const general = problemOfStatus(status, subject);
  if (status.code === 404 || notThere.test(general.message)) return { ...general, code: 'podGone' };
  const reason = /exec: "([^"]*)": (.*?)(?:: unknown)?$/.exec(general.message);
  const detail = status.message ?? '';
  // Only a program that the image lacks stays refused; anything else may be a container on its way.
  if (!reason) return { ...general, code: 'execRefused', retry: 'afterDelay', detail };
  const message = `${subject} failed: ${reason[1] ?? ''}: ${reason[2] ?? ''}`;
  return { ...general, code: 'execRefused', message, retry: 'whenInputChanges', detail };
}
