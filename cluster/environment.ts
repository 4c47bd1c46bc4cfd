/** Where a running cluster is found: what `cluster:env` prints. */
export interface Environment {
  /** `told`: a cluster that was named; `kind`: one made with kind; `embedded`: our own. */
  readonly kind: 'told' | 'kind' | 'embedded';
  /** A path, or nothing when kubectl's own rules find the file. */
  readonly kubeconfig: string | undefined;
  readonly context: string;
  /** Set when the cluster brought an engine of its own, as `unix://…`. */
  readonly dockerHost: string | undefined;
  /** The registry that the cluster pulls from, the same name for host, engine and cluster; nothing when it is not known. */
  readonly registry: string | undefined;
}

/** Lines for `eval` in a shell. */
export function shellLines({ kubeconfig, dockerHost }: Environment): string[] {
  const lines: string[] = [];
  if (kubeconfig !== undefined) lines.push(`export KUBECONFIG=${quoted(kubeconfig)}`);
  if (dockerHost !== undefined) lines.push(`export DOCKER_HOST=${quoted(dockerHost)}`);
  return lines;
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
