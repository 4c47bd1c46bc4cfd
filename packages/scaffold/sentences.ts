import { below } from '../dockerfile';
import { folderOf, type WorkspacePath } from '../model';
import type { ImportNote } from './imports/imported';
import type { Found, Survey } from './survey';

/** What a user types for the next step, as it is called in this workspace. */
export interface NextCommands {
  readonly dev: (project: string) => string;
  /** Absent where nothing writes manifests or services. */
  readonly manifests?: (project: string) => string;
  readonly service?: () => string;
  /** Absent where nothing is made of other tools' files. */
  readonly from?: (path: WorkspacePath) => string;
  /** The file that makes a folder a project. */
  readonly projectFile: string;
}

/** What a survey found, project by project, each with what is next for it; the last line is the one command to go on with. */
export function surveyLines({ found, otherTools }: Survey, commands: NextCommands): readonly string[] {
  const rows = found.map((each) => [each.project ?? each.root, what(each), next(each, commands)]);
  const others = otherToolLines({ found, otherTools }, commands);
  if (rows.length === 0) {
    const start = commands.service?.();
    const way = 'A service of your own is a Dockerfile in the folder of a project, and manifests in k8s/ beside it';
    return [
      'Found neither Dockerfiles nor manifests.',
      ...others,
      ...(others.length > 0 ? [''] : []),
      ...(start === undefined ? [`${way}.`] : [`${way}. To have one made:`, `  ${start}`]),
    ];
  }
  return ['Found:', ...columns(rows).map((line) => `  ${line}`), ...others, '', ...lastLines(found, commands)];
}

function otherToolLines({ found, otherTools }: Pick<Survey, 'found' | 'otherTools'>, { from }: NextCommands): readonly string[] {
  if (otherTools.length === 0) return [];
  const importable = otherTools.find((path) => /(^|\/)(skaffold|(docker-)?compose)\.ya?ml$/.test(path));
  const isImported = found.some(({ config }) => config !== undefined);
  const way = importable === undefined || isImported ? undefined : from?.(importable);
  return [
    '',
    `${listed(otherTools)}: not read, and left as ${otherTools.length === 1 ? 'it is' : 'they are'}`,
    ...(way === undefined ? [] : ['To make files of Slipway of it, and to hear what has no counterpart:', `  ${way}`]),
  ];
}

function what(found: Found): string {
  const inside = (paths: readonly WorkspacePath[], suffix = '') => paths.map((path) => `${relative(path, found.root)}${suffix}`);
  const parts = [
    ...(found.dockerfile === undefined ? [] : ['Dockerfile']),
    ...inside(found.otherDockerfiles),
    ...some(inside(found.manifests)),
    ...some(inside(found.otherManifests)),
    ...found.charts.map((path) => `Helm chart in ${folderName(path, found.root)}`),
    ...found.kustomizations.map((path) => `kustomization in ${folderName(path, found.root)}`),
    ...(found.config === undefined ? [] : ['slipway.yaml']),
  ];
  return parts.join(', ');
}

/** What is to be done with a project next: a command, or a sentence. */
function next(found: Found, commands: NextCommands): string {
  if (found.project === undefined)
    return `belongs to no project: give ${found.root === '' ? 'the root' : found.root} a ${commands.projectFile}`;
  if (isReady(found)) return commands.dev(found.project);
  const [dockerfile] = found.otherDockerfiles;
  if (found.dockerfile === undefined && dockerfile !== undefined) {
    return `say in slipway.yaml which one: image: {docker: {file: ${relative(dockerfile, found.root)}}}`;
  }
  const [manifest] = found.otherManifests;
  if (manifest !== undefined)
    return `say in slipway.yaml where they are: manifests: [${relative(folderOf(manifest), found.root) || '.'}/*.yaml]`;
  if (found.kustomizations.length > 0) return 'name it in slipway.yaml: kustomize';
  if (found.charts.length > 0) return 'name it in slipway.yaml: helm';
  return commands.manifests?.(found.project) ?? 'has no manifests: write them in k8s/';
}

/** Deployed as it is. A project with a config of its own says itself where its parts are. */
function isReady(found: Found): boolean {
  return found.project !== undefined && (found.manifests.length > 0 || found.config !== undefined);
}

function lastLines(found: readonly Found[], commands: NextCommands): readonly string[] {
  const ready = found.find((each) => isReady(each) && each.dockerfile !== undefined) ?? found.find(isReady);
  if (ready?.project !== undefined) return ['Next:', `  ${commands.dev(ready.project)}`];
  const without = found.find(
    (each) => each.project !== undefined && each.dockerfile !== undefined && next(each, commands) === commands.manifests?.(each.project),
  );
  if (without?.project !== undefined && commands.manifests) return ['Next:', `  ${commands.manifests(without.project)}`];
  return [];
}

/** What an import tells, a line each, the file's own order kept. */
export function noteLines(notes: readonly ImportNote[]): readonly string[] {
  const lines = notes.map(({ location: { file, line, column }, field, sentence }) => {
    const where = line === undefined ? file : `${file}:${line}:${column ?? 1}`;
    return `  ${where}${field === '' ? '' : ` ${field}`}: ${sentence}`;
  });
  return lines.length === 0 ? [] : ['Not taken over, or otherwise here than there:', ...lines];
}

/** What is known of the cluster that the kubeconfig points to. */
export type ContextSeen =
  | { readonly kind: 'local'; readonly context: string; readonly because: string }
  | { readonly kind: 'allowed'; readonly context: string }
  | { readonly kind: 'foreign'; readonly context: string; readonly server: string }
  | { readonly kind: 'unknown'; readonly reason: string };

/** Whether anything has to be allowed; `allow` is the command that does. */
export function contextLines(seen: ContextSeen, allow: (context: string) => string): readonly string[] {
  switch (seen.kind) {
    case 'local':
      return [`Cluster: ${seen.because}. A local cluster needs no entry in slipway.yaml.`];
    case 'allowed':
      return [`Cluster: context ${seen.context} is not a local one, and allowContexts in slipway.yaml allows it.`];
    case 'foreign':
      return [
        `Cluster: context ${seen.context} (${seen.server}) is not a local one, and Slipway leaves it alone.`,
        'Choose a local context with kubectl config use-context, or, if this one is meant, allow it for everybody who works here:',
        `  ${allow(seen.context)}`,
      ];
    case 'unknown':
      return [`Cluster: ${seen.reason}. A local one (kind, k3d, minikube, Docker Desktop, …) needs no entry in slipway.yaml.`];
  }
}

function some(names: readonly string[]): readonly string[] {
  return names.length <= 3 ? names : [...names.slice(0, 2), `${names.length - 2} more`];
}

function relative(path: WorkspacePath, root: WorkspacePath): string {
  return below(root, path) ?? path;
}

function folderName(path: WorkspacePath, root: WorkspacePath): string {
  const name = relative(path, root);
  return name === '' ? 'its folder' : `${name}/`;
}

function listed(names: readonly string[]): string {
  return names.length === 1 ? (names[0] ?? '') : `${names.slice(0, -1).join(', ')} and ${names.at(-1) ?? ''}`;
}

function columns(rows: readonly (readonly string[])[]): readonly string[] {
  const widths = rows.reduce<readonly number[]>((before, row) => row.map((cell, at) => Math.max(before[at] ?? 0, cell.length)), []);
  return rows.map((row) =>
    row
      .map((cell, at) => cell.padEnd(widths[at] ?? 0))
      .join('   ')
      .trimEnd(),
  );
}
