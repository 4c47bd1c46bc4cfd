import { findProgram } from '../debian';
import { ClusterProblem } from '../problem';
import { addUser, busybox, fillBusybox } from './busybox';
import { identityOf, placeProgram } from './place';
import { PATH_LINE, type StandIn } from './standIn';

/** Debian's redis, its client, and the user and folder that the public image has. */
export const redis: StandIn = {
  madeFrom: async () => [...(await busybox.madeFrom()), ...PROGRAMS.map((name) => identityOf(programOf(name)))],
  fill: async (root) => {
    await fillBusybox(root);
    addUser(root, { name: 'redis', id: 999, home: '/data' });
    // Which of its programs it is, it reads from its own name.
    for (const name of PROGRAMS) await placeProgram(programOf(name), root, `usr/local/bin/${name}`);
  },
  changes: [PATH_LINE, 'WORKDIR /data', 'EXPOSE 6379', 'CMD ["redis-server"]'],
};

const PROGRAMS = ['redis-server', 'redis-cli'] as const;

function programOf(name: (typeof PROGRAMS)[number]): string {
  const program = findProgram(name);
  if (program === undefined) throw new ClusterProblem(`${name} is not on this machine`, 'Install the Debian package redis-server.');
  return program;
}
