// What a busy node, registry or API server says of something that it does at its next try. Nothing fails by it at once.

/** Long enough for a kubelet's third try on a busy node. */
const passingMs = 60_000;

/** When such a trouble counts that may have begun at a time, milliseconds since 1970. Until then it is only told. */
export function passing(since: number): { readonly certainAt: number; readonly passes: true } {
  return { certainAt: since + passingMs, passes: true };
}

/** Any part of a cluster that took too long, or cannot be asked for the moment. */
const busy =
  /deadline exceeded|timed out waiting for the condition|etcdserver: |TLS handshake timeout|unexpected EOF|connection reset by peer|context canceled|currently unable to handle the request|Too Many Requests|try again later|failed calling webhook|object has been modified|error trying to reach service|code = (Unavailable|Aborted|DeadlineExceeded)/i;

/** Its caches of ConfigMaps and Secrets are not filled yet, a try before this one has not ended, or another node still has the volume. */
const busyNode =
  /failed to sync|not registered|is reserved for|operation with the given|Multi-Attach error|not found in the list of registered CSI drivers/i;

/** A registry that is starting, limits how often it is asked, or is behind a network that has just changed. */
const busyRegistry =
  /\bEOF\b|i\/o timeout|server misbehaving|pull QPS exceeded|toomanyrequests|\b429\b|\b50[0-4]\b|short read|TEMPFAIL|temporary failure/i;

/** A namespace that was made just now has neither its default account nor the numbers of its quotas. */
const newNamespace = /status unknown for quota|serviceaccount "default" not found/i;

/** Of a container or a volume. */
export function passesOnNode(said: string): boolean {
  return busy.test(said) || busyNode.test(said);
}

/** Of an image that is pulled. */
export function passesOnPull(said: string): boolean {
  return busy.test(said) || busyRegistry.test(said);
}

/** Of pods that their controller may not make. */
export function passesOnRefusal(said: string): boolean {
  return busy.test(said) || newNamespace.test(said);
}
