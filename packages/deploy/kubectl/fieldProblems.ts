import type { Problem } from '../../model';
import { nameOf } from '../kinds';
import type { RenderedObject } from './render';

/**
 * What the API server said of an object, one problem for each field of the manifest that it speaks of. The server writes fields as
 * `.spec.containers[name="web"].imagge: field not declared in schema`, `spec.replicas: Invalid value: -1: …` or
 * `unknown field "spec.replica"`.
 */
export function fieldProblems({ object, location, locate }: RenderedObject, problem: Problem): readonly [Problem, ...Problem[]] {
  const secret = object.kind === 'Secret';
  const said = `${problem.message}\n${problem.detail ?? ''}`;
  const found = new Map<string, string>();
  const roots = Object.keys(object)
    .filter((name) => /^\w+$/.test(name))
    .join('|');
  // One of the outermost alone is a field where something is said of it; else it is a word.
  const saysOf = ':\\s+(?:field not declared|[A-Z]\\w+ value|Forbidden|Too long|Too many|expected )';
  const path = `(?:${roots})(?:(?:\\.[\\w$/-]+|\\[[^\\]]*\\])+|(?=${saysOf})|(?<=unknown field "\\w+)(?="))`;
  // A reason ends at its line, or where the next field begins.
  const pattern = new RegExp(`(?<![\\w.])\\.?(${path})"?(?::\\s*([^\\n]*?)(?=;\\s+\\.?${path}:|\\n|$))?`, 'g');
  for (const [, field, reason] of said.matchAll(pattern)) {
    if (field !== undefined && !found.has(field)) found.set(field, reasonOf(said, field, reason));
  }
  const unknown = new Set<string>();
  const [first, ...others] = [...found].flatMap(([path, reason]): readonly Problem[] => {
    const message = `${nameOf(object)}: ${path} ${secret ? withoutValue(reason) : reason}`;
    const location = locate(path, /^is (not a field|required)/.test(reason) ? 'key' : 'value');
    // An item of a list may be named by its key and by its place, `containers[name="web"]` and `containers[0]`: it is one field.
    const place = JSON.stringify([location, path.slice(path.lastIndexOf('.'))]);
    if (reason.startsWith('is not a field') && unknown.has(place)) return [];
    unknown.add(place);
    return [{ code: 'manifestInvalid', message, hint: hintOf(reason), retry: 'whenInputChanges', exitCode: 2, location }];
  });
  if (!first) {
    if (!secret) return [{ hint: 'correct it in the manifest', ...problem, location }];
    const encoding = said.includes('illegal base64');
    return [
      {
        code: 'manifestInvalid',
        message: encoding ? `${nameOf(object)}: a value of its data is not base64` : `the cluster refused ${nameOf(object)}`,
        hint: encoding
          ? 'encode it, or put plain text into stringData'
          : 'check its fields; what the cluster said is not shown, as it may quote a value',
        retry: encoding ? 'whenInputChanges' : problem.retry,
        exitCode: problem.exitCode,
        location: encoding ? locate('data') : location,
      },
    ];
  }
  return [first, ...others];
}

function reasonOf(said: string, path: string, reason: string | undefined): string {
  if (reason === undefined || reason.trim() === '')
    return said.includes(`unknown field "${path}"`) ? 'is not a field that there is' : 'is not valid';
  if (reason.includes('field not declared in schema')) return 'is not a field that there is';
  if (reason.startsWith('Required value')) return 'is required and missing';
  return `is not valid: ${reason
    .trim()
    .replace(/^Invalid value: /, '')
    .replace(/^(?:\{.*?\}|\[.*?\]): /, '')
    .replace(/[.,]$/, '')}`;
}

/** Most reasons quote what a Secret holds: `expected string, got …`, `"…": must be …`. Only what cannot is kept. */
function withoutValue(reason: string): string {
  const [known] = /^is (not a field that there is|required and missing|not valid: expected [\w ]+)/.exec(reason) ?? [];
  return known ?? 'is not valid';
}

function hintOf(reason: string): string {
  if (reason.startsWith('is not a field')) return 'check its spelling and its indentation';
  if (reason.startsWith('is required')) return 'add it';
  return 'correct it in the manifest';
}
