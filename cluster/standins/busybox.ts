import { appendFileSync, chmodSync, chownSync, copyFileSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { findProgram } from '../debian';
import { ClusterProblem } from '../problem';
import { run } from '../run';
import { identityOf } from './place';
import { PATH_LINE, type StandIn } from './standIn';

/** The machine's busybox, one link for each of its applets, and the folders and users that programs expect. The others stand on it. */
export const busybox: StandIn = {
  madeFrom: () => Promise.resolve([identityOf(busyboxProgram())]),
  fill: fillBusybox,
  changes: [PATH_LINE, 'CMD ["sh"]'],
};

const FOLDERS = ['bin', 'dev', 'etc', 'home', 'proc', 'root', 'sys', 'usr/bin', 'usr/sbin', 'usr/local/bin', 'sbin', 'var', 'run'];

export async function fillBusybox(root: string): Promise<void> {
  for (const folder of FOLDERS) mkdirSync(join(root, folder), { recursive: true });
  for (const folder of ['tmp', 'var/tmp']) {
    mkdirSync(join(root, folder));
    chmodSync(join(root, folder), 0o1777);
  }
  const program = busyboxProgram();
  copyFileSync(program, join(root, 'bin/busybox'));
  chmodSync(join(root, 'bin/busybox'), 0o755);
  const { stdout } = await run([program, '--list']);
  for (const applet of stdout.split('\n')) {
    if (applet !== '' && applet !== 'busybox') symlinkSync('busybox', join(root, 'bin', applet));
  }
  symlinkSync('/bin/env', join(root, 'usr/bin/env'));
  const etc = (name: string, text: string) => writeFileSync(join(root, 'etc', name), text);
  etc('passwd', 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n');
  etc('group', 'root:x:0:\nnogroup:x:65534:\n');
  etc('shadow', 'root:*:::::::\nnobody:*:::::::\n');
  etc('nsswitch.conf', 'passwd: files\ngroup: files\nhosts: files dns\n');
  addUser(root, { name: 'node', id: 1000, home: '/home/node' });
}

/** A user with a group and a home of its own, as public images have theirs. */
export function addUser(root: string, { name, id, home }: { readonly name: string; readonly id: number; readonly home: string }): void {
  appendFileSync(join(root, 'etc/passwd'), `${name}:x:${id}:${id}:${name}:${home}:/bin/sh\n`);
  appendFileSync(join(root, 'etc/group'), `${name}:x:${id}:\n`);
  appendFileSync(join(root, 'etc/shadow'), `${name}:*:::::::\n`);
  mkdirSync(join(root, home), { recursive: true });
  chownSync(join(root, home), id, id);
}

function busyboxProgram(): string {
  const program = findProgram('busybox');
  if (program === undefined) throw new ClusterProblem('busybox is not on this machine', 'Install the Debian package busybox-static.');
  return program;
}
