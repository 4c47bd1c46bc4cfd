import { plain, type Paint } from './paint';
import { count, shortRef, size, someOf } from './units';
import type {
  BuildDocument,
  DeployDocument,
  DoctorDocument,
  ExplainDocument,
  ConfigDocument,
  InputsDocument,
  PruneDocument,
  RenderDocument,
  StopDocument,
  SyncDocument,
  SyncSession,
  StatusDocument,
} from './documents';

/** The images of a build: what each is, and whether it had to be made. */
export function buildLines({ images, dryRun = false }: BuildDocument, paint: Paint = plain): readonly string[] {
  const what = ({ built, delivered, because, notKnownUntil }: BuildDocument['images'][number]): string => {
    if (notKnownUntil) return because;
    if (!dryRun) return built === true ? 'built' : `not built, ${because}`;
    if (built !== true) return `nothing to do, ${because}`;
    return `would be built${delivered === true ? ' and pushed' : ''}, ${because}`;
  };
  return columns(
    images.map((image) => [image.artifact, shortRef(image.ref), what(image)]),
    paint,
  );
}

export function deployLines(document: DeployDocument, paint: Paint = plain): readonly string[] {
  const releases = document.releases.map(({ release, namespace, state, objects }) => [
    release,
    state === 'ready' ? paint.green(`ready in ${namespace}`) : paint.red(`failed in ${namespace}`),
    someOf(objects, 6),
  ]);
  return [...buildLines(document, paint), ...columns(releases, paint)];
}

/** The YAML itself, or what became of it. */
export function renderLines({ text, file, releases }: RenderDocument): readonly string[] {
  if (file === undefined) return text === '' ? [] : [text.trimEnd()];
  const objects = releases.reduce((sum, release) => sum + release.objects.length, 0);
  return [`wrote ${count(objects, 'object')} of ${someOf(releases.map(({ release }) => release))} to ${file}`];
}

/** What was removed is told when it is; what is only listed, and that there was nothing, is left to say. */
export function pruneLines(document: PruneDocument, paint: Paint = plain): readonly string[] {
  return [...prunedReleases(document, paint), ...(document.images ? prunedImages(document.images, document.dryRun, paint) : [])];
}

function prunedImages(images: NonNullable<PruneDocument['images']>, dryRun: boolean, paint: Paint): readonly string[] {
  if (images.length === 0) return ['no image is left behind'];
  const listed = columns(
    images.map(({ where, ref, removed }) => [`  ${shortRef(ref)}`, `in the ${where}`, dryRun || removed ? '' : 'not removed']),
    paint,
  );
  return [dryRun ? 'images that would be removed, as nothing uses them:' : 'removed images that nothing uses:', ...listed];
}

function prunedReleases({ dryRun, releases }: PruneDocument, paint: Paint): readonly string[] {
  if (releases.length === 0) return ['nothing to prune: all that this workspace has deployed still has its project'];
  if (!dryRun) return releases.some(({ removed }) => removed) ? [] : ['nothing was removed'];
  return ['would be removed, as no project of the workspace has these names:', ...orphanLines(releases, paint)];
}

export function orphanLines(releases: PruneDocument['releases'], paint: Paint = plain): readonly string[] {
  return columns(
    releases.map(({ release, namespaces, objects }) => [`  ${release}`, `in ${namespaces.join(', ')}`, objects.join(', ')]),
    paint,
  );
}

const foundInstead = {
  missing: 'is missing',
  different: 'has other content',
  'left over': 'should not be there',
  unknown: 'cannot be read',
} as const;

/** What differs in each container that was looked into, and how much was copied. */
export function syncLines({ containers, files, removed }: SyncDocument, paint: Paint = plain): readonly string[] {
  const looked = containers.flatMap(({ artifact, pod, container, differences }) => {
    if (!differences) return [];
    const where = `${artifact} ${paint.dim(`(container ${container} of pod ${pod})`)}`;
    if (differences.length === 0) return [`${where} ${paint.green('holds what it should')}`];
    return [
      `${where} ${paint.red(`differs in ${count(differences.length, 'file')}`)}`,
      ...differences.map(({ path, is }) => `  ${path} ${foundInstead[is]}`),
    ];
  });
  if (looked.length > 0 || containers.length === 0) return looked;
  const gone = removed === 0 ? '' : `, removed ${String(removed)}`;
  return [`copied ${count(files, 'file')}${gone} in ${count(containers.length, 'container')}`];
}

