import type { Readable } from 'node:stream';
import type { Exec, Kube } from '../clients';
import { emptyDir, fileEntry, linkEntry, succeeded, failed, type ContainerPath, type Entry, type Problem, type Result } from '../model';
import { isPlain } from './ledger';
import { silenceMs, unlessSilent } from './silence';

export interface InspectRequest {
  readonly kube: Pick<Kube, 'exec'>;
  readonly container: { readonly namespace: string; readonly pod: string; readonly container: string };
  readonly paths: readonly ContainerPath[];
  readonly signal?: AbortSignal;
  /** How long it may say nothing: see `silenceMs`. While a large file is hashed it says that it is at it. Milliseconds. */
  readonly silenceMs?: number;
}

/** What a container really holds at paths: a directory without what is in it, undefined where nothing is. A path that is not among them could not be looked at. */
export type Inspected = ReadonlyMap<ContainerPath, Entry | undefined>;

/** Paths of one exec; a list of any length is looked at in pieces. */
const pathsAtOnce = 5000;

// While it works, what looks says so every two seconds, so that its silence tells that it is gone.
// One line an answer: the path's number, what is there, and what tells two of its kind apart. Node reads everything; a shell needs
// sha256sum, and gets a path that does not fit on a line, or that sha256sum would not print as it is, in octal digits. Both read as many lines as the first one says, as the end of input does not reach every container.
// What sha256sum and stat say has a stream of its own, the standard error: they do not write line by line, and would break the lines of others.
const nodeLook = `
var fs = require('fs'), crypto = require('crypto');
var text = '', paths, at = 0;
process.stdin.setEncoding('utf8');
process.stdin.on('data', function (data) {
  text += data;
  var end = text.indexOf('\\n');
  if (end < 0) return;
  var size = Number(text.slice(0, end));
  if (Buffer.byteLength(text) < end + 1 + size) return;
  process.stdin.pause();
  paths = JSON.parse(text.slice(end + 1));
  setInterval(function () { process.stdout.write('.\\n'); }, 2000);
  next();
});
function say(what) { process.stdout.write(at + '\\t' + what + '\\n'); at += 1; setImmediate(next); }
function next() {
  if (at >= paths.length) return process.stdout.write('done\\n', function () { process.exit(0); });
  var path = paths[at], stats;
  try { stats = fs.lstatSync(path); } catch (error) { return say(error.code === 'ENOENT' || error.code === 'ENOTDIR' ? '-' : '?'); }
  try {
    if (stats.isSymbolicLink()) return say('l\\t' + JSON.stringify(fs.readlinkSync(path)));
    if (stats.isDirectory()) return say('d');
    if (!stats.isFile()) return say('?');
  } catch (error) { return say('?'); }
  var hash = crypto.createHash('sha256'), size = 0;
  fs.createReadStream(path)
    .on('data', function (piece) { size += piece.length; hash.update(piece); })
    .on('error', function () { say('?'); })
    .on('end', function () { say('f\\t' + (stats.mode & 511).toString(8) + '\\t' + size + '\\t' + hash.digest('hex')); });
}
`;

const look = `
if [ "$2" != sh ] && command -v node >/dev/null 2>&1; then
  unset NODE_OPTIONS
  echo node
  exec node -e "$1"
fi
for tool in sha256sum xargs readlink; do
  command -v $tool >/dev/null 2>&1 || { echo "none $tool"; exit 0; }
done
echo sh
read -r count
exec 3>&1 4>&2
# Only as long as who started it is there.
while sleep 2 && kill -0 $$; do echo .; done 2>/dev/null &
beat=$!
{
  at=0
  while [ "$at" -lt "$count" ]; do
    IFS= read -r path
    odd=
    case $path in /*) ;; *) odd=1 path=$(printf '%b/' "$path") path=\${path%?} ;; esac
    if [ -L "$path" ]; then printf '%s\\tl\\t%s\\n' "$at" "$(readlink "$path")" >&3
    elif [ -d "$path" ]; then printf '%s\\td\\n' "$at" >&3
    elif [ -f "$path" ]; then
      mode=-
      [ -x "$path" ] && mode=x
      if [ -z "$odd" ]; then
        printf '%s\\tf\\t%s\\n' "$at" "$mode" >&3
        printf '%s\\0' "$path"
      else
        exact=$(stat -c %a "$path" 2>/dev/null) && mode=$exact
        sum=$(sha256sum <"$path")
        printf '%s\\tf\\t%s\\t0\\t%s\\n' "$at" "$mode" "\${sum%% *}" >&3
      fi
    elif [ -e "$path" ]; then printf '%s\\t?\\n' "$at" >&3
    else printf '%s\\t-\\n' "$at" >&3
    fi
    at=$((at + 1))
  done
} | { xargs -0 sh -c 'sha256sum "$@"; stat -c "%a %n" "$@"' sh 2>/dev/null || :; } >&4
kill "$beat" 2>/dev/null
echo done >&4
echo done
`;

