import type { PathKind } from './stage';

/** The first link that a path of the context leads through, or is: what is below it is elsewhere in the context. */
export function linkIn(path: string, kindOf: (path: string) => PathKind | undefined): string | undefined {
  const names = path.split('/').filter((name) => name !== '');
  return names.map((_, index) => names.slice(0, index + 1).join('/')).find((each) => kindOf(each) === 'link');
}
