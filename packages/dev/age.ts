import { failed, succeeded, type Result } from '../model';

const unitMs: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 };

/** `10m`, `1h30m`, `90s` → milliseconds. Failure: `durationInvalid`, exit 2. */
export function ageMs(text: string): Result<number> {
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d)/g)];
  if (parts.length === 0 || parts.map(([part]) => part).join('') !== text) {
    return failed({
      code: 'durationInvalid',
      message: `"${text}" is no length of time`,
      hint: 'write it like 30s, 10m, 1h30m or 2d',
      retry: 'never',
      exitCode: 2,
    });
  }
  return succeeded(parts.reduce((sum, [, count, unit = '']) => sum + Number(count) * (unitMs[unit] ?? 0), 0));
}