/** Reads what a container holds, by hashing it there. Changes nothing. Failures: `cannotInspect`, and those of an exec. */
export async function inspect(request: InspectRequest): Promise<Result<Inspected>> {
  const held = new Map<ContainerPath, Entry | undefined>();
  for (let at = 0; at < request.paths.length; at += pathsAtOnce) {
    const paths = request.paths.slice(at, at + pathsAtOnce);
    const answer = await inspectSome({ ...request, paths });
    if (!answer.ok) return answer;
    for (const [path, entry] of answer.value) held.set(path, entry);
  }
  return succeeded(held);
}

async function inspectSome(request: InspectRequest): Promise<Result<Inspected>> {
  const shell = await asked(request, ['sh', '-c', look, 'slipway', nodeLook]);
  if (shell.ok || shell.problem.code !== 'execRefused') return shell;
  // Images made of an app alone have Node somewhere, and no shell.
  for (const node of ['node', '/nodejs/bin/node']) {
    const answer = await asked(request, [node, '-e', nodeLook], 'node');
    if (answer.ok || answer.problem.code !== 'execRefused') return answer;
  }
  return failed(cannotInspect(request, 'it has neither a shell nor node'));
}

async function asked(request: InspectRequest, command: readonly string[], given?: 'node'): Promise<Result<Inspected>> {
  const { kube, container, signal, silenceMs: limitMs = silenceMs(0) } = request;
  const { namespace, pod, container: name } = container;
  const exec = await kube.exec({ namespace, pod, container: name, command, ...(signal ? { signal } : {}) });
  if (!exec.ok) return exec;
  const { answer, wasSilent } = await unlessSilent(exec.value, limitMs, () =>
    heard(request, { exec: exec.value, command, ...(given && { given }) }),
  );
  return wasSilent && !answer.ok ? failed(saidNothing(request, limitMs)) : answer;
}

interface Hearing {
  readonly exec: Exec;
  readonly command: readonly string[];
  readonly given?: 'node';
}

async function heard(request: InspectRequest, { exec, command, given }: Hearing): Promise<Result<Inspected>> {
  const { paths } = request;
  // That nobody reads it is told by the end of what is said.
  exec.stdin.on('error', () => undefined);
  const lines = new Lines(exec.stdout);
  const sums = new Lines(exec.stderr);
  const kind = given ?? (await lines.next());
  if (kind === 'node') {
    const text = JSON.stringify(paths);
    exec.stdin.write(`${String(Buffer.byteLength(text))}\n${text}`);
  } else if (kind === 'sh') {
    exec.stdin.write(`${String(paths.length)}\n${paths.map((path) => `${lineOf(path)}\n`).join('')}`);
  } else {
    const { problem, exitCode } = await exec.ended;
    exec.close();
    if (problem) return failed(problem);
    // What runtimes end with that find no such program only when they start it.
    if (exitCode === 126 || exitCode === 127)
      return failed({ ...cannotInspect(request, `${command[0] ?? ''} is missing there`), code: 'execRefused' });
    return failed(
      kind?.startsWith('none ') ? cannotInspect(request, `${kind.slice('none '.length)} is missing there`) : brokenOff(request, exitCode),
    );
  }
  const seen = new Seen(paths);
  for (const said of kind === 'sh' ? [lines, sums] : [lines]) {
    for (let line = await said.next(); line !== 'done'; line = await said.next()) {
      if (line === undefined) {
        const { problem, exitCode } = await exec.ended;
        return failed(problem ?? brokenOff(request, exitCode));
      }
      seen.take(line);
    }
  }
  exec.close();
  return succeeded(seen.entries());
}

/** Puts answers together; a shell tells a file's digest and its mode apart from the rest. */
class Seen {
  private readonly found = new Map<ContainerPath, Entry | undefined>();
  /** Of files; where there is no stat, as far as it says whether they can be run. */
  private readonly modes = new Map<ContainerPath, number>();
  private readonly digests = new Map<ContainerPath, string>();

  constructor(private readonly paths: readonly ContainerPath[]) {}

