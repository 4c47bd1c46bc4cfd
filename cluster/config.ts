import { API_PORT, CONTEXT_NAME, MARKER_LABEL, MARKER_VALUE, MAX_PODS, NODE_NAME, PAUSE_IMAGE, PROVIDER_ID, REGISTRY_PORT } from './layout';
import type { Plan, Tokens, User } from './plan';
import { USERS } from './plan';

/** The name that host, engine and kubelet all use for the registry, the first part of every image reference. */
export function registryHost({ networks, engine }: Pick<Plan, 'networks' | 'engine'>): string {
  return engine.kind === 'own' ? nodeRegistry({ networks }) : `localhost:${engine.registryPort}`;
}

/** Where the registry listens. */
export function nodeRegistry({ networks }: Pick<Plan, 'networks'>): string {
  return `${networks.nodeAddress}:${REGISTRY_PORT}`;
}

export function apiUrl({ networks }: Pick<Plan, 'networks'>): string {
  return `https://${networks.nodeAddress}:${API_PORT}`;
}

/** Every file that is rendered before the first process starts: path under `etc` and content. */
export function configFiles(plan: Plan): Record<string, string> {
  const files: Record<string, string> = {
    'tokens.csv': tokensCsv(plan.tokens),
    'containerd.toml': containerdConfig(plan),
    [`certs.d/${registryHost(plan)}/hosts.toml`]: registryHosts(plan),
    'cni/10-slipway.conflist': json(cniConfig(plan)),
    'registry.yaml': json(registryConfig(plan)),
    'kubelet.yaml': json(kubeletConfig(plan)),
    Corefile: corefile(plan),
    'resolv.conf': plan.outside ? `nameserver ${plan.networks.outsideDns}\n` : '# no way out\n',
    // A component reads the certificate from the folder that the API server made it in; people's kubeconfig carries it inside.
    ...Object.fromEntries(
      USERS.map((user) => [`${user}.kubeconfig`, kubeconfig(plan, user, { path: `${plan.layout.pki}/apiserver.crt` })]),
    ),
  };
  if (plan.engine.kind === 'own') files['docker.json'] = json(dockerConfig(plan));
  return files;
}

const GROUPS: Record<User, { readonly name: string; readonly groups: string }> = {
  admin: { name: 'slipway-admin', groups: 'system:masters' },
  // Its own role expects it to act through a service account for each controller; one that signs their tokens may as well act itself.
  controllers: { name: 'system:kube-controller-manager', groups: 'system:masters' },
  scheduler: { name: 'system:kube-scheduler', groups: '' },
  kubelet: { name: `system:node:${NODE_NAME}`, groups: 'system:nodes' },
  proxy: { name: 'system:kube-proxy', groups: '' },
  dns: { name: 'system:slipway:dns', groups: '' },
};

function tokensCsv(tokens: Tokens): string {
  return USERS.map((user) => `${tokens[user]},${GROUPS[user].name},${GROUPS[user].name},"${GROUPS[user].groups}"\n`).join('');
}

/** What the DNS server may read; the API server brings a role for every other component. */
export const dnsRole = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRole',
  metadata: { name: 'slipway:dns' },
  rules: [
    { apiGroups: [''], resources: ['services', 'namespaces', 'pods', 'endpoints'], verbs: ['list', 'watch'] },
    { apiGroups: ['discovery.k8s.io'], resources: ['endpointslices'], verbs: ['list', 'watch'] },
  ],
};

export const dnsRoleBinding = {
  apiVersion: 'rbac.authorization.k8s.io/v1',
  kind: 'ClusterRoleBinding',
  metadata: { name: 'slipway:dns' },
  roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'slipway:dns' },
  subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: GROUPS.dns.name }],
};

/** KEP-1755: where tools find out which registry a cluster pulls from. */
export function registryHosting(host: string): object {
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'local-registry-hosting', namespace: 'kube-public' },
    data: { 'localRegistryHosting.v1': `host: "${host}"\nhelp: "https://kind.sigs.k8s.io/docs/user/local-registry/"\n` },
  };
}

export function kubeconfig(
  plan: Pick<Plan, 'networks' | 'tokens'>,
  user: User,
  authority: { readonly path: string } | { readonly pem: string },
): string {
  const certificate =
    'path' in authority
      ? `certificate-authority: ${authority.path}`
      : `certificate-authority-data: ${Buffer.from(authority.pem).toString('base64')}`;
  return `apiVersion: v1
kind: Config
current-context: ${CONTEXT_NAME}
clusters:
  - name: ${CONTEXT_NAME}
    cluster:
      server: ${apiUrl(plan)}
      ${certificate}
contexts:
  - name: ${CONTEXT_NAME}
    context: {cluster: ${CONTEXT_NAME}, user: ${GROUPS[user].name}}
users:
  - name: ${GROUPS[user].name}
    user: {token: ${plan.tokens[user]}}
`;
}

