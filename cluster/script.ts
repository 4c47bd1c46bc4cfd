import { API_PORT, MARKER_LABEL, MARKER_VALUE, NODE_NAME } from './layout';
import type { Plan } from './plan';
import { nodeRegistry } from './config';

/** File descriptors that the first process inherits: the host's network and mounts, for the few processes that must look at those. */
export const HOST_NETWORK_FD = 9;
export const HOST_MOUNTS_FD = 8;
const OWN_NETWORK_FD = 7;
const STATE_FD = 6;

interface Component {
  readonly name: string;
  readonly command: readonly string[];
  /** A shell test that must hold before it is started; starting earlier would only make it fail and wait. */
  readonly after?: string;
  /** It works in a namespace of the host and so keeps the descriptors that lead there. */
  readonly onHost?: true;
}

const ONCE_CONTAINERD = 'test -S /run/containerd/containerd.sock';

/** Everything that runs in the cluster for as long as it lives. */
export function componentsOf(plan: Plan): Component[] {
  const { layout, networks, tools } = plan;
  const onceApi = `test -s ${layout.pki}/apiserver.key`;
  const kubeconfigOf = (user: string) => `--kubeconfig=${layout.etc}/${user}.kubeconfig`;
  const components: Component[] = [
    {
      name: 'etcd',
      command: [
        // Version 3.4 wants to be told that this is meant.
        ...(process.arch === 'arm64' ? ['env', 'ETCD_UNSUPPORTED_ARCH=arm64'] : []),
        'etcd',
        `--data-dir=${layout.state}/etcd`,
        '--listen-client-urls=http://127.0.0.1:2379',
        '--advertise-client-urls=http://127.0.0.1:2379',
        '--listen-peer-urls=http://127.0.0.1:2380',
        '--log-level=warn',
      ],
    },
    { name: 'containerd', command: ['containerd', '--config', `${layout.etc}/containerd.toml`, '--log-level', 'warn'] },
    { name: 'registry', command: ['docker-registry', 'serve', `${layout.etc}/registry.yaml`] },
    {
      name: 'kube-apiserver',
      command: [
        tools.kubernetes,
        'kube-apiserver',
        '--etcd-servers=http://127.0.0.1:2379',
        `--advertise-address=${networks.nodeAddress}`,
        `--secure-port=${API_PORT}`,
        `--cert-dir=${layout.pki}`,
        `--token-auth-file=${layout.etc}/tokens.csv`,
        '--authorization-mode=Node,RBAC',
        '--enable-admission-plugins=NodeRestriction',
        '--allow-privileged=true',
        `--service-cluster-ip-range=${networks.services}`,
        '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
        `--service-account-signing-key-file=${layout.pki}/sa.key`,
        `--service-account-key-file=${layout.pki}/sa.pub`,
        '--kubelet-preferred-address-types=InternalIP',
        // It measures objects by a call that Debian's etcd 3.4 cannot answer, for a minute each time.
        '--feature-gates=SizeBasedListCostEstimate=false',
        '--profiling=false',
      ],
    },
    {
      name: 'kube-controller-manager',
      after: onceApi,
      command: [
        tools.kubernetes,
        'kube-controller-manager',
        kubeconfigOf('controllers'),
        `--service-account-private-key-file=${layout.pki}/sa.key`,
        `--root-ca-file=${layout.pki}/apiserver.crt`,
        `--cluster-cidr=${networks.pods}`,
        '--allocate-node-cidrs=false',
        '--bind-address=127.0.0.1',
        '--leader-elect=false',
        '--profiling=false',
        '--kube-api-qps=200',
        '--kube-api-burst=400',
      ],
    },
    {
      name: 'kube-scheduler',
      after: onceApi,
      command: [
        tools.kubernetes,
        'kube-scheduler',
        kubeconfigOf('scheduler'),
        '--bind-address=127.0.0.1',
        '--leader-elect=false',
        '--profiling=false',
        '--kube-api-qps=200',
        '--kube-api-burst=400',
      ],
    },
    {
      name: 'kubelet',
      after: `test -e ${layout.state}/pause-loaded && ${onceApi}`,
      command: [
        tools.kubernetes,
        'kubelet',
        kubeconfigOf('kubelet'),
        `--config=${layout.etc}/kubelet.yaml`,
        `--hostname-override=${NODE_NAME}`,
        `--node-ip=${networks.nodeAddress}`,
        `--node-labels=${MARKER_LABEL}=${MARKER_VALUE}`,
        `--cert-dir=${layout.pki}/kubelet`,
      ],
    },
    {
      name: 'kube-proxy',
      after: onceApi,
      command: [
        tools.kubernetes,
        'kube-proxy',
        kubeconfigOf('proxy'),
        '--proxy-mode=iptables',
        `--hostname-override=${NODE_NAME}`,
        `--cluster-cidr=${networks.pods}`,
        '--conntrack-max-per-core=0',
        '--healthz-bind-address=127.0.0.1:10256',
      ],
    },
    { name: 'coredns', after: onceApi, command: [tools.coredns, '-conf', `${layout.etc}/Corefile`] },
  ];
  if (plan.engine.kind === 'own') {
    components.push({ name: 'dockerd', after: ONCE_CONTAINERD, command: ['dockerd', '--config-file', `${layout.etc}/docker.json`] });
  } else {
    const { registryPort } = plan.engine;
    components.push({
      name: 'registry-port',
      onHost: true,
      command: [
        ...inHost('net'),
        'socat',
        `TCP-LISTEN:${registryPort},bind=127.0.0.1,fork,reuseaddr,backlog=128`,
        `TCP:${nodeRegistry(plan)}`,
      ],
    });
  }
  if (plan.outside) {
    components.push({
      name: 'outside',
      onHost: true,
      command: [
        // Names are looked up where the host looks them up, so the host's /etc/resolv.conf has to be seen.
        ...inHost('net', 'mount'),
        'slirp4netns',
        '--configure',
        '--mtu=65520',
        '--disable-host-loopback',
        `--cidr=${networks.outside}`,
        '--netns-type=path',
        `/proc/self/fd/${OWN_NETWORK_FD}`,
        'tap0',
      ],
    });
  }
  return components;
}

