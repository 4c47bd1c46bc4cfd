// The generated services, deployed: all of them for the first time and when nothing changed, and one of them through Nx. They ask for no pods,
// as it is the deploying that is measured.
import { createRequire } from 'node:module';
import { mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { measure } from './measure.mjs';

const require = createRequire(import.meta.url);

const manifest = (name, image) => `apiVersion: v1
kind: ConfigMap
metadata: {name: ${name}}
data: {GREETING: hello}
---
apiVersion: v1
kind: Service
metadata: {name: ${name}}
spec: {selector: {app: ${name}}, ports: [{port: 80, targetPort: 8080}]}
---
apiVersion: apps/v1
kind: Deployment
metadata: {name: ${name}}
spec:
  replicas: 0
  selector: {matchLabels: {app: ${name}}}
  template:
    metadata: {labels: {app: ${name}}}
    spec: {containers: [{name: main, image: ${image}, envFrom: [{configMapRef: {name: ${name}}}]}]}
`;

/** `slipway` and `nx` run a command in the workspace, the latter with variables besides, and give its time. */
export async function benchDeploys({ env, workspace, services, imageOf, rounds, slipway, nx }) {
  const { connectKube } = require('../dist/clients/index.js');
  const connected = await connectKube({ env });
  if (!connected.ok) throw new Error(connected.problem.message);
  const kube = connected.value;
  const namespace = `slipway-bench-${process.pid}`;
  await kube.apply({ apiVersion: 'v1', kind: 'Namespace', metadata: { name: namespace } });
  try {
    for (const service of services) {
      mkdirSync(join(workspace, 'services', service, 'k8s'));
      writeFileSync(join(workspace, 'services', service, 'k8s', 'all.yaml'), manifest(service, imageOf(service)));
    }
    const flag = `--namespace=${namespace}`;
    const first = await slipway('deploy', flag);
    const [all, one, bare, building, deploying, processor] = [[], [], [], [], [], []];
    const ownTimes = join(workspace, '.slipway', 'own-times');
    const preload = fileURLToPath(new URL('ownTime.cjs', import.meta.url));
    const deployOne = () =>
      nx({ SLIPWAY_OWN_TIME: ownTimes, NODE_OPTIONS: `--require ${preload}` }, 'run', `${services[0]}:k8s-deploy`, flag);
    // What is compiled is kept the first time.
    await deployOne();
    await deployOne();
    await nx({}, 'run', `${services[0]}:nothing`);
    for (let round = 0; round < rounds; round += 1) {
      all.push((await slipway('deploy', flag)).ms);
      rmSync(ownTimes);
      one.push((await deployOne()).ms);
      const executors = readFileSync(ownTimes, 'utf8')
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      const msOf = (wanted) => executors.find(({ name }) => name === wanted).ms;
      building.push(msOf('build'));
      deploying.push(msOf('deploy'));
      processor.push(executors.reduce((sum, { cpuMs }) => sum + cpuMs, 0));
      bare.push((await nx({}, 'run', `${services[0]}:nothing`)).ms);
    }
    return [
      measure(`${services.length} services, first deploy (no pods)`, [first.ms]),
      measure(`${services.length} services, nothing changed: slipway deploy`, all, { p50: 3000 }),
      measure('one service, nothing changed: nx run s0:k8s-deploy', one),
      measure('  beside it: nx run of as many tasks that do nothing', bare),
      measure('  of it our own: k8s-build', building),
      measure('  of it our own: k8s-deploy', deploying, { p50: 150 }),
      measure('  of the processor, on all its cores', processor),
    ];
  } finally {
    await kube.delete({ apiVersion: 'v1', kind: 'Namespace', name: namespace });
  }
}
