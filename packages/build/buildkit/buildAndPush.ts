import type { Buildkit, Registry } from '../../clients';
import { failed, succeeded, type Result } from '../../model';
import { nameOfRef } from '../../tag';
import { basesNamed, basesRefused, type TriggersOf } from '../baseTriggers';
import { labelsOf, type BuildJob, type BuildTools, type Built } from '../builder';
import { contextOf } from '../docker/context';
import { engineOptionsOf } from '../docker/engineOptions';
import { namedBases } from '../docker/namedBases';
import { packContext } from '../docker/packContext';
import { located, sourcesChanged } from '../docker/problems';
import { nameInRegistry } from '../naming';

export interface PushingBuildkit {
  readonly buildkit: Buildkit;
  /** Who it is, for people. */
  readonly name: string;
  /** A reference as this daemon knows its registry. */
  readonly refFor: (ref: string) => string;
  /** Where steps are kept for the next build. */
  readonly cache?: string;
  /** The registry speaks plain http, or its certificate is not to be checked. */
  readonly isInsecure?: boolean;
  readonly registry: Registry;
  readonly inRegistry: TriggersOf;
  readonly env: BuildTools['env'];
}

/** Has a BuildKit make an image and push it without a name, from where that runs; it gets its name from here when exactly the snapshot was sent. */
export async function buildAndPush(daemon: PushingBuildkit, job: BuildJob): Promise<Result<Built>> {
  const { buildkit, name: builder, refFor, cache, isInsecure = false, registry, inRegistry, env } = daemon;
  const { artifact, root, ref, signal, onLine, snapshot } = job;
  const { recipe, project, settings } = artifact;
  const options = await engineOptionsOf(job, env);
  if (!options.ok) return options;
  const refused = await basesRefused(job, await basesNamed(job), inRegistry);
  if (!refused.ok) return refused;
  const { entries, dockerfile } = contextOf(artifact, snapshot);
  const bases = Object.fromEntries(Object.entries(job.bases).map(([name, base]) => [name, refFor(base)]));
  const rewrite = Object.keys(bases).length === 0 ? [] : [[recipe.dockerfile, (text: string) => namedBases(text, bases)] as const];
  const context = packContext({ root, entries, rewrite: new Map(rewrite) });
  const known = new Map(Object.entries(job.bases).map(([name, base]) => [base, bases[name] ?? base]));
  const made = await buildkit.build({
    context: context.stream,
    dockerfile,
    ...(recipe.target !== undefined && { target: recipe.target }),
    ...options.value,
    ...(settings && { cacheFrom: settings.cacheFrom.map(refFor), cacheTo: settings.cacheTo.map(refFor) }),
    args: Object.fromEntries(Object.entries(recipe.args).map(([name, value]) => [name, known.get(value) ?? value])),
    labels: labelsOf(job),
    repository: refFor(nameOfRef(ref)),
    isInsecure,
    ...(cache !== undefined && { cache }),
    signal,
    onLine,
  });
  // Whatever came of it, nothing more is read.
  context.stream.destroy();
  const [changed] = await context.changed;
  if (!made.ok) return failed(changed ? sourcesChanged(job, changed[0]) : await located(made.problem, job, dockerfile));
  const { digest } = made.value;
  const pushed = `${nameOfRef(ref)}@${digest}`;
  if (changed) {
    await registry.remove(pushed);
    return succeeded<Built>({ image: { location: 'registry', ref: pushed, id: digest }, sentHash: `changed:${changed[1]}`, builder });
  }
  const named = await nameInRegistry(registry, digest, job);
  if (!named.ok) return failed({ ...named.problem, project });
  return succeeded<Built>({ image: { location: 'registry', ref, id: digest }, sentHash: snapshot.inputsHash, builder });
}
