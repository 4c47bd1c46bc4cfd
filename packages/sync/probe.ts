import type { ContainerPath } from '../model';

/** Where a ledger may live, best first; a shared memory is shared by the containers of a pod, which is why its name tells them apart. */
export const ledgerFolders = '/tmp:/var/tmp:/dev/shm';

export interface AgentArguments {
  readonly ledgerName: string;
  readonly ledgerHeader: string;
  readonly ledgerFolders: string;
  readonly roots: readonly ContainerPath[];
}

/** Says that an agent was asked to run on a Node that is too old. */
export const nodeTooOld = 90;

// The agent shares the container's memory limit. Measured on Node 20: 7 MB of its own, the rest is shared with the app's Node or given back.
const nodeFlags = ['--max-old-space-size=64', '--max-semi-space-size=1'];

/** Reads the agent's source from standard input and runs it: a command line of its length would not pass every proxy. */
const nodeStart = `
if (parseInt(process.versions.node, 10) < 12) process.exit(${nodeTooOld});
var fs = require('fs');
function read(size) {
  var bytes = Buffer.alloc(size);
  for (var done = 0; done < size; ) {
    try {
      var got = fs.readSync(0, bytes, done, size - done, null);
      if (got === 0) process.exit(0);
      done += got;
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
    }
  }
  return bytes.toString();
}
var size = '';
for (var digit = read(1); digit !== '\\n'; digit = read(1)) size += digit;
eval(read(Number(size)))(require, process.argv.slice(1));
`;

const probe = `
start=$1 wanted=$2
shift 2
if [ "$wanted" != sh ] && command -v node >/dev/null 2>&1; then
  printf 'slipway\\t1\\tnode\\n'
  export SLIPWAY_NODE_OPTIONS="\${NODE_OPTIONS-}"
  unset NODE_OPTIONS
  exec node ${nodeFlags.join(' ')} -e "$start" -- "$@"
fi
missing=
for tool in dd tar cat chmod ln mkdir mv rm; do
  command -v $tool >/dev/null 2>&1 || missing="$missing $tool"
done
if [ -z "$missing" ]; then
  echo x | dd bs=1 count=1 iflag=fullblock >/dev/null 2>&1 || missing=' dd-with-iflag=fullblock'
fi
if [ -n "$missing" ]; then
  printf 'slipway\\t1\\tnone\\t%s\\n' "\${missing# }"
  exit 0
fi
printf 'slipway\\t1\\tsh\\n'
read -r size
source=$(dd bs="$size" count=1 iflag=fullblock 2>/dev/null)
eval "$source"
`;

function inOrder({ ledgerName, ledgerHeader, ledgerFolders: folders, roots }: AgentArguments): readonly string[] {
  return [ledgerName, ledgerHeader, folders, ...roots];
}

/** Chooses the agent in the container, says which, and becomes it. */
export function shellCommand(wanted: 'any' | 'sh', about: AgentArguments): readonly string[] {
  return ['sh', '-c', probe, 'slipway', nodeStart, wanted, ...inOrder(about)];
}

/** For a container without a shell. */
export function nodeCommand(node: string, about: AgentArguments): readonly string[] {
  return [node, ...nodeFlags, '-e', nodeStart, '--', ...inOrder(about)];
}
