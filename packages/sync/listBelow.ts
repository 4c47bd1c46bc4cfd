import type { Exec, Kube } from '../clients';
import { failed, succeeded, type ContainerPath, type Problem, type Result } from '../model';
import { unlessSilent } from './silence';

export interface ListRequest {
  readonly kube: Pick<Kube, 'exec'>;
  readonly container: { readonly namespace: string; readonly pod: string; readonly container: string };
  readonly directories: readonly ContainerPath[];
  readonly signal?: AbortSignal;
  /** How long it may say nothing: see `silenceMs`. Milliseconds. */
  readonly silenceMs?: number;
}

export interface Listed {
  /** All below the directories, whether it is a directory itself; links are not followed. A name that is not UTF-8 is left out. */
  readonly below: ReadonlyMap<ContainerPath, 'dir' | 'other'>;
  /** Those of the directories that are reached through a link: nothing is said of what is there. */
  readonly elsewhere: readonly ContainerPath[];
}

// Each answer ends with a zero byte, which no path has: a letter and a path. What is no directory says nothing of itself.
const nodeList = `
var fs = require('fs'), out = [];
function look(directory) {
  var names;
  try { names = fs.readdirSync(directory); } catch (error) { return; }
  names.forEach(function (name) {
    var path = directory + '/' + name, stats;
    try { stats = fs.lstatSync(path); } catch (error) { return; }
    out.push((stats.isDirectory() ? 'd' : 'o') + path);
    if (stats.isDirectory()) look(path);
  });
}
process.argv.slice(1).forEach(function (directory) {
  var real;
  try { real = fs.realpathSync(directory); } catch (error) { return; }
  if (real === directory) look(directory); else out.push('l' + directory);
});
out.push('.');
process.stdout.write(out.join('\\0') + '\\0', function () { process.exit(0); });
`;

const shellList = `
node=$1
shift
if command -v node >/dev/null 2>&1; then
  unset NODE_OPTIONS
  exec node -e "$node" -- "$@"
fi
LC_ALL=C
look() {
  for path in "$1"/* "$1"/.[!.]* "$1"/..?*; do
    if [ -d "$path" ] && [ ! -L "$path" ]; then
      printf 'd%s\\0' "$path"
      look "$path"
    elif [ -e "$path" ] || [ -L "$path" ]; then
      printf 'o%s\\0' "$path"
    fi
  done
}
for directory do
  [ -d "$directory" ] || continue
  if cd -P "$directory" && [ "$PWD" = "$directory" ]; then look "$directory"; else printf 'l%s\\0' "$directory"; fi
done
printf '.\\0'
`;

/** Lists what a container has below directories. Changes nothing. Failures: `cannotInspect`, and those of an exec. */
export async function listBelow(request: ListRequest): Promise<Result<Listed>> {
  const shell = await listed(request, ['sh', '-c', shellList, 'slipway', nodeList, ...request.directories]);
  if (shell.ok || shell.problem.code !== 'execRefused') return shell;
  return listed(request, ['node', '-e', nodeList, '--', ...request.directories]);
}

async function listed(request: ListRequest, command: readonly string[]): Promise<Result<Listed>> {
  const { kube, container, signal, silenceMs: limitMs } = request;
  const { namespace, pod, container: name } = container;
  const exec = await kube.exec({ namespace, pod, container: name, command, ...(signal ? { signal } : {}) });
  if (!exec.ok) return exec;
  const { answer: answers } = await unlessSilent(exec.value, limitMs, () => answersOf(exec.value));
  if (answers.pop() !== '.') return failed((await exec.value.ended).problem ?? notListed(request));
  exec.value.close();
  const paths = answers.filter((answer) => !answer.includes('\ufffd')).map((answer) => [answer[0], answer.slice(1)] as const);
  return succeeded({
    below: new Map(paths.flatMap(([kind, path]) => (kind === 'l' ? [] : [[path, kind === 'd' ? 'dir' : 'other'] as const]))),
    elsewhere: paths.flatMap(([kind, path]) => (kind === 'l' ? [path] : [])),
  });
}

/** What was said in whole, each without its zero byte. */
async function answersOf({ stdout, stderr, stdin }: Exec): Promise<string[]> {
  stdin.end();
  stderr.resume();
  const chunks: Buffer[] = [];
  await new Promise<void>((resolve) => {
    stdout.on('data', (chunk: Buffer) => chunks.push(chunk));
    stdout.once('end', resolve).once('close', resolve);
  });
  return Buffer.concat(chunks).toString('utf8').split('\0').slice(0, -1);
}

function notListed({ container: { pod, container } }: ListRequest): Problem {
  return {
    code: 'cannotInspect',
    message: `what container ${container} of pod ${pod} has cannot be listed: it did not answer`,
    retry: 'afterDelay',
    exitCode: 1,
  };
}
