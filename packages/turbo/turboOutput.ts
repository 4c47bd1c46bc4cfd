import { stripVTControlCharacters } from 'node:util';
import type { TargetEnd } from '../graph';
import type { TargetId } from '../model';

/** `@shop/api:build: a line of it`, as `--log-prefix=task` has it; a task's own name may hold a colon, and no space. */
const prefixed = /^(\S+:\S+): ?(.*)$/;
/** Of the summary at the end, which tasks have failed: `Failed:    @shop/api#build, web#build`. */
const failedTasks = /^\s*Failed:\s+(\S.*)$/;

const own: readonly RegExp[] = [
  /^\s*• /,
  /^cache (hit|miss|bypass)\b/,
  /^\s*(Tasks|Cached|Time|Failed):\s/,
  /^\s*(\S+#\S+:\s+)?(ERROR|WARNING)\s/,
  // What npm says around a script: the script itself, and that it failed.
  /^> /,
  /^npm (error|warn) /i,
];

/** Whether turbo, or the package manager that runs a script for it, says a line about itself. */
export function isOwnLine(line: string): boolean {
  const text = stripVTControlCharacters(line).trimEnd();
  const said = prefixed.exec(text)?.[2] ?? text;
  return own.some((pattern) => pattern.test(said) || pattern.test(text));
}

/** How the tasks of one `turbo run --continue --log-prefix=task` ended. Those that were skipped because another failed say nothing, and are left out. */
export function outcomesIn(lines: readonly string[]): ReadonlyMap<TargetId, TargetEnd> {
  const said = new Map<TargetId, string[]>();
  let failed: ReadonlySet<TargetId> | undefined;
  for (const line of lines) {
    const text = stripVTControlCharacters(line).trimEnd();
    const [, id, rest = ''] = prefixed.exec(text) ?? [];
    const list = failedTasks.exec(text)?.[1];
    if (list !== undefined) failed = new Set(list.split(', ').map((task) => task.replace('#', ':')));
    else if (id !== undefined) {
      const before = said.get(id) ?? [];
      said.set(id, isOwnLine(rest) ? before : [...before, rest]);
    }
  }
  const failures = failed;
  // Without the summary turbo was stopped, and what it had begun may have ended in any way.
  if (!failures) return new Map();
  return new Map([...said].map(([id, rest]): [TargetId, TargetEnd] => [id, failures.has(id) ? { ok: false, lines: rest } : { ok: true }]));
}
