import type { WorkspacePath } from '../model';
import { below } from './below';

/** Where the Dockerfile is in the context as the engine is sent it: one that lies outside goes in under a name of its own. */
export function sentDockerfile({ context, dockerfile }: { readonly context: WorkspacePath; readonly dockerfile: WorkspacePath }): string {
  return below(context, dockerfile) ?? '.slipway.Dockerfile';
}
