import type { Content, FileTree, Owner } from './fileTree';

export type ReadContent = (content: Content, size: number) => Promise<string | undefined>;

/**
 * Who `user[:group]` is, by the files of the image: as BuildKit takes it, a user alone has the group of the user, and a number alone is also
 * that of the group. A name that is not known is a text that says so.
 */
export async function ownerOf(spec: string, tree: FileTree, read: ReadContent): Promise<Owner | string> {
  const [user = '', group] = spec.split(/:(.*)/s);
  const uid = numberOf(user);
  const known = uid === undefined ? await lineOf('/etc/passwd', user) : undefined;
  if (uid === undefined && !known) return `there is no user ${user} in /etc/passwd of the image`;
  const owner = { uid: uid ?? Number(known?.[2]), gid: uid ?? Number(known?.[3]) };
  if (group === undefined) return owner;
  const gid = numberOf(group) ?? Number((await lineOf('/etc/group', group))?.[2] ?? Number.NaN);
  return Number.isNaN(gid) ? `there is no group ${group} in /etc/group of the image` : { ...owner, gid };

  async function lineOf(path: string, name: string): Promise<readonly string[] | undefined> {
    const file = tree.following(path);
    const text = file?.kind === 'file' ? await read(file.content, file.size) : undefined;
    return text
      ?.split('\n')
      .map((line) => line.split(':'))
      .find(([first]) => first === name);
  }
}

function numberOf(name: string): number | undefined {
  if (name === 'root') return 0;
  return /^\d+$/.test(name) ? Number(name) : undefined;
}
