/** A duration in Go's form, as `1m30s` or `1.5s`; undefined when it is none. */
export function nanosecondsOf(text: string): number | undefined {
  const units: Readonly<Record<string, number>> = { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9, m: 60e9, h: 3600e9 };
  if (!/^(\d+(\.\d+)?(ns|us|µs|ms|s|m|h))+$/.test(text)) return text === '0' ? 0 : undefined;
  return [...text.matchAll(/(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)/g)].reduce(
    (sum, [, amount = '0', unit = 's']) => sum + Math.round(Number(amount) * (units[unit] ?? 0)),
    0,
  );
}