/** Runs a command in the host's namespace while it stays in our PID namespace, and so ends with it. */
function inHost(...namespaces: ('net' | 'mount')[]): string[] {
  return ['nsenter', ...namespaces.map((name) => `--${name}=/proc/self/fd/${name === 'net' ? HOST_NETWORK_FD : HOST_MOUNTS_FD}`), '--'];
}

/**
 * The first process of the cluster's namespaces: it hides what would collide with the host, makes the network, starts every component, starts it
 * again when it dies, and reaps what is orphaned. The kernel ends everything else when it ends.
 */
export function firstProcessScript(plan: Plan): string {
  const { layout, networks, outside } = plan;
  const { state } = layout;
  return `#!/bin/sh
# The first process of the Slipway cluster in ${state}. Ending it (SIGKILL) ends the cluster.
set -eu
cd /
exec ${STATE_FD}<${state} ${OWN_NETWORK_FD}</proc/self/ns/net

# Nothing that is mounted here is seen by the host.
mount --no-mtab --make-rshared /
mount --no-mtab -t proc proc /proc
mount --no-mtab -t tmpfs -o mode=755 tmpfs /run
mkdir -p /run/lock /run/containerd /run/sysctl
# The state folder may be under what is hidden here; the open descriptor leads to it all the same.
here=/proc/self/fd/${STATE_FD}
mount --no-canonicalize --bind $here/var-lib /var/lib
mount --no-canonicalize --bind $here/var-log /var/log
mkdir -p ${state}
mount --no-canonicalize --bind $here ${state}
exec ${STATE_FD}<&-
# What the components write under /etc, such as the engine's key, stays with the cluster; what the machine has there they read.
mount -t overlay -o lowerdir=/etc,upperdir=${state}/etc-upper,workdir=${state}/etc-work overlay /etc
rm -f /etc/resolv.conf
cp ${layout.etc}/resolv.conf /etc/resolv.conf
chmod 644 /etc/resolv.conf
hostname ${NODE_NAME}

# The kubelet insists on these values and would set them for the whole machine. It may set these files instead.
sysctl() {
  test -e "/proc/sys/$1" || return 0
  file=/run/sysctl/$(echo "$1" | tr / .)
  echo "$2" >"$file"
  mount --bind "$file" "/proc/sys/$1"
}
sysctl vm/overcommit_memory 1
sysctl vm/panic_on_oom 0
sysctl kernel/panic 10
sysctl kernel/panic_on_oops 1
sysctl kernel/keys/root_maxkeys 1000000
sysctl kernel/keys/root_maxbytes 25000000

ip link set lo up
tries=0
until ip link show eth0 >/dev/null 2>&1; do
  tries=$((tries + 1))
  test $tries -lt 1000 || exit 1
  sleep 0.03
done
ip address add ${networks.nodeAddress}/${networks.linkPrefix} dev eth0
ip link set eth0 up
ip link add cni0 type bridge
ip address add ${networks.podGateway}/${networks.podPrefix} dev cni0
ip link set cni0 up
# A packet to a Service's address is looked up before kube-proxy's rules rewrite it.
ip route add ${networks.services} dev cni0
echo 1 >/proc/sys/net/ipv4/ip_forward
if test -e /proc/sys/net/bridge/bridge-nf-call-iptables; then echo 1 >/proc/sys/net/bridge/bridge-nf-call-iptables; fi
# The engine makes "drop" the fate of forwarded packets that nobody claims; pods' packets are claimed here.
iptables -w -A FORWARD -j ACCEPT
# The kubelet's and containerd's own ports ask for no password: only the API server, on this very node, may talk to them.
iptables -w -A INPUT -p tcp -m multiport --dports 10250,10255,10256 ! -i lo -j DROP
${outside ? `iptables -w -t nat -A POSTROUTING -s ${networks.pods} -o tap0 -j MASQUERADE` : '# Where there is no way out, an attempt fails at once instead of after minutes.\nip route add unreachable default'}

export TMPDIR=${state}/tmp
export PATH="$PATH:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

# Runs a component for ever: name, command.
keep() {
  name=$1
  shift
  while :; do
    "$@" >>"${layout.log}/$name.log" 2>&1 || echo "$name ended with status $?, starting it again" >>"${layout.log}/$name.log"
    sleep 1
  done
}

# Loads the image that holds a pod's namespaces.
(
  ${once(ONCE_CONTAINERD)}
  until ctr --address /run/containerd/containerd.sock --namespace k8s.io images import ${layout.etc}/pause.tar; do sleep 0.2; done
  : >${state}/pause-loaded
) >>${layout.log}/pause.log 2>&1 &

${componentsOf(plan).map(started).join('\n')}

# Without an argument, wait also reaps the orphans that the kernel hands to a first process.
while :; do
  wait
  sleep 1
done
`;
}

function started({ name, command, after, onHost }: Component): string {
  const closed = onHost ? '' : [OWN_NETWORK_FD, HOST_MOUNTS_FD, HOST_NETWORK_FD].map((fd) => ` ${fd}<&-`).join('');
  const keep = `keep ${name} ${command.map(quoted).join(' ')}${closed}`;
  return after === undefined ? `${keep} &` : `(\n  ${once(after)}\n  ${keep}\n) &`;
}

function once(test: string): string {
  return `until ${test}; do sleep 0.05; done`;
}

function quoted(word: string): string {
  return /^[\w@%+=:,./-]+$/.test(word) ? word : `'${word.replaceAll("'", `'\\''`)}'`;
}
