// Skaffold and Tilt, where they are on PATH: what they need to do the same work as Slipway in the same run.
import { spawn } from 'node:child_process';
import { accessSync, constants, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

export function isOnPath(tool) {
  return (process.env.PATH ?? '').split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, tool), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

/** `artifacts`: `{ image, context, dockerfile }`, with paths relative to the folder. */
export function writeSkaffold(folder, { registry, artifacts, manifests = [] }) {
  const config = {
    apiVersion: 'skaffold/v4beta11',
    kind: 'Config',
    build: {
      local: { push: true, concurrency: 0 },
      ...(registry !== undefined && { insecureRegistries: [registry] }),
      tagPolicy: { inputDigest: {} },
      artifacts: artifacts.map(({ image, context, dockerfile }) => ({ image, context, docker: { dockerfile } })),
    },
    manifests: { rawYaml: manifests },
    deploy: { kubectl: {} },
  };
  writeFileSync(join(folder, 'skaffold.yaml'), JSON.stringify(config, null, 2));
}

/** Where Skaffold is told to push. */
export function defaultRepo(registry) {
  return registry === undefined ? [] : ['--default-repo', registry];
}

/** How each is started for one service with its Dockerfile in `app/`, whose image has that name, and for which nothing is synced. */
export const developers = {
  skaffold: ({ folder, name, namespace, registry }) => {
    writeSkaffold(folder, {
      registry,
      artifacts: [{ image: name, context: 'app', dockerfile: 'Dockerfile' }],
      manifests: ['app/k8s/app.yaml'],
    });
    return ['dev', ...defaultRepo(registry), '--namespace', namespace, '--tail=false', '--port-forward=off', '--cleanup=true'];
  },
  tilt: ({ folder, name, namespace, registry }) => {
    const lines = [
      'allow_k8s_contexts(k8s_context())',
      ...(registry === undefined ? [] : [`default_registry(${JSON.stringify(registry)})`]),
      `k8s_yaml(${JSON.stringify('app/k8s/app.yaml')})`,
      `docker_build(${JSON.stringify(name)}, 'app')`,
    ];
    writeFileSync(join(folder, 'Tiltfile'), `${lines.join('\n')}\n`);
    return ['up', '--stream', '--port=0', '--namespace', namespace];
  },
};

/** Starts a tool that goes on until it is stopped, and ends it as Ctrl+C does. */
export function start(tool, args, options) {
  const child = spawn(tool, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr]) stream.on('data', (data) => (output = `${output}${data}`.slice(-4000)));
  const ended = new Promise((resolve) => child.on('close', resolve));
  return {
    /** Throws with what it said last when it is no longer running. */
    mustRun() {
      if (child.exitCode !== null) throw new Error(`${tool} ended with exit code ${child.exitCode}\n${output}`);
    },
    async stop() {
      child.kill('SIGINT');
      await ended;
    },
  };
}
