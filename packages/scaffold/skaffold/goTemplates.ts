/** What Skaffold puts into templates of helm values, and what stands for it here; behind it may stand the image, as `_shop_api`. */
const imageVariables: readonly (readonly [RegExp, string])[] = [
  [/^IMAGE_FULLY_QUALIFIED(?=_|$)/, 'IMAGE'],
  [/^IMAGE_(NAME|REPO|TAG|DIGEST)(?=_|$)/, 'IMAGE_$1'],
];

/** A Go template as one of Slipway's: `{{.NAME}}` and `{{.NAME | default "x"}}` become `${NAME}` and `${NAME:-x}`. Undefined for any other. */
export function fromGoTemplate(text: string): string | undefined {
  const parts = text.split(/({{.*?}})/);
  const made = parts.map((part, at) => (at % 2 === 0 ? part.replaceAll('$', () => '$$') : variable(part.slice(2, -2).trim())));
  return made.includes(undefined) ? undefined : made.join('');
}

function variable(expression: string): string | undefined {
  const plain = /^\.(?<name>\w+)$/.exec(expression);
  const piped = /^\.(?<name>\w+)\s*\|\s*default\s+"(?<otherwise>[^"{}$]*)"$/.exec(expression);
  const called = /^default\s+"(?<otherwise>[^"{}$]*)"\s+\.(?<name>\w+)$/.exec(expression);
  const { name, otherwise } = (plain ?? piped ?? called)?.groups ?? {};
  if (name === undefined) return undefined;
  return otherwise === undefined ? `\${${nameOf(name)}}` : `\${${nameOf(name)}:-${otherwise}}`;
}

function nameOf(name: string): string {
  const known = imageVariables.find(([from]) => from.test(name));
  return known ? name.replace(known[0], known[1]) : name;
}
