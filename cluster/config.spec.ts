import { apiUrl, configFiles, kubeconfig, registryHost, registryHosting } from './config';
import { layoutOf } from './layout';
import { networksOf } from './network';
import { USERS, type Plan, type Tokens } from './plan';
import { componentsOf, firstProcessScript } from './script';

const own: Plan = {
  layout: layoutOf('/var/lib/slipway/cluster'),
  networks: networksOf(0),
  engine: { kind: 'own' },
  tools: { kubernetes: '/bin/kubernetes', coredns: '/bin/coredns', cniFolder: '/usr/lib/cni' },
  tokens: Object.fromEntries(USERS.map((user) => [user, `token-of-${user}`])) as Tokens,
  outside: true,
};
const host: Plan = { ...own, engine: { kind: 'host', socket: '/var/run/docker.sock', registryPort: 5051 }, outside: false };

const parsed = (plan: Plan, name: string) => JSON.parse(configFiles(plan)[name] ?? '') as Record<string, unknown>;

describe('the files that components read', () => {
  test('the registry has one name for host, engine and kubelet', () => {
    expect(registryHost(own)).toBe('10.200.0.2:5000');
    expect(parsed(own, 'docker.json')['insecure-registries']).toEqual(['10.200.0.2:5000']);
    expect(configFiles(own)).toHaveProperty(['certs.d/10.200.0.2:5000/hosts.toml']);
    expect(JSON.stringify(registryHosting(registryHost(own)))).toContain('host: \\"10.200.0.2:5000\\"');
  });

  test('with an engine of the host it is a loopback name, which leads the kubelet to the node', () => {
    expect(registryHost(host)).toBe('localhost:5051');
    expect(configFiles(host)['certs.d/localhost:5051/hosts.toml']).toContain('server = "http://10.200.0.2:5000"');
    expect(configFiles(host)).not.toHaveProperty(['docker.json']);
  });

  test('the kubelet bears the marker, has room for 150 pods and stays in the cluster’s control group', () => {
    expect(parsed(own, 'kubelet.yaml')).toMatchObject({
      providerID: 'slipway://embedded/slipway',
      maxPods: 150,
      serializeImagePulls: false,
      cgroupRoot: `/${own.layout.cgroup}`,
      clusterDNS: ['10.200.0.2'],
    });
    const kubelet = componentsOf(own).find(({ name }) => name === 'kubelet');
    expect(kubelet?.command).toContain('--node-labels=slipway.dev/cluster=embedded');
  });

  test('the registry lets images be deleted', () => {
    expect(parsed(own, 'registry.yaml')).toMatchObject({ storage: { delete: { enabled: true } } });
  });

  test('names outside the cluster are looked up only where there is a way out', () => {
    expect(configFiles(own)['Corefile']).toContain('forward . 10.200.13.3');
    expect(configFiles(host)['Corefile']).not.toContain('forward');
  });

  test('each token is in the one file of its user, and in the list', () => {
    const files = configFiles(own);
    for (const user of USERS) {
      const holders = Object.keys(files).filter((name) => files[name]?.includes(own.tokens[user]));
      expect(holders.sort()).toEqual([`${user}.kubeconfig`, 'tokens.csv'].sort());
    }
  });

  test('a person’s kubeconfig carries the certificate and names the context', () => {
    const text = kubeconfig(own, 'admin', { pem: 'PEM' });
    expect(text).toContain('current-context: slipway');
    expect(text).toContain(`certificate-authority-data: ${Buffer.from('PEM').toString('base64')}`);
    expect(text).toContain(apiUrl(own));
  });
});

describe('the first process', () => {
  const names = (plan: Plan) => componentsOf(plan).map(({ name }) => name);

  test('runs an engine of its own, or a port for the engine of the host, never both', () => {
    expect(names(own)).toContain('dockerd');
    expect(names(own)).not.toContain('registry-port');
    expect(names(host)).toContain('registry-port');
    expect(names(host)).not.toContain('dockerd');
  });

  test('only what works in the host’s namespaces keeps the descriptors that lead there', () => {
    const lines = firstProcessScript(own)
      .split('\n')
      .filter((line) => line.trim().startsWith('keep '));
    expect(lines).toHaveLength(componentsOf(own).length);
    for (const line of lines) expect(line.includes('9<&-')).toBe(!line.includes('nsenter'));
  });

  test('fails at once what leads out where there is no way out', () => {
    expect(firstProcessScript(host)).toContain('ip route add unreachable default');
    expect(firstProcessScript(own)).not.toContain('unreachable');
  });
});
