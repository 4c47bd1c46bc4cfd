import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { homedir, tmpdir } from 'node:os';
import { join } from 'node:path';
import { parse, stringify } from 'yaml';
import type { Kube } from '../clients';
import { valueOf } from './localRegistry';
import { runCommand } from './runCommand';

interface Kubeconfig {
  readonly 'current-context': string;
  readonly contexts: readonly { readonly name: string; readonly context: { readonly user: string } }[];
}

const marked = { 'e2e.slipway.dev/login': 'yes' };

/** A login by a credential plugin, as those of clouds, whose tokens can be made to expire at any moment. Needs `kubectl`. */
export class ShortLogin {
  /** A kubeconfig with this login. */
  readonly kubeconfig: string;
  private readonly folder = mkdtempSync(join(tmpdir(), 'slipway-login-'));

  private constructor(
    private readonly kube: Kube,
    private readonly namespace: string,
    base: string,
  ) {
    const admin = process.env['KUBECONFIG'] ?? join(homedir(), '.kube', 'config');
    const kubectl = `kubectl --kubeconfig '${admin}' --namespace ${namespace}`;
    // A token that is bound to an object is worth nothing as soon as that is gone.
    const plugin = [
      '#!/bin/sh',
      'set -e',
      `echo asked >> '${this.asked}'`,
      'name=login-$(date +%s%N)',
      `${kubectl} create secret generic $name > /dev/null`,
      `${kubectl} label secret $name ${Object.entries(marked)
        .map((pair) => pair.join('='))
        .join()} > /dev/null`,
      `token=$(${kubectl} create token dev --bound-object-kind Secret --bound-object-name $name)`,
      `echo '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"'$token'"}}'`,
    ];
    const script = join(this.folder, 'login.sh');
    writeFileSync(script, `${plugin.join('\n')}\n`, { mode: 0o700 });
    const kubeconfig = parse(readFileSync(base, 'utf8')) as Kubeconfig;
    const user = kubeconfig.contexts.find(({ name }) => name === kubeconfig['current-context'])?.context.user ?? '';
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: script, interactiveMode: 'Never' };
    this.kubeconfig = join(this.folder, 'kubeconfig');
    writeFileSync(this.kubeconfig, stringify({ ...kubeconfig, users: [{ name: user, user: { exec } }] }), { mode: 0o600 });
  }

  /** `base`: the kubeconfig that it is put into. */
  static async open(kube: Kube, namespace: string, base: string): Promise<ShortLogin> {
    valueOf(await kube.apply({ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'dev', namespace } }));
    valueOf(
      await kube.apply({
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'ClusterRoleBinding',
        metadata: { name: `slipway-${namespace}` },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'cluster-admin' },
        subjects: [{ kind: 'ServiceAccount', name: 'dev', namespace }],
      }),
    );
    return new ShortLogin(kube, namespace, base);
  }

  /** How often the plugin was asked. */
  get count(): number {
    return readFileSync(this.asked, 'utf8').split('\n').length - 1;
  }

  /** What was given out so far is refused from now on; API servers remember a token for ten seconds. */
  async expire(): Promise<void> {
    const [label] = Object.entries(marked).map((pair) => pair.join('='));
    const args = ['delete', 'secret', '--namespace', this.namespace, '--selector', label ?? ''];
    await runCommand({ command: 'kubectl', args, cwd: this.folder });
  }

  async close(): Promise<void> {
    rmSync(this.folder, { recursive: true });
    const binding = { apiVersion: 'rbac.authorization.k8s.io/v1', kind: 'ClusterRoleBinding', name: `slipway-${this.namespace}` };
    valueOf(await this.kube.delete(binding));
  }

  private get asked(): string {
    return join(this.folder, 'asked');
  }
}
