/** The rest of a path below a directory; `''` is the directory itself. Undefined when it is not there. */
export function below(directory: string, path: string): string | undefined {
  if (directory === '' || directory === '/') return path.replace(/^\//, '');
  if (path === directory) return '';
  return path.startsWith(`${directory}/`) ? path.slice(directory.length + 1) : undefined;
}
