/** One line of the table: milliseconds, sorted into percentiles, beside the bars they are held to. */
export function measure(what, times, bars = {}) {
  const sorted = [...times].sort((a, b) => a - b);
  const at = (share) => Math.round((sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))] ?? 0) * 100) / 100;
  const result = { what, n: sorted.length, p50: at(0.5), p90: at(0.9), p99: at(0.99), bars };
  return { ...result, met: Object.entries(bars).every(([name, bar]) => result[name] <= bar) };
}

export function table(results) {
  const rows = [
    ['what', 'n', 'p50 ms', 'p90 ms', 'p99 ms', 'bar'],
    ...results.map(({ what, n, p50, p90, p99, bars, met }) => [
      what,
      String(n),
      String(p50),
      String(p90),
      String(p99),
      `${Object.entries(bars)
        .map(([name, bar]) => `${name} ≤ ${bar}`)
        .join(', ')}${Object.keys(bars).length === 0 ? '' : met ? '  met' : '  MISSED'}`,
    ]),
  ];
  const widths = rows[0].map((_, column) => Math.max(...rows.map((row) => row[column].length)));
  return rows
    .map((row) =>
      row
        .map((cell, column) => cell.padEnd(widths[column]))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
