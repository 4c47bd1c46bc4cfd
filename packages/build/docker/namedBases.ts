/**
 * Puts references of images of this workspace where a Dockerfile names them, in `FROM shop/base:any` and `COPY --from=shop/base`: so
 * the engine takes exactly the one that was made, and fetches it if need be. Lines stay where they are.
 */
export function namedBases(text: string, bases: Readonly<Record<string, string>>): string {
  return text.replace(imageNames, (all: string, before: string, name: string) => {
    const ref = refOf(name, bases);
    return ref === undefined ? all : before + ref;
  });
}

const imageNames = /^([ \t]*FROM[ \t]+(?:--\S+[ \t]+)*|[ \t]*COPY[ \t]+(?:--\S+[ \t]+)*?--from=)(\S+)/gim;

function refOf(name: string, bases: Readonly<Record<string, string>>): string | undefined {
  const withoutTag = name.replace(/:[^/:]*$/, '');
  if (Object.hasOwn(bases, name)) return bases[name];
  return Object.hasOwn(bases, withoutTag) ? bases[withoutTag] : undefined;
}
