import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { parseImageRef, type Engine } from '../../clients';
import { failed, succeeded, type Result } from '../../model';
import { nameOfRef } from '../../tag';
import type { BaseRefs } from '../bases';
import { basesNamed, basesRefused, type TriggersOf } from '../baseTriggers';
import { labelsOf, type Builder, type BuildJob, type BuildTools, type Built } from '../builder';
import { nameInEngine } from '../naming';
import { contextOf } from './context';
import { engineOptionsOf } from './engineOptions';
import { basesIn, namedBases } from './namedBases';
import { packContext } from './packContext';
import { located, sourcesChanged } from './problems';

/** `inRegistry`: what images that the engine does not have leave to others. */
export type EngineTools = Pick<BuildTools, 'engine' | 'env'> & { readonly inRegistry: TriggersOf };

/** Through the BuildKit of a Docker engine. The image gets its name only when exactly the snapshot was sent. */
export function dockerBuilder(tools: EngineTools): Builder {
  return { build: (job) => buildInEngine(tools, job) };
}

/** `part`: what the engine is sent instead of the whole Dockerfile. */
export async function buildInEngine(tools: EngineTools, job: BuildJob, part?: string): Promise<Result<Built>> {
  const { engine, env } = tools;
  const { artifact, root, ref, signal, onLine, snapshot } = job;
  const { recipe } = artifact;
  const options = await engineOptionsOf(job, env);
  if (!options.ok) return options;
  const { entries, dockerfile } = contextOf(artifact, snapshot);
  const standsOn = await basesNamed(job, part);
  const refused = await basesRefused(job, standsOn, triggersKnown(tools));
  if (!refused.ok) return refused;
  const reachable = await reachableBases(job, engine, part);
  if (!reachable.ok) return failed({ ...reachable.problem, project: artifact.project });
  const bases = reachable.value;
  const isAsIs = part === undefined && Object.keys(bases).length === 0;
  const rewrite = isAsIs ? [] : [[recipe.dockerfile, (text: string) => namedBases(part ?? text, bases)] as const];
  const context = packContext({ root, entries, rewrite: new Map(rewrite) });
  const made = await engine.build({
    context: context.stream,
    dockerfile,
    ...(recipe.target !== undefined && { target: recipe.target }),
    ...options.value,
    args: withReachable(recipe.args, job.bases, bases),
    registries: [...new Set(standsOn.map(({ name }) => parseImageRef(name).registry))],
    labels: labelsOf(job),
    tags: [],
    signal,
    onLine,
  });
  // Whatever came of it, nothing more is read.
  context.stream.destroy();
  const [changed] = await context.changed;
  if (!made.ok) return failed(changed ? sourcesChanged(job, changed[0]) : await located(made.problem, job, dockerfile));
  const { imageId } = made.value;
  if (changed) {
    await engine.remove(imageId);
    return succeeded<Built>({
      image: { location: 'engine', ref: imageId, id: imageId },
      sentHash: `changed:${changed[1]}`,
      builder: 'docker',
    });
  }
  const named = await nameInEngine(engine, imageId, job);
  if (!named.ok) return failed({ ...named.problem, project: artifact.project });
  return succeeded<Built>({ image: { location: 'engine', ref, id: imageId }, sentHash: snapshot.inputsHash, builder: 'docker' });
}

/** Of an image that the engine has as it has it: others it fetches from their registry. */
function triggersKnown({ engine, inRegistry }: EngineTools): TriggersOf {
  return async (ref, job) => {
    const config = await engine.inspect(ref);
    if (!config.ok) return config;
    return config.value ? succeeded(config.value.onBuild) : inRegistry(ref, job);
  };
}

/**
 * By tags that the engine has. An image that only the registry has is fetched first: what an engine builds with does not always know
 * which registries the engine itself may speak to in plain http.
 */
async function reachableBases(
  { artifact, bases, root, signal, onLine }: BuildJob,
  engine: Engine,
  part?: string,
): Promise<Result<BaseRefs>> {
  if (Object.keys(bases).length === 0) return succeeded({});
  const { dockerfile, args } = artifact.recipe;
  const text = part ?? (await readFile(join(root, dockerfile), 'utf8').catch(() => ''));
  const named = basesIn(text, bases);
  const passed = new Set(Object.values(args));
  const found = Object.entries(bases).map(async ([name, ref]): Promise<Result<readonly [string, string]>> => {
    const tag = ref.replace(/@.*$/, '');
    if (!named.has(ref) && !passed.has(ref)) return succeeded([name, tag]);
    const id = await engine.imageId(tag);
    if (!id.ok) return id;
    if (id.value !== undefined) return succeeded([name, tag]);
    const pulled = await engine.pull({ ref, signal, onLine });
    if (!pulled.ok) return pulled;
    const tagged = tag === ref ? pulled : await engine.tag(`${nameOfRef(ref)}${ref.slice(tag.length)}`, tag);
    return tagged.ok ? succeeded([name, tag]) : tagged;
  });
  const reachable: Record<string, string> = {};
  for (const each of await Promise.all(found)) {
    if (!each.ok) return each;
    reachable[each.value[0]] = each.value[1];
  }
  return succeeded(reachable);
}

/** Arguments that say which image of this workspace a stage stands on name it as the engine has it. */
function withReachable(args: BuildJob['artifact']['recipe']['args'], from: BaseRefs, to: BaseRefs): Readonly<Record<string, string>> {
  const reachable = new Map(Object.entries(from).map(([name, ref]) => [ref, to[name] ?? ref]));
  return Object.fromEntries(Object.entries(args).map(([name, value]) => [name, reachable.get(value) ?? value]));
}
