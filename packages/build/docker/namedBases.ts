import { baseRefOf, type BaseRefs } from '../bases';

/**
 * Puts references of images of this workspace where a Dockerfile names them, in `FROM shop/base:any` and `COPY --from=shop/base`: so
 * the engine takes exactly the one that was made, and fetches it if need be. Lines stay where they are.
 */
export function namedBases(text: string, bases: BaseRefs): string {
  return text.replace(imageNames, (all: string, before: string, name: string) => {
    const ref = baseRefOf(name, bases);
    return ref === undefined ? all : before + ref;
  });
}

/** The references of those images of this workspace that a Dockerfile names so. */
export function basesIn(text: string, bases: BaseRefs): ReadonlySet<string> {
  const refs = [...text.matchAll(imageNames)].map(([, , name = '']) => baseRefOf(name, bases));
  return new Set(refs.filter((ref) => ref !== undefined));
}

const imageNames = /^([ \t]*FROM[ \t]+(?:--\S+[ \t]+)*|[ \t]*COPY[ \t]+(?:--\S+[ \t]+)*?--from=)(\S+)/gim;
