/** `worker` of `@shop/worker`: what images and objects are called after, and what people type. */
export function withoutScope(name: string): string {
  return name.replace(/^@[^/]*\//, '');
}

/** `@shop/worker` for `worker`, where only one name is so without its scope; else the name as it is. */
export function fullName(name: string, names: readonly string[]): string {
  if (names.includes(name)) return name;
  const [only, ...others] = names.filter((each) => withoutScope(each) === name);
  return only !== undefined && others.length === 0 ? only : name;
}
