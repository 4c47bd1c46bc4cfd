import type { RunInPod } from '../forward';
import {
  entryAt,
  type ContainerId,
  type ContainerPath,
  type ContainerState,
  type Outcome,
  type Report,
  type SeenContainer,
} from '../model';

/** What `node --watch` begins within after a file that it watches has changed; it waits 200 ms by itself. */
const patienceMs = 1_000;

/**
 * `node --watch` watches the files that its process has loaded. When that ended for want of a file, which was removed, or is imported and not
 * written yet, it waits for a change of the others, and does not see that the file has come. Only then is it made to look again.
 */
export class NodeWatch {
  private readonly waiting = new Map<ContainerId, { readonly created: Set<ContainerPath>; readonly timer: NodeJS.Timeout }>();

  constructor(private readonly report: Report) {}

  /** Files were written in a container. Whatever else changed there may have made it start again by itself. */
  written(
    { seen, files }: Pick<ContainerState, 'seen' | 'files'>,
    holds: Extract<Outcome, { kind: 'synced' }>['holds'],
    run: RunInPod,
  ): void {
    const before = this.waiting.get(seen.id);
    clearTimeout(before?.timer);
    this.waiting.delete(seen.id);
    const there = holds.filter(([, entry]) => entry !== undefined && entry.kind !== 'dir').map(([path]) => path);
    const isNew = (path: ContainerPath): boolean => files !== undefined && entryAt(files, path) === undefined;
    if (there.length === 0 || !there.every(isNew)) return;
    const created = new Set([...(before?.created ?? []), ...there]);
    const timer = setTimeout(() => {
      this.waiting.delete(seen.id);
      void this.wake(seen, created, run);
    }, patienceMs);
    this.waiting.set(seen.id, { created, timer: timer.unref() });
  }

  close(): void {
    for (const { timer } of this.waiting.values()) clearTimeout(timer);
    this.waiting.clear();
  }

  private async wake({ artifact }: SeenContainer, created: ReadonlySet<ContainerPath>, run: RunInPod): Promise<void> {
    for (const { pid, started } of watchersIn((await run(['node', '-e', lookSource])) ?? '')) {
      // What it was started with it does not watch any more when that was removed, and nothing makes it.
      const isDeaf = created.has(started);
      const done = await run(isDeaf ? ['node', '-e', endSource, String(pid)] : ['node', '-e', touchSource, started]);
      if (done === undefined) continue;
      const [first = ''] = created;
      const what = isDeaf ? `${started} is back, so its container starts again` : `${first} has come, and was made to look again`;
      this.report({ kind: 'notice', subject: artifact, message: `node --watch did not notice that ${what}` });
    }
  }
}

interface Watcher {
  readonly pid: number;
  /** The file that it runs. */
  readonly started: ContainerPath;
}

function watchersIn(output: string): readonly Watcher[] {
  return output.split('\n').flatMap((line) => {
    const [, pid, started] = /^waits (\d+) (\/.+)$/.exec(line) ?? [];
    return pid === undefined || started === undefined ? [] : [{ pid: Number(pid), started }];
  });
}

/** Tells of each `node --watch` whose process has ended. In a language that Node 12 knows. */
export const lookSource = `
var fs = require('fs'), path = require('path'), all = [];
fs.readdirSync('/proc').forEach(function (pid) {
  if (!/^\\d+$/.test(pid)) return;
  try {
    var stat = fs.readFileSync('/proc/' + pid + '/stat', 'utf8');
    var words = fs.readFileSync('/proc/' + pid + '/cmdline', 'utf8').split('\\0');
    all.push({ pid: Number(pid), words: words, parent: Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[1]) });
  } catch (error) {}
});
all.forEach(function (one) {
  var at = 1;
  while (one.words[at] && one.words[at][0] === '-') at += 1;
  if (path.basename(one.words[0]) !== 'node' || one.words.slice(1, at).indexOf('--watch') < 0 || !one.words[at]) return;
  if (all.some(function (other) { return other.parent === one.pid; })) return;
  try {
    console.log('waits ' + one.pid + ' ' + path.resolve(fs.readlinkSync('/proc/' + one.pid + '/cwd'), one.words[at]));
  } catch (error) {}
});
`;
/** It ends as for Ctrl+C, and with it mostly its container and all that runs there: whoever asked for it is answered first. */
export const endSource = `
var pid = Number(process.argv[1]);
process.kill(pid, 0);
var end = 'setTimeout(function () { process.kill(' + pid + ', "SIGTERM"); }, 200);';
require('child_process').spawn(process.execPath, ['-e', end], { detached: true, stdio: 'ignore' }).unref();
`;
export const touchSource = `require('fs').utimesSync(process.argv[1], new Date(), new Date());`;
