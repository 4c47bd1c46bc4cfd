import picomatch from 'picomatch';

/**
 * What no image made with the whole workspace as its context takes. Neither `dist` nor other outputs are among them: an image that
 * copies what a target made needs them, and of a directory that nothing copies nothing is read.
 */
export const dockerignoreLines = ['**/node_modules', '.git', '.nx', '.slipway'] as const;

/** The lines that take nothing away from any image: a Dockerfile may well copy what most do not want. */
export function harmlessLines(lines: readonly string[], copied: readonly string[]): readonly string[] {
  const names = new Set(copied.flatMap((path) => path.split('/')));
  return lines.filter((line) => !names.has(line.replace(/^\*\*\//, '')));
}

/** Slipway's own folder: records and caches of this machine. */
export const gitignoreLines = ['.slipway'] as const;

/** The text with the lines that it does not have yet, in whichever of the usual ways they are written. */
export function withLines(text: string | undefined, lines: readonly string[]): string {
  const has = new Set((text ?? '').split(/\r?\n/).map(bare));
  const missing = lines.filter((line) => !has.has(bare(line)) && !has.has(`**/${bare(line)}`));
  if (missing.length === 0) return text ?? '';
  const newline = text?.includes('\r\n') === true ? '\r\n' : '\n';
  const before = text === undefined || text === '' || text.endsWith('\n') ? (text ?? '') : `${text}${newline}`;
  return before + missing.map((line) => line + newline).join('');
}

/** The folders that builds write and no line ignores. They would be what these builds are made from: neither Nx nor turbo would find a build again. */
export function unignored(text: string | undefined, folders: readonly string[]): readonly string[] {
  const globs = (text ?? '')
    .split(/\r?\n/)
    .map((line) => line.trim().replace(/\/$/, ''))
    .filter((line) => line !== '' && !/^[#!]/.test(line))
    .map((line) => (line.includes('/') ? line.replace(/^\//, '') : `**/${line}`));
  return folders.filter((folder) => !picomatch.isMatch(folder, [...globs, ...globs.map((glob) => `${glob}/**`)], { dot: true }));
}

/** A pattern without what makes no difference at the root of a workspace. */
function bare(line: string): string {
  return line.trim().replace(/^\//, '').replace(/\/$/, '');
}
