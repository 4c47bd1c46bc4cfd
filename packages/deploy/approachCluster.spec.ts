import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const packages = join(__dirname, '..', '..', 'packages');

test('who has a Kube has asked the guard: nothing else in the product connects to a cluster', () => {
  const callers = readdirSync(packages, { recursive: true, encoding: 'utf8' })
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.spec.ts') && !/^(clients|testkit)\b/.test(file))
    .filter((file) => /\b(connectKube|kubeHttp|kubeLogin|loadKubeconfig)\b/.test(readFileSync(join(packages, file), 'utf8')));
  expect(callers).toEqual([join('deploy', 'approachCluster.ts')]);
});
