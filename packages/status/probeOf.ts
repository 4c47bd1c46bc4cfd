import type { KubeEvent } from './shapes';
import { sentence } from './trouble';

/** The last answer of a pod's probe, in one line: `Readiness probe failed: HTTP probe failed with statuscode: 500`. */
export function probeOf(events: readonly KubeEvent[], kinds: RegExp): { readonly kind: string; readonly said: string } | undefined {
  const message = events.findLast((event) => event.reason === 'Unhealthy' && kinds.test(event.message ?? ''))?.message;
  if (message === undefined) return undefined;
  return { kind: message.slice(0, message.indexOf(' ')), said: sentence(message.split('\n')[0] ?? '') };
}
