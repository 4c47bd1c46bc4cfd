import type { Exec, Kube } from '../clients';
import { contentDigest, failed, succeeded, type ContainerPath, type Problem, type Result } from '../model';

export interface ContainerPlace {
  readonly kube: Pick<Kube, 'exec'>;
  readonly container: { readonly namespace: string; readonly pod: string; readonly container: string };
  readonly signal?: AbortSignal;
}

export interface WatchFilesRequest extends ContainerPlace {
  /** Files, or directories with so many levels below them. Links are not followed, `node_modules`, `.git` and the like not looked into, and names of two lines left out. */
  readonly places: readonly { readonly path: ContainerPath; readonly depth: number }[];
  /** Ends after the first look. */
  readonly once: boolean;
  /** Everything that is there, at first and whenever it has changed and come to rest. */
  readonly onSeen: (files: WatchedFiles) => void;
}

export interface WatchedFile {
  readonly digest: string;
  readonly executable: boolean;
}

export type WatchedFiles = ReadonlyMap<ContainerPath, WatchedFile>;

/**
 * Lines: `x PATH` for what can be run, then what sha256sum prints, and a dot at the end of a look. File times are asked for twice a second (by
 * Node four times), which costs microseconds; content is read when they have changed and then stayed. A shell's times are whole seconds, so for a
 * moment after a change content is read at every look.
 */
const nodeWatch = `
var fs = require('fs'), crypto = require('crypto');
var words = process.argv.slice(1), once = words.shift() === 'once', before, due = true;
var left = { node_modules: 1, '.git': 1, '.nx': 1, '.slipway': 1 };
function look(depth, path, out) {
  var stats;
  try { stats = fs.lstatSync(path); } catch (error) { return; }
  if (stats.isFile()) out.push([path, stats]);
  else if (stats.isDirectory() && depth > 0 && !left[path.slice(path.lastIndexOf('/') + 1)]) {
    var names = [];
    try { names = fs.readdirSync(path); } catch (error) {}
    names.forEach(function (name) { if (name.indexOf('\\n') < 0) look(depth - 1, path + '/' + name, out); });
  }
}
function digest(path) {
  var hash = crypto.createHash('sha256'), piece = Buffer.alloc(65536), file, size;
  try {
    file = fs.openSync(path, 'r');
    while ((size = fs.readSync(file, piece, 0, piece.length, null)) > 0) hash.update(piece.slice(0, size));
    return hash.digest('hex');
  } catch (error) { return ''; } finally { if (file !== undefined) fs.closeSync(file); }
}
function round() {
  var out = [], text = '';
  for (var at = 0; at < words.length; at += 2) look(Number(words[at]), words[at + 1], out);
  var now = out.map(function (each) { return [each[0], each[1].size, each[1].mtimeMs, each[1].ctimeMs, each[1].ino, each[1].mode].join(); }).join('\\n');
  if (now !== before && !once) due = true;
  else if (due) {
    due = false;
    out.forEach(function (each) { if (each[1].mode & 73) text += 'x ' + each[0] + '\\n'; });
    out.forEach(function (each) { var sum = digest(each[0]); if (sum) text += sum + '  ' + each[0] + '\\n'; });
    process.stdout.write(text + '.\\n', function () { if (once) process.exit(0); });
  }
  before = now;
}
round();
if (!once) setInterval(round, 250);
process.stdin.on('end', function () { process.exit(0); }).resume();
`;

const shellWatch = `
script=$1 often=$2
shift 2
if command -v node >/dev/null 2>&1; then
  unset NODE_OPTIONS
  exec node --max-old-space-size=64 -e "$script" -- "$often" "$@"
fi
command -v sha256sum >/dev/null 2>&1 || { echo 'none sha256sum'; exit 0; }
LC_ALL=C
nl='
'
if [ "$often" != once ]; then
  # Nobody else tells it that its stream is gone.
  exec 3<&0
  { cat <&3 >/dev/null; kill $$; } >/dev/null 2>&1 &
  exec 3<&-
fi
look() {
  case $2 in *"$nl"*) return 0 ;; esac
  [ ! -L "$2" ] || return 0
  if [ -f "$2" ]; then files="$files$2$nl"; return 0; fi
  [ "$1" -gt 0 ] && [ -d "$2" ] || return 0
  case \${2##*/} in node_modules | .git | .nx | .slipway) return 0 ;; esac
  for path in "$2"/* "$2"/.[!.]* "$2"/..?*; do look $(($1 - 1)) "$path"; done
}
tell() {
  IFS=$nl
  set -f
  set -- $files
  for file do [ ! -x "$file" ] || printf 'x %s\\n' "$file"; done
  [ $# = 0 ] || sha256sum "$@" 2>/dev/null
  echo .
}
ages() {
  IFS=$nl
  set -f
  stat -c '%n %s %Y %Z %i %a' $files
}
before= due=6
while :; do
  files= depth=
  for word do
    if [ -z "$depth" ]; then depth=$word; else look "$depth" "$word"; depth=; fi
  done
  if [ "$often" = once ]; then (tell); exit 0; fi
  now=$(ages 2>/dev/null) || due=1
  if [ "$files$now" != "$before" ]; then due=6
  elif [ $due -gt 0 ]; then (tell); due=$((due - 1)); fi
  before=$files$now
  sleep 0.5 2>/dev/null || sleep 1
done
`;

