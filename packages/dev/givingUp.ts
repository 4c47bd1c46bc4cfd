import type { Report } from '../model';

/** How a command tells what fails that ends when it gets no further. */
export function givingUp(report: Report): Report {
  return (event) => report(event.kind === 'failed' ? { ...event, givesUp: true } : event);
}