export function stopLines({ stopped }: StopDocument): readonly string[] {
  return stopped.map(({ name, files, removed }) => `stopped ${name}: ${count(files, 'file')} copied, ${String(removed)} removed`);
}

function sessionLines(sessions: readonly SyncSession[], paint: Paint): readonly string[] {
  if (sessions.length === 0) return [];
  const rows = sessions.map(({ name, pid, context, namespace, folder, remotePath, containers, files, problems }) => {
    const inStep = containers.filter(({ inSync }) => inSync === true).length;
    const state = problems.length > 0 ? paint.red(problems.join('; ')) : '';
    const from = remotePath === undefined ? folder : `${folder} → ${remotePath}`;
    return [name, `${context}/${namespace}`, from, `${String(inStep)} of ${String(containers.length)}`, String(files), String(pid), state];
  });
  return columns(rows, paint, ['sync session', 'where', 'from', 'in step', 'files', 'pid', '']);
}

export function statusLines({ releases, containers, sessions }: StatusDocument, paint: Paint = plain): readonly string[] {
  const live = sessionLines(sessions, paint);
  if (releases.length === 0) return live.length > 0 ? live : ['no project of this workspace has manifests'];
  const releaseRows = releases.map(({ release, namespace, state, message, current }) => [
    release,
    namespace,
    state === 'ready' ? paint.green(state) : state === 'failed' ? paint.red(state) : state,
    state === 'absent' ? '' : current ? 'as the files are' : 'older than the files',
    message,
  ]);
  const containerRows = containers.map(({ artifact, pod, container, running, restarts, agent, files, inSync }) => [
    artifact,
    pod,
    container,
    running ? 'running' : paint.red('not running'),
    inSync === undefined ? 'not known' : inSync ? paint.green('yes') : 'no',
    `${files}`,
    agent ?? 'none',
    `${restarts}`,
  ]);
  return [
    ...columns(releaseRows, paint, ['release', 'namespace', 'state', 'deployed', '']),
    ...(containerRows.length === 0
      ? []
      : ['', ...columns(containerRows, paint, ['image', 'pod', 'container', 'state', 'in step', 'synced files', 'agent', 'restarts'])]),
    ...(live.length === 0 ? [] : ['', ...live]),
  ];
}

const actions = {
  sync: 'sync',
  'target-then-sync': 'target, sync',
  'target-then-rebuild': 'target, rebuild',
  rebuild: 'rebuild',
  redeploy: 'redeploy',
  none: 'nothing',
} as const;

export function explainLines({ files }: ExplainDocument, paint: Paint = plain): readonly string[] {
  return files.flatMap(({ path, projects, missing, isConfig, isUncertain, artifacts }, at) => {
    const owner = projects.length === 0 ? 'in no project' : `${projects.length === 1 ? 'project' : 'projects'} ${projects.join(', ')}`;
    const rows = artifacts.map(({ name, action, containerPaths, because }) => [
      name,
      actions[action],
      containerPaths.length === 0 ? because : `${containerPaths.join(', ')}, ${paint.dim(because)}`,
    ]);
    const config = 'it says what is built and deployed: it is read anew when it is saved, and what has changed by that is done then';
    const nothing = isUncertain
      ? 'no image and no manifest that could be read takes it; whether another does is known when the mistakes told below are mended'
      : missing
        ? 'no image and no manifest would take one of this name'
        : 'no image and no manifest takes it: editing it changes nothing in the cluster';
    const effects = [...columns(rows, paint), ...(isConfig === true ? [config] : rows.length === 0 ? [nothing] : [])];
    const where = missing ? `${owner}; there is no such file here now` : owner;
    return [...(at === 0 ? [] : ['']), `${paint.bold(path)} ${paint.dim(`(${where})`)}`, ...effects.map((line) => `  ${line}`)];
  });
}