  take(line: string): void {
    // GNU and busybox: the digest, a space, a space or an asterisk, and the path.
    const sum = /^([0-9a-f]{64}) [ *](.*)$/s.exec(line);
    if (sum) {
      const [, digest = '', path = ''] = sum;
      this.digests.set(path, digest);
      return;
    }
    const stat = /^([0-7]{1,4}) (\/.*)$/s.exec(line);
    if (stat) {
      const [, mode = '', path = ''] = stat;
      this.modes.set(path, parseInt(mode, 8));
      return;
    }
    const [number = '', kind, first = '', size = '', digest = ''] = line.split('\t');
    const path = this.paths[Number(number)];
    if (path === undefined) return;
    if (kind === '-') this.found.set(path, undefined);
    else if (kind === 'd') this.found.set(path, emptyDir);
    else if (kind === 'l') this.found.set(path, linkEntry(first.startsWith('"') ? (JSON.parse(first) as string) : first));
    else if (kind === 'f' && digest !== '') this.found.set(path, fileEntry({ digest, size: Number(size), mode: modeOf(first) }));
    else if (kind === 'f') this.modes.set(path, modeOf(first));
  }

  entries(): Inspected {
    const files = [...this.digests].flatMap(([path, digest]) => {
      const mode = this.modes.get(path);
      return mode === undefined ? [] : [[path, fileEntry({ digest, size: 0, mode })] as const];
    });
    return new Map([...this.found, ...files]);
  }
}

function lineOf(path: ContainerPath): string {
  if (isPlain(path) && !path.includes('\\')) return path;
  return [...Buffer.from(path)].map((byte) => `\\0${byte.toString(8).padStart(3, '0')}`).join('');
}

/** In octal digits; where there is no stat only whether it can be run. */
function modeOf(said: string): number {
  return said === 'x' ? 0o755 : said === '-' ? 0o644 : parseInt(said, 8);
}

/** Whether what was found is what should be there: kind, content, link text, and whether it can be run. Of a directory only that it is one. */
export function sameContent(wanted: Entry | undefined, found: Entry | undefined): boolean {
  if (!wanted || !found) return wanted === found;
  if (wanted.kind === 'file') return found.kind === 'file' && found.digest === wanted.digest && isRunnable(wanted) === isRunnable(found);
  if (wanted.kind === 'link') return found.kind === 'link' && found.target === wanted.target;
  return found.kind === 'dir';
}

function isRunnable({ mode }: { readonly mode: number }): boolean {
  return (mode & 0o100) !== 0;
}

function cannotInspect({ container: { pod, container } }: InspectRequest, because: string): Problem {
  return {
    code: 'cannotInspect',
    message: `what container ${container} of pod ${pod} holds cannot be read: ${because}`,
    hint: 'node, or a shell with sha256sum, xargs and readlink (busybox is enough), reads it there',
    retry: 'whenInputChanges',
    exitCode: 1,
  };
}

/** What looked was ended by somebody, or with its container: the next try may get to its end. */
function brokenOff({ container: { pod, container } }: InspectRequest, exitCode: number | undefined): Problem {
  return {
    code: 'cannotInspect',
    message: `what container ${container} of pod ${pod} holds was not read to its end: looking ended with exit code ${String(exitCode ?? 'unknown')}`,
    retry: 'afterDelay',
    exitCode: 1,
  };
}

function saidNothing({ container: { pod, container } }: InspectRequest, silenceMs: number): Problem {
  return {
    code: 'cannotInspect',
    message: `container ${container} of pod ${pod} was asked what it holds, and was silent for ${String(silenceMs / 1000)} s`,
    retry: 'afterDelay',
    exitCode: 1,
  };
}

/** The lines that a process writes, one at a time; undefined when there are no more. */
class Lines {
  private readonly ready: string[] = [];
  private rest = '';
  private over = false;
  private wake: () => void = () => undefined;

  constructor(stream: Readable) {
    stream.setEncoding('utf8');
    stream.on('data', (text: string) => {
      const lines = (this.rest + text).split('\n');
      this.rest = lines.pop() ?? '';
      this.ready.push(...lines);
      this.wake();
    });
    const end = (): void => {
      this.over = true;
      this.wake();
    };
    stream.once('end', end);
    stream.once('close', end);
  }

  async next(): Promise<string | undefined> {
    while (this.ready.length === 0 && !this.over) await new Promise<void>((resolve) => (this.wake = resolve));
    return this.ready.shift();
  }
}
