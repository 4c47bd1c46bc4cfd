/** What stands for a variable, or for a dollar sign. */
const variable = /\$(?:\$|\{([^{}]*)\}|([A-Za-z_]\w*))/g;

export interface Filled {
  /** With `${NAME}`, `${NAME:-default}` and `$$`, as Slipway reads them. */
  readonly text: string;
  readonly usesVariables: boolean;
}

/** A text of a Compose file, in which variables of the environment may stand. Those that must be set are without a default, as here every one of these must. */
export function withVariables(text: string): Filled {
  let usesVariables = false;
  const made = text.replace(variable, (whole: string, braced: string | undefined, plain: string | undefined) => {
    if (whole === '$$') return whole;
    usesVariables = true;
    const [, name = '', fallback] = /^(\w+)(?::?-(.*)|:?[?+].*)?$/s.exec(braced ?? plain ?? '') ?? [];
    return fallback === undefined ? `\${${name}}` : `\${${name}:-${fallback}}`;
  });
  return { text: made, usesVariables };
}

/** A text of a Compose file where no variable is read: `$$` is one dollar sign. */
export function withoutVariables(text: string): string {
  return text.replaceAll('$$', '$');
}
