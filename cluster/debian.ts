import { accessSync, constants, existsSync, rmSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { ClusterProblem } from './problem';
import { run } from './run';

/** A program the cluster runs and the Debian package that brings it. Programs are looked for, not packages: Docker's own packages bring some of them too. */
interface Need {
  readonly packageName: string;
  readonly present: () => boolean;
}

const SBIN = ['/usr/local/sbin', '/usr/sbin', '/sbin', '/usr/local/bin', '/usr/bin', '/bin'];

/** The path of a program, also where an ordinary user's PATH does not look. */
export function findProgram(name: string): string | undefined {
  return [...(process.env['PATH'] ?? '').split(delimiter), ...SBIN]
    .map((folder) => join(folder, name))
    .find((path) => {
      try {
        accessSync(path, constants.X_OK);
        return path.startsWith('/');
      } catch {
        return false;
      }
    });
}

/** Debian's folder of network plug-ins, or the one that upstream uses. */
export function findCniFolder(): string | undefined {
  return ['/usr/lib/cni', '/opt/cni/bin'].find((folder) =>
    ['bridge', 'host-local', 'portmap', 'loopback'].every((plugin) => existsSync(join(folder, plugin))),
  );
}

function needs(ownEngine: boolean): Need[] {
  const program = (packageName: string, name: string): Need => ({ packageName, present: () => findProgram(name) !== undefined });
  return [
    ...(ownEngine ? [program('docker.io', 'dockerd')] : []),
    program('containerd', 'containerd'),
    program('containerd', 'ctr'),
    program('runc', 'runc'),
    program('iptables', 'iptables'),
    program('iproute2', 'ip'),
    { packageName: 'containernetworking-plugins', present: () => findCniFolder() !== undefined },
    program('docker-registry', 'docker-registry'),
    program('etcd-server', 'etcd'),
    program('conntrack', 'conntrack'),
    // The busybox of the package `busybox` needs the machine's libraries, which no image has.
    { packageName: 'busybox-static', present: () => existsSync('/usr/share/doc/busybox-static') && findProgram('busybox') !== undefined },
    program('socat', 'socat'),
    program('slirp4netns', 'slirp4netns'),
    // Base images are made from these where none can be pulled.
    program('python3-pip', 'pip3'),
    program('redis-server', 'redis-server'),
  ];
}

export function missingPackages(ownEngine: boolean): string[] {
  return [
    ...new Set(
      needs(ownEngine)
        .filter(({ present }) => !present())
        .map(({ packageName }) => packageName),
    ),
  ];
}

// The packages of daemons would have them started and enabled, on the host and outside our namespaces.
const UNITS: Readonly<Record<string, readonly string[]>> = {
  'docker.io': ['docker.service', 'docker.socket'],
  containerd: ['containerd.service'],
  'docker-registry': ['docker-registry.service'],
  'etcd-server': ['etcd.service'],
  'redis-server': ['redis-server.service'],
};

/** Installs Debian packages without a question, and without a daemon of theirs starting on the host, now or at the next boot. */
export async function installPackages(packages: readonly string[], logFile: string): Promise<void> {
  const apt = findProgram('apt-get');
  if (apt === undefined) {
    throw new ClusterProblem(
      `the embedded cluster needs programs that this machine lacks (on Debian: ${packages.join(' ')}), and there is no apt-get to install them with`,
      'Install them, or use kind, or name a cluster of your own with --context.',
    );
  }
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive', NEEDRESTART_MODE: 'a' };
  // Another apt at work, one that a killed call of ours left for instance, is waited for.
  const options = ['-o', 'DPkg::Lock::Timeout=300', '-o', 'Dpkg::Options::=--force-confold', '-y', '--no-install-recommends'];
  const install = () => run([apt, ...options, 'install', ...packages], { env, logFile });
  const allowed = forbidServices();
  try {
    await run(['dpkg', '--configure', '-a'], { env, logFile });
    let { status, stderr } = await install();
    if (status !== 0) {
      await run([apt, '-o', 'DPkg::Lock::Timeout=300', 'update'], { env, logFile });
      ({ status, stderr } = await install());
    }
    if (status !== 0)
      throw new ClusterProblem(
        `apt-get install ${packages.join(' ')} failed: ${stderr.trim().split('\n').at(-1) ?? ''}`,
        'Run it by hand to see why.',
        { log: 'packages' },
      );
    const systemctl = existsSync('/run/systemd/system') ? findProgram('systemctl') : undefined;
    const units = packages.flatMap((name) => UNITS[name] ?? []);
    if (systemctl !== undefined && units.length > 0) await run([systemctl, 'disable', '--now', ...units], { logFile });
  } finally {
    allowed();
  }
}

/** Debian asks `policy-rc.d` before a package starts its service. One that says no is put there for the time being, unless the machine has its own. */
function forbidServices(): () => void {
  const policy = '/usr/sbin/policy-rc.d';
  if (existsSync(policy)) return () => undefined;
  writeFileSync(policy, '#!/bin/sh\n# Put here by slipway while it installs packages; may be removed.\nexit 101\n', { mode: 0o755 });
  return () => rmSync(policy, { force: true });
}
