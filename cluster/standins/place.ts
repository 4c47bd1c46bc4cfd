import { chmodSync, copyFileSync, existsSync, mkdirSync, realpathSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { run } from '../run';
import { CERTIFICATES } from './standIn';

/** Copies a file and makes the folders above it. */
export function place(from: string, to: string): void {
  mkdirSync(dirname(to), { recursive: true });
  copyFileSync(from, to);
}

/** Copies a program and the libraries that it loads, which lie in the image where they lie on this machine. */
export async function placeProgram(program: string, root: string, to: string): Promise<void> {
  place(realpathSync(program), join(root, to));
  chmodSync(join(root, to), 0o755);
  await placeLibrariesOf([realpathSync(program)], root);
}

export async function placeLibrariesOf(programs: readonly string[], root: string): Promise<void> {
  for (const library of await librariesOf(programs)) place(realpathSync(library), join(root, library));
}

/** The shared libraries of programs, and the loader that they name themselves. */
async function librariesOf(programs: readonly string[]): Promise<ReadonlySet<string>> {
  const { stdout } = await run(['ldd', ...programs]);
  return new Set([...stdout.matchAll(/(?:=> )?(\/\S+) \(0x/g)].map((match) => match[1] ?? ''));
}

/** Whom this machine trusts, and what it calls itself. */
export function placeSurroundings(root: string): void {
  if (existsSync(CERTIFICATES)) place(CERTIFICATES, join(root, CERTIFICATES));
  if (existsSync('/etc/os-release')) place(realpathSync('/etc/os-release'), join(root, 'etc/os-release'));
}

/** A file as it is now, without reading it. */
export function identityOf(path: string): string {
  if (!existsSync(path)) return `${path} absent`;
  const { size, mtimeMs } = statSync(path);
  return `${realpathSync(path)} ${size} ${mtimeMs}`;
}
