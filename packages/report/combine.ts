import type { Report } from '../model';

/** One report that tells all of them. */
export function combine(reports: readonly Report[]): Report {
  return (event) => {
    for (const report of reports) report(event);
  };
}
