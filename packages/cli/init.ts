import { spawn } from 'node:child_process';
import type { GraphSource } from '../graph';
import { nxCommand } from '../nx';
import type { Output } from './output';

/** Sets a workspace up: by the generator in Nx; elsewhere there is nothing to set up. */
export function init({ kind, root }: GraphSource, output: Output): Promise<number> {
  if (kind !== 'nx') {
    output.say(`${root} needs no setting up: \`slipway dev\` takes every package that has a Dockerfile, or manifests in k8s/`);
    return Promise.resolve(0);
  }
  const { command, args } = nxCommand(root, ['generate', 'nx-slipway:init']);
  return new Promise((done) => {
    const child = spawn(command, args, { cwd: root, stdio: 'inherit' });
    child.once('error', (error) =>
      done(output.refuse({ code: 'nxNotStarted', message: `nx did not start: ${error.message}`, retry: 'never', exitCode: 2 })),
    );
    child.once('exit', (code) => done(code ?? 1));
  });
}
