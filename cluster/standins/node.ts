import { cpSync, existsSync, mkdirSync, realpathSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { findProgram } from '../debian';
import { busybox, fillBusybox } from './busybox';
import { identityOf, placeProgram, placeSurroundings } from './place';
import { CERTIFICATES, PATH_LINE, type StandIn } from './standIn';

/** The Node that runs this, and the machine's npm. */
export const node: StandIn = {
  madeFrom: async () => {
    const npm = npmFolder();
    return [
      ...(await busybox.madeFrom()),
      identityOf(process.execPath),
      identityOf(CERTIFICATES),
      ...(npm === undefined ? [] : [identityOf(join(npm, 'package.json'))]),
    ];
  },
  fill: async (root) => {
    await fillBusybox(root);
    await placeProgram(process.execPath, root, 'usr/local/bin/node');
    placeSurroundings(root);
    placeNpm(root);
  },
  changes: [PATH_LINE, `ENV NODE_VERSION=${process.versions.node}`, 'CMD ["node"]'],
};

/** Images of Node bring npm, and many a Dockerfile runs it. */
function placeNpm(root: string): void {
  const folder = npmFolder();
  if (folder === undefined) return;
  cpSync(folder, join(root, 'usr/local/lib/node_modules/npm'), { recursive: true });
  // Node trusts a list of its own; a machine behind a proxy that signs anew has that proxy's certificate among Debian's.
  mkdirSync(join(root, 'usr/local/etc'), { recursive: true });
  writeFileSync(join(root, 'usr/local/etc/npmrc'), `cafile=${CERTIFICATES}\nupdate-notifier=false\n`);
  for (const name of ['npm', 'npx']) symlinkSync(`../lib/node_modules/npm/bin/${name}-cli.js`, join(root, 'usr/local/bin', name));
}

function npmFolder(): string | undefined {
  const npm = findProgram('npm');
  const folder = npm === undefined ? undefined : dirname(dirname(realpathSync(npm)));
  return folder !== undefined && existsSync(join(folder, 'bin/npm-cli.js')) ? folder : undefined;
}
