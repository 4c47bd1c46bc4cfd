import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Program } from '../cluster/gobuild';
import { runCommand } from './runCommand';
import { until } from './until';

/** Real ones, in the version of `e2e/go`. */
export const buildkitPrograms: readonly Program[] = ['buildkitd', 'buildctl'].map((name) => ({
  name,
  folder: 'buildkit',
  package: `github.com/moby/buildkit/cmd/${name}`,
  ldflags: '-s -w',
  firstTime: 'about 4 min',
}));

/** For tests whose programs are built when no run before has built them. */
export const firstBuildMs = 900_000;

export interface BuildkitDaemon {
  readonly address: string;
  stop(): Promise<void>;
}

/** A buildkitd on this machine, with all that it keeps in `folder`; it answers when this resolves. */
export async function startBuildkitd(
  programs: readonly { readonly name: string; readonly path: string }[],
  { folder, config }: { readonly folder: string; readonly config: string },
): Promise<BuildkitDaemon> {
  const pathOf = (program: string) => programs.find(({ name }) => name === program)?.path ?? program;
  const address = `unix://${join(folder, 'buildkitd.sock')}`;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'buildkitd.toml'), config);
  const args = ['--config', join(folder, 'buildkitd.toml'), '--addr', address, '--root', join(folder, 'buildkitd')];
  const daemon = spawn(pathOf('buildkitd'), args, { stdio: 'ignore' });
  await until('buildkitd answers', () =>
    runCommand({ command: pathOf('buildctl'), args: ['--addr', address, 'debug', 'workers'], cwd: '.' }).then(
      () => true,
      () => undefined,
    ),
  );
  return {
    address,
    async stop() {
      const ended = once(daemon, 'exit');
      if (daemon.kill()) await ended;
    },
  };
}