/**
 * Looks at files that a container makes, until its stream ends or the signal asks for it. Changes nothing there. Failures: `cannotWatch`, and those
 * of an exec.
 */
export async function watchFiles(request: WatchFilesRequest): Promise<Result<void>> {
  const often = request.once ? 'once' : 'often';
  const words = [often, ...request.places.flatMap(({ path, depth }) => [String(depth), path])];
  const commands = [
    ['sh', '-c', shellWatch, 'slipway', nodeWatch, ...words],
    // Images made of an app alone have Node somewhere, and no shell.
    ...['node', '/nodejs/bin/node'].map((node) => [node, '-e', nodeWatch, '--', ...words]),
  ];
  let last: Result<void> = failed(cannotWatch(request, 'it has neither a shell nor node'));
  for (const command of commands) {
    last = await watching(request, command);
    if (last.ok || last.problem.code !== 'execRefused') return last;
  }
  return failed(cannotWatch(request, 'it has neither a shell nor node'));
}

async function watching(request: WatchFilesRequest, command: readonly string[]): Promise<Result<void>> {
  const opened = await started(request, command);
  if (!opened.ok) return opened;
  const { stdout, ended } = opened.value;
  let [rest, missing, looks] = ['', '', 0];
  let looking = new Look();
  stdout.setEncoding('utf8');
  stdout.on('data', (text: string) => {
    const lines = (rest + text).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) {
      if (line.startsWith('none ')) missing = line.slice('none '.length);
      if (line !== '.') looking.take(line);
      else {
        looks += 1;
        request.onSeen(looking.files());
        looking = new Look();
        if (request.once) opened.value.close();
      }
    }
  });
  const { problem, exitCode } = await ended;
  if (request.once && looks > 0) return succeeded(undefined);
  if (missing !== '') return failed(cannotWatch(request, `${missing} is missing there`));
  // What runtimes end with that find no such program only when they start it.
  if (looks === 0 && (exitCode === 126 || exitCode === 127))
    return failed({ ...cannotWatch(request, `${command[0] ?? ''} is missing there`), code: 'execRefused' });
  return problem ? failed(problem) : succeeded(undefined);
}

class Look {
  private readonly digests = new Map<ContainerPath, string>();
  private readonly executable = new Set<ContainerPath>();

  take(line: string): void {
    const sum = /^(\\?)([0-9a-f]{64}) [ *](\/.*)$/s.exec(line);
    if (sum) {
      const [, escaped, digest = '', path = ''] = sum;
      // The GNU tools say so when they write a name otherwise than it is.
      this.digests.set(escaped ? path.replace(/\\([\\r])/g, (_, letter: string) => (letter === 'r' ? '\r' : letter)) : path, digest);
    } else if (line.startsWith('x /')) this.executable.add(line.slice(2));
  }

  files(): WatchedFiles {
    return new Map([...this.digests].map(([path, digest]) => [path, { digest, executable: this.executable.has(path) }]));
  }
}

const nodeRead = `require('fs').createReadStream(process.argv[1]).on('error', function () { process.exit(1); }).pipe(process.stdout)`;

/** Reads a file of a container, up to a size. Undefined when it is not, or not any more, what it was seen to be. Failures: those of an exec. */
export async function readWatched(
  place: ContainerPlace,
  path: ContainerPath,
  { digest }: WatchedFile,
  limitBytes: number,
): Promise<Result<Uint8Array | undefined | 'tooLarge'>> {
  const commands = [['cat', path], ...['node', '/nodejs/bin/node'].map((node) => [node, '-e', nodeRead, '--', path])];
  for (const command of commands) {
    const exec = await started(place, command);
    if (!exec.ok && exec.problem.code === 'execRefused') continue;
    if (!exec.ok) return exec;
    const chunks: Buffer[] = [];
    let size = 0;
    exec.value.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length;
      if (size > limitBytes) exec.value.close();
      else chunks.push(chunk);
    });
    const { problem, exitCode } = await exec.value.ended;
    if (size > limitBytes) return succeeded('tooLarge');
    if (exitCode === 126 || exitCode === 127) continue;
    if (problem) return failed(problem);
    const bytes = Buffer.concat(chunks);
    return succeeded(contentDigest(bytes) === digest ? bytes : undefined);
  }
  return succeeded(undefined);
}

/** A process whose output has all been read when it has ended. */
async function started({ kube, container, signal }: ContainerPlace, command: readonly string[]): Promise<Result<Exec>> {
  const { namespace, pod, container: name } = container;
  const exec = await kube.exec({ namespace, pod, container: name, command, ...(signal ? { signal } : {}) });
  if (!exec.ok) return exec;
  const { stdin, stdout, stderr } = exec.value;
  stdin.on('error', () => undefined);
  stderr.resume();
  const read = new Promise<void>((resolve) => stdout.once('end', resolve).once('close', resolve));
  const ended = exec.value.ended.then(async (end) => {
    await read;
    return end;
  });
  return succeeded({ ...exec.value, ended, close: () => exec.value.close() });
}

function cannotWatch({ container: { pod, container } }: ContainerPlace, because: string): Problem {
  return {
    code: 'cannotWatch',
    message: `what container ${container} of pod ${pod} makes cannot be pulled: ${because}`,
    hint: 'node, or a shell with sha256sum (busybox is enough), looks for it there',
    retry: 'whenInputChanges',
    exitCode: 1,
  };
}
