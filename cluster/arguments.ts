import { parseArgs } from 'node:util';
import type { UpOptions } from './index';
import { ClusterProblem, wordsOf } from './problem';

export const USAGE = `usage: cluster up|down|env|status [flags]

  up       see to it that a cluster is there: the one named, else kind's, else an embedded one
  down     end the cluster that up made; one that was named stays
  env      print \`export\` lines for a shell: eval "$(npm run -s cluster:env)"
  status   say in words what is there

  --context NAME      use this cluster as it is (or SLIPWAY_CONTEXT)
  --kubeconfig FILE   the file it is in (or SLIPWAY_KUBECONFIG)
  --kind NAME         kind or embedded, instead of whichever is at hand
  --state FOLDER      the embedded cluster's folder (or SLIPWAY_CLUSTER_STATE)
  --keep-failed       leave what a failed up made, to look at
  --json              env and status: as JSON
`;

export interface Invocation extends UpOptions {
  readonly verb: 'up' | 'down' | 'env' | 'status';
  readonly json: boolean;
}

/** What a command line asks for. */
export function readArguments(args: readonly string[]): Invocation | 'help' {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        context: { type: 'string' },
        kubeconfig: { type: 'string' },
        kind: { type: 'string' },
        state: { type: 'string' },
        'keep-failed': { type: 'boolean', default: false },
        json: { type: 'boolean', default: false },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) return 'help';
    const [verb, ...more] = positionals;
    if ((verb !== 'up' && verb !== 'down' && verb !== 'env' && verb !== 'status') || more.length > 0)
      throw new Error(`expected one of up, down, env and status, got ${positionals.join(' ') || 'nothing'}`);
    if (values.kind !== undefined && values.kind !== 'kind' && values.kind !== 'embedded')
      throw new Error(`--kind is kind or embedded, not ${values.kind}`);
    return {
      verb,
      context: values.context,
      kubeconfig: values.kubeconfig,
      kind: values.kind,
      state: values.state,
      keepFailed: values['keep-failed'],
      json: values.json,
    };
  } catch (thrown) {
    throw new ClusterProblem(wordsOf(thrown), 'See --help.', { exitCode: 2, cause: thrown });
  }
}
