import { createHash } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { engineHead, inputsOf, readDockerfile, sentDockerfile, type EngineHead } from '../../dockerfile';
import {
  contentDigest,
  emptyDir,
  entryAt,
  failed,
  leavesOf,
  succeeded,
  withEntries,
  type DirEntry,
  type Entry,
  type Problem,
  type Result,
  type WorkspacePath,
} from '../../model';
import type { Builder, BuildJob, BuildTools, Built } from '../builder';
import { buildInEngine, type EngineTools } from '../docker';
import type { LayersBuilder } from '../layers';

const kind = 'docker+layers';

/**
 * The engine makes the first part of a Dockerfile, up to the last instruction that needs it; that image goes to the registry under a
 * tag of what it was made from, and is there for the next build, and for the next machine. What is copied after it is put on top
 * without an engine.
 */
export function dockerAndLayersBuilder(tools: EngineTools & Pick<BuildTools, 'registry'>, layers: LayersBuilder): Builder {
  const { engine, registry } = tools;
  /** With their digests, by reference. What is in the registry now may be gone in the next session. */
  const heads = new Map<string, string>();

  /** The image of the first part; a text when something was written while it was sent, and nothing was made of it. */
  const headImage = async (job: BuildJob, head: EngineHead): Promise<Result<{ readonly ref: string } | { readonly changed: string }>> => {
    const headJob = jobOfHead(job, head);
    const known = job.fromScratch === true ? undefined : heads.get(headJob.ref);
    if (known !== undefined) return succeeded({ ref: known });
    const there = await registry.digest(headJob.ref, job.signal);
    if (!there.ok) return there;
    let digest = job.artifact.settings?.noCache === true ? undefined : there.value;
    if (digest === undefined) {
      const built = await buildInEngine(tools, headJob, head.text);
      if (!built.ok) return built;
      if (built.value.sentHash !== headJob.snapshot.inputsHash) return succeeded({ changed: built.value.sentHash });
      const pushed = await engine.push({ ref: headJob.ref, signal: job.signal, onLine: job.onLine });
      if (!pushed.ok) return pushed;
      digest = pushed.value.digest;
    }
    const ref = `${headJob.ref}@${digest}`;
    heads.set(headJob.ref, ref);
    return succeeded({ ref });
  };

  return {
    async build(job) {
      const { artifact, snapshot, root, ref } = job;
      const { recipe, project } = artifact;
      const notSent = (sentHash: string): Result<Built> =>
        succeeded({ image: { location: 'registry', ref, id: '' }, sentHash, builder: kind });
      const text = await readFile(join(root, recipe.dockerfile)).catch(() => Buffer.alloc(0));
      const entry = entryAt(snapshot.sources, recipe.dockerfile);
      if (entry?.kind !== 'file' || contentDigest(text) !== entry.digest) return notSent(`changed:${contentDigest(text)}`);
      const head = engineHead(text.toString('utf8'), {
        ...recipe,
        kindOf: (path) => entryAt(snapshot.sources, joined(recipe.context, path))?.kind,
        dockerfile: sentDockerfile(recipe),
      });
      if (!head) return failed(notParted(job));
      const base = await headImage(job, head);
      if (!base.ok) return failed({ ...base.problem, project });
      if ('changed' in base.value) return notSent(base.value.changed);
      const built = await layers.buildOn(job, { head, ref: base.value.ref });
      // Somebody may have tidied the registry up: the next attempt asks again.
      if (!built.ok) heads.delete(base.value.ref.replace(/@.*$/, ''));
      return built.ok ? succeeded({ ...built.value, builder: kind }) : built;
    },
  };
}

/** What the engine is to make: the first part of the Dockerfile with only the files that it takes. */
function jobOfHead(job: BuildJob, { text }: EngineHead): BuildJob {
  const { artifact, snapshot, ref } = job;
  const { builder, context, dockerfile, platform, network, addHosts, args: given } = artifact.recipe;
  const around = { ...(platform !== undefined && { platform }), ...(network !== undefined && { network }), ...(addHosts && { addHosts }) };
  const recipe = { builder, context, dockerfile, ...around };
  const kindOf = (path: string) => entryAt(snapshot.sources, joined(context, path))?.kind;
  const { facts } = readDockerfile(text, {
    file: dockerfile,
    args: given,
    ...(platform !== undefined && { platform }),
    kindOf,
    namesIn: (directory) => namesIn(entryAt(snapshot.sources, joined(context, directory))),
  });
  const declared = new Set(facts?.args ?? []);
  const args = Object.fromEntries(Object.entries(given).filter(([name]) => declared.has(name)));
  const inputs = facts ? inputsOf(facts, { file: dockerfile, context, ignore: undefined }) : [];
  const taken = inputs.flatMap((input) => leavesIn(snapshot.sources, input));
  const sources = withEntries(emptyDir, taken);
  const made = ['head/1', text, context, args, around, job.bases, withEntries(sources, [[dockerfile, undefined]]).hash];
  const key = createHash('sha256').update(JSON.stringify(made)).digest('hex').slice(0, 24);
  return {
    ...job,
    artifact: { ...artifact, recipe: { ...recipe, args }, inputs },
    snapshot: {
      ...snapshot,
      inputsHash: `head:${key}`,
      sources: withEntries(sources, [[dockerfile, entryAt(snapshot.sources, dockerfile)]]),
    },
    ref: `${ref.replace(/:[^:/]*$/, '')}:head-${key}`,
    // It is not the image that others wait for.
    beforeNaming: undefined,
  };
}

function leavesIn(
  sources: DirEntry,
  { path, accepts }: { readonly path: WorkspacePath; readonly accepts?: (path: WorkspacePath, kind: 'file' | 'dir') => boolean },
): readonly (readonly [WorkspacePath, Entry])[] {
  const entry = entryAt(sources, path);
  if (!entry) return [];
  return [...leavesOf(entry, path)].filter(([at, leaf]) => accepts?.(at, leaf.kind === 'dir' ? 'dir' : 'file') !== false);
}

function namesIn(entry: Entry | undefined): readonly string[] {
  return entry?.kind === 'dir' ? [...entry.entries.keys()].sort() : [];
}

function joined(context: WorkspacePath, path: string): WorkspacePath {
  if (context === '') return path;
  return path === '' ? context : `${context}/${path}`;
}

/** The Dockerfile is another one than when the recipe was written, which is being noticed. */
function notParted({ artifact }: BuildJob): Problem {
  const file = artifact.recipe.dockerfile;
  return {
    code: 'dockerfileChanged',
    message: `${artifact.name}: ${file} changed while its image was about to be built`,
    retry: 'whenInputChanges',
    exitCode: 1,
    project: artifact.project,
    location: { file },
  };
}
