/** Replaces `${NAME}` and `${NAME:-default}` by variables of the environment; `$$` stands for a dollar sign. */
export function interpolateEnv(
  text: string,
  env: Readonly<Record<string, string | undefined>>,
): { readonly text: string; readonly missing: readonly string[] } {
  const missing: string[] = [];
  const replaced = text.replace(
    /\$\$|\$\{([A-Za-z_][A-Za-z0-9_]*)(?::-([^}]*))?\}/g,
    (found, name: string | undefined, fallback: string | undefined) => {
      if (name === undefined) return '$';
      const value = env[name];
      if (value !== undefined && value !== '') return value;
      if (fallback === undefined && value === undefined) missing.push(name);
      return fallback ?? value ?? found;
    },
  );
  return { text: replaced, missing };
}
