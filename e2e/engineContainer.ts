import { randomUUID } from 'node:crypto';
import { runCommand } from './runCommand';

export interface ContainerWish {
  readonly image: string;
  /** Default: what the image says. */
  readonly command?: readonly string[];
  readonly labels: Readonly<Record<string, string>>;
  /** More of `docker run`. */
  readonly options?: readonly string[];
}

export interface StartedContainer {
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  remove(): Promise<void>;
}

/** A container in the engine that the environment names. */
export async function startContainer({ image, command = [], labels, options = [] }: ContainerWish): Promise<StartedContainer> {
  const name = `e2e-${randomUUID().slice(0, 8)}`;
  const docker = (...args: readonly string[]) => runCommand({ command: 'docker', args, cwd: '.' });
  await docker(
    'run',
    '--detach',
    `--name=${name}`,
    ...Object.entries(labels).map(([label, value]) => `--label=${label}=${value}`),
    ...options,
    image,
    ...command,
  );
  const remove = async (): Promise<void> => {
    await docker('rm', '--force', '--volumes', name);
  };
  return { name, labels, remove };
}