function containerdConfig({ layout, tools }: Plan): string {
  return `version = 2
root = "${layout.state}/containerd"
state = "/run/containerd"
# Unpacking writes there.
temp = "${layout.state}/tmp"

[grpc]
  address = "/run/containerd/containerd.sock"

[plugins."io.containerd.internal.v1.opt"]
  path = "${layout.state}/containerd/opt"

[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "${PAUSE_IMAGE}"
  stream_server_address = "127.0.0.1"
  # Without CAP_SYS_RESOURCE a process may not lower its own score, and every sandbox would fail to start.
  restrict_oom_score_adj = true
  max_concurrent_downloads = 8

[plugins."io.containerd.grpc.v1.cri".containerd]
  snapshotter = "overlayfs"
  default_runtime_name = "runc"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
  runtime_type = "io.containerd.runc.v2"

[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
  SystemdCgroup = false

[plugins."io.containerd.grpc.v1.cri".cni]
  bin_dir = "${tools.cniFolder}"
  conf_dir = "${layout.etc}/cni"

[plugins."io.containerd.grpc.v1.cri".registry]
  config_path = "${layout.etc}/certs.d"
`;
}

function registryHosts(plan: Plan): string {
  const server = `http://${nodeRegistry(plan)}`;
  return `server = "${server}"\n\n[host."${server}"]\n  capabilities = ["pull", "resolve"]\n`;
}

function cniConfig({ networks }: Plan): object {
  return {
    cniVersion: '0.4.0',
    name: 'slipway',
    plugins: [
      {
        type: 'bridge',
        bridge: 'cni0',
        isGateway: true,
        hairpinMode: true,
        // One rule in the first process's script masquerades for all pods; a chain for each pod would slow every pod's start.
        ipMasq: false,
        ipam: {
          type: 'host-local',
          dataDir: '/run/cni',
          ranges: [[{ subnet: networks.pods, gateway: networks.podGateway }]],
          routes: [{ dst: '0.0.0.0/0' }],
        },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
}

function registryConfig(plan: Plan): object {
  return {
    version: 0.1,
    log: { level: 'warn', accesslog: { disabled: true } },
    storage: {
      filesystem: { rootdirectory: `${plan.layout.state}/registry`, maxthreads: 100 },
      delete: { enabled: true },
      cache: { blobdescriptor: 'inmemory' },
      maintenance: { uploadpurging: { enabled: false } },
    },
    http: { addr: `:${REGISTRY_PORT}`, secret: plan.layout.id },
  };
}

function dockerConfig(plan: Plan): object {
  const { layout, networks, outside } = plan;
  return {
    'data-root': `${layout.state}/docker`,
    'exec-root': '/run/docker',
    pidfile: '/run/docker.pid',
    hosts: [`unix://${layout.dockerSocket}`],
    group: 'root',
    containerd: '/run/containerd/containerd.sock',
    'insecure-registries': [nodeRegistry(plan)],
    bip: networks.engineBridge,
    'default-address-pools': [{ base: networks.engineNetworks, size: 24 }],
    'cgroup-parent': `/${layout.cgroup}/engine`,
    'exec-opts': ['native.cgroupdriver=cgroupfs'],
    // The default asks for a lower score than a process without CAP_SYS_RESOURCE may have.
    'oom-score-adjust': 0,
    // By this a later `up` knows that an engine it finds through DOCKER_HOST is one of ours and not the user's.
    labels: [`${MARKER_LABEL}=${MARKER_VALUE}`],
    'log-level': 'warn',
    ...(outside ? { dns: [networks.outsideDns] } : {}),
  };
}

function kubeletConfig({ layout, networks, outside }: Plan): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    // What listens here asks nobody who they are; the first process's script lets only this node itself in.
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: 'AlwaysAllow' },
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${layout.cgroup}`,
    containerRuntimeEndpoint: 'unix:///run/containerd/containerd.sock',
    clusterDNS: [networks.nodeAddress],
    clusterDomain: 'cluster.local',
    resolvConf: outside ? `${layout.etc}/resolv.conf` : '',
    providerID: PROVIDER_ID,
    podCIDR: networks.pods,
    maxPods: MAX_PODS,
    serializeImagePulls: false,
    maxParallelImagePulls: 8,
    registryPullQPS: 0,
    eventRecordQPS: 0,
    kubeAPIQPS: 200,
    kubeAPIBurst: 400,
    failSwapOn: false,
    enforceNodeAllocatable: [],
    // The disk is the user's, and how full it is says nothing about this cluster: no eviction and no image clean-up on its account.
    evictionHard: {
      'memory.available': '100Mi',
      'nodefs.available': '0%',
      'nodefs.inodesFree': '0%',
      'imagefs.available': '0%',
      'imagefs.inodesFree': '0%',
    },
    imageGCHighThresholdPercent: 100,
    volumePluginDir: `${layout.state}/kubelet-plugins`,
  };
}

function corefile({ layout, networks, outside }: Plan): string {
  return `.:53 {
    bind ${networks.nodeAddress}
    ready ${networks.nodeAddress}:8181
    errors
    kubernetes cluster.local in-addr.arpa ip6.arpa {
        kubeconfig ${layout.etc}/dns.kubeconfig
        pods insecure
        ttl 5
        fallthrough in-addr.arpa ip6.arpa
    }
${outside ? `    forward . ${networks.outsideDns}\n` : ''}    cache 5
}
`;
}

function json(value: object): string {
  return `${JSON.stringify(value, undefined, 2)}\n`;
}
