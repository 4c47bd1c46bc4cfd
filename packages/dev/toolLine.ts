import { stripVTControlCharacters } from 'node:util';

/** What a line of a tool that watches files says of its builds. */
export interface Said {
  readonly begins: boolean;
  readonly ends: boolean;
  /** It names a mistake. */
  readonly wrong: boolean;
}

/** esbuild, tsc, Vite, Rollup, tsup, SWC, webpack and Rspack, Parcel. */
const begins: readonly RegExp[] = [
  /^\[watch\] build started/,
  /File change detected\. Starting incremental compilation/,
  /^build started\.\.\./,
  /^bundles \S.* → /,
  /^CLI Change detected/,
  /^🚧|^⏳/u,
];
const ends: readonly RegExp[] = [
  /^\[watch\] build finished/,
  /Found \d+ errors?\. Watching for file changes/,
  /^(✓ )?built in [\d.]+ ?m?s/,
  /^created \S.* in [\d.]+ ?m?s/,
  /Build success in [\d.]+ ?m?s/,
  /^Successfully compiled:? /,
  /compiled (successfully|with \d+ (error|warning)s?)/,
  /^✨ Built in /u,
];
const wrong: readonly RegExp[] = [
  /^\W*error\b/i,
  /\berror TS\d+:/,
  /^(\S+Error|\[!\].*|\w+ Build failed): /,
  /\bFound [1-9]\d* errors?\b/,
  /compiled with [1-9]\d* errors?/,
  /^\W*(Build failed|Failed to compile)/i,
];

export function saidIn(line: string): Said {
  const text = stripVTControlCharacters(line).trim();
  const matches = (patterns: readonly RegExp[]) => patterns.some((pattern) => pattern.test(text));
  return { begins: matches(begins), ends: matches(ends), wrong: matches(wrong) };
}
