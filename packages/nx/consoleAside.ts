/** While it works, what is printed by `console` goes to stderr: it is of plugins that are loaded here, and stdout may be for a machine to read. */
export async function consoleAside<T>(work: () => Promise<T>): Promise<T> {
  const { log, info, debug } = console;
  Object.assign(console, { log: console.error, info: console.error, debug: console.error });
  try {
    return await work();
  } finally {
    Object.assign(console, { log, info, debug });
  }
}