/** Each setting with its value and where it comes from. */
export function configLines({ workspace, projects }: ConfigDocument, paint: Paint = plain): readonly string[] {
  const groups = [
    ...(workspace.length === 0 ? [] : [{ heading: paint.bold('workspace'), settings: workspace }]),
    ...projects.map(({ project, root, profiles, settings }) => {
      const where = [root === '' ? 'the root' : root, ...(profiles.length === 0 ? [] : [`profiles ${profiles.join(', ')}`])];
      return { heading: `${paint.bold(project)} ${paint.dim(`(${where.join('; ')})`)}`, settings };
    }),
  ];
  if (groups.length === 0) return ['no project of this workspace is built or deployed'];
  const shown = groups.flatMap(({ heading, settings }) => {
    const rows = settings.map(({ key, value, from, because }) => {
      const decided = because === undefined ? 'by default' : `by default: ${because}`;
      return [key, typeof value === 'string' ? value : JSON.stringify(value), paint.dim(from ?? decided)];
    });
    return ['', heading, ...columns(rows, paint).map((line) => `  ${line}`)];
  });
  return [paint.dim(`as dev goes by it; ${stagesOtherwise}`), ...shown];
}

export function inputsLines(documents: readonly InputsDocument[], paint: Paint = plain): readonly string[] {
  if (documents.length === 0) return ['no project of this workspace has an image'];
  const images = documents.flatMap(({ artifact, image, dockerfile, target, context, contextBytes, files }) => {
    const stage = target === undefined ? '' : `, stage ${target}`;
    const from = `${dockerfile}${stage}, context ${context === '' ? 'the workspace' : context}, ${count(files.length, 'file')}, ${size(contextBytes)}`;
    return [
      '',
      `${paint.bold(image)}${image === artifact ? '' : ` of ${artifact}`} ${paint.dim(`(${from})`)}`,
      ...inputLines(files, paint),
    ];
  });
  return [paint.dim(`as dev builds them; ${stagesOtherwise}`), ...images];
}

/** What is shown is what `dev` goes by. */
const stagesOtherwise = 'build and deploy take the last stage of a Dockerfile where slipway.yaml names none';

/** Many files come by one instruction, so the reason stands once above them. */
function inputLines(files: InputsDocument['files'], paint: Paint): readonly string[] {
  const groups = new Map<string, { readonly heading: string; readonly lines: string[] }>();
  for (const { path, containerPaths, onChange, because } of files) {
    const key = `${onChange} ${because}`;
    const group = groups.get(key) ?? { heading: `  ${onChange === 'sync' ? 'sync   ' : 'rebuild'}  ${paint.dim(because)}`, lines: [] };
    groups.set(key, group);
    group.lines.push(`    ${path}${containerPaths.length === 0 ? '' : ` ${paint.dim('→')} ${containerPaths.join(', ')}`}`);
  }
  return [...groups.values()].flatMap(({ heading, lines }) => [heading, ...lines]);
}

export function doctorLines({ checks }: DoctorDocument, paint: Paint = plain): readonly string[] {
  const width = Math.max(0, ...checks.map(({ name }) => name.length));
  return checks.flatMap(({ name, ok, message, hint }) => [
    `${ok ? paint.green('ok    ') : paint.red('failed')}  ${name.padEnd(width)}  ${message}`,
    ...(hint === undefined || ok ? [] : [`${' '.repeat(width + 10)}${paint.bold('→')} ${hint}`]),
  ]);
}

/** Rows with what belongs together below each other; the last cell of a row may be as long as it likes. */
function columns(rows: readonly (readonly string[])[], paint: Paint, heading?: readonly string[]): readonly string[] {
  const all = heading && rows.length > 0 ? [heading, ...rows] : rows;
  const widths: number[] = [];
  for (const row of all) for (const [at, cell] of row.entries()) widths[at] = Math.max(widths[at] ?? 0, visibleLength(cell));
  return all.map((row, index) => {
    const line = row.map((cell, at) => cell + ' '.repeat((widths[at] ?? 0) - visibleLength(cell))).join('  ');
    return heading && index === 0 ? paint.dim(line.trimEnd()) : line.trimEnd();
  });
}

function visibleLength(text: string): number {
  return text.replace(new RegExp(`${String.fromCharCode(27)}\\[[0-9;]*m`, 'g'), '').length;
}
