import { Duplex } from 'node:stream';
import { type Result, failed, succeeded } from '../model';
import type { Kube } from './kube';
import { ofPod } from './kubeExec';
import type { KubeHttp } from './kubeHttp';
import { type KubeSocket, openKubeSocket } from './kubeSocket';

/** Each port has two channels, bytes and errors, and the first message of each is the port's number. */
const channel = { bytes: 0, error: 1 } as const;

/**
 * One connection to a port of a pod. This protocol cannot say that one side has nothing more to send, so `end()` leaves the connection
 * open until the pod closes it or the stream is destroyed.
 */
export async function openPortForward(http: KubeHttp, request: Parameters<Kube['portForward']>[0]): Promise<Result<Duplex>> {
  const { namespace, pod, port, signal } = request;
  const subject = `the port ${port} of ${namespace}/${pod}`;
  const announced = new Set<number>();
  let socket: KubeSocket | undefined = undefined;
  let refused = '';
  const stream = new Duplex({
    read: () => socket?.resume(),
    write: (chunk: Buffer, _encoding, taken) => socket?.send(channel.bytes, chunk, taken),
    destroy(error, done) {
      socket?.close();
      done(error);
    },
  });
  const opened = await openKubeSocket(
    http,
    {
      path: `/api/v1/namespaces/${namespace}/pods/${pod}/portforward?ports=${port}`,
      protocols: ['v4.channel.k8s.io'],
      subject,
      ...(signal ? { signal } : {}),
    },
    {
      onMessage(from, bytes) {
        if (!announced.has(from)) {
          announced.add(from);
          return;
        }
        if (from === channel.error) refused += bytes.toString('utf8');
        else if (from === channel.bytes && !stream.destroyed && !stream.push(bytes)) socket?.pause();
      },
      onClose(lost) {
        if (stream.destroyed) return;
        if (refused !== '') stream.destroy(new Error(refused.trim()));
        else if (lost) stream.destroy(new Error(lost.message));
        else stream.push(null);
      },
    },
  );
  if (!opened.ok) return failed(ofPod(opened.problem));
  socket = opened.value;
  return succeeded(stream);
}
