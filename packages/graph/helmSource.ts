import { fillTemplate, yaml, type HelmReleaseConfig } from '../config';
import { acceptsDefinedBy, below } from '../dockerfile';
import { isImageVariable, type HelmSource, type Problem, type ReleaseInput, type WorkspacePath } from '../model';
import { imageNamesOf } from './imageSettings';
import type { SourceFacts, SourceRequest } from './manifestSources';
import { joinPath } from './workspaceFiles';

/** What releases of helm are made from, as far as it is in the workspace: charts, the charts beside them that they name, and values. */
export function helmSources(request: SourceRequest): SourceFacts {
  const read = (request.config.helm?.releases ?? []).map((release, index) => readRelease({ ...request, release, index }));
  return {
    sources: read.flatMap(({ source }) => source ?? []),
    inputs: read.flatMap(({ inputs }) => inputs),
    mentions: () => false,
    containers: [],
    services: [],
    places: [],
    images: new Set(read.flatMap(({ images }) => images)),
    problems: read.flatMap(({ problems }) => problems),
  };
}

interface ReleaseRequest extends SourceRequest {
  readonly release: HelmReleaseConfig;
  readonly index: number;
}

interface ReadRelease {
  readonly source: HelmSource | undefined;
  readonly inputs: readonly ReleaseInput[];
  readonly images: readonly string[];
  readonly problems: readonly Problem[];
}

function readRelease(request: ReleaseRequest): ReadRelease {
  const { project, release, files } = request;
  const problems: Problem[] = [];
  const chart = chartOf(request, problems);
  const valuesFiles = (release.valuesFiles ?? []).map((file, at) => existing(request, { file, keys: ['valuesFiles', at] }, problems));
  const setFiles = Object.entries(release.setFiles ?? {}).map(
    ([path, file]) => [path, existing(request, { file, keys: ['setFiles', path] }, problems)] as const,
  );
  if (!chart) return { source: undefined, inputs: [], images: [], problems };
  const inChart = chart.kind === 'local' ? chartInputs(request, chart.path) : { inputs: [], hasDependencies: false };
  const because = `values of ${release.name}`;
  const inputs = [...inChart.inputs, ...[...valuesFiles, ...setFiles.map(([, file]) => file)].map((path) => ({ path, because }))];
  const values = [...valuesFiles, ...(chart.kind === 'local' ? [joinPath(chart.path, 'values.yaml')] : [])].map((file) =>
    valuesIn(files.textOf(file)),
  );
  return {
    source: {
      kind: 'helm',
      name: release.name,
      chart: chart.kind === 'local' ? { ...chart, hasDependencies: inChart.hasDependencies } : chart,
      ...(release.version !== undefined && { version: release.version }),
      ...(release.namespace !== undefined && { namespace: release.namespace }),
      createNamespace: release.createNamespace ?? false,
      valuesFiles,
      values: release.values ?? {},
      setValues: release.setValues ?? {},
      setValueTemplates: templatesOf(request, problems),
      setFiles: Object.fromEntries(setFiles),
      images: release.images ?? {},
      imageStrategy: release.imageStrategy ?? 'fqn',
      wait: release.wait ?? false,
      ...(release.timeout !== undefined && { timeoutMs: release.timeout * 1000 }),
      inputs: inputs.map(({ path }) => path),
    },
    inputs,
    // The project's own images are what its chart is for; others are found by their names.
    images: [
      ...imageNamesOf(request),
      ...Object.values(release.images ?? {}),
      ...[release.values, release.setValues, ...values].flatMap(textsIn),
      ...(chart.kind === 'local' ? imagesInTemplates(request.files, joinPath(chart.path, 'templates')) : []),
    ],
    problems: problems.map((problem) => ({ ...problem, project: project.name })),
  };
}

/** The templates with the variables of the environment filled in; those of images are known when the images are. */
function templatesOf(request: ReleaseRequest, problems: Problem[]): Readonly<Record<string, string>> {
  const { release, env } = request;
  const filled = Object.entries(release.setValueTemplates ?? {}).map(([path, template]) => {
    const { text, missing, mistakes } = fillTemplate(template, { value: (name) => env[name], later: isImageVariable });
    const keys = ['setValueTemplates', path];
    for (const { name } of missing) {
      const message = `helm release ${release.name}: ${path} needs ${name}, which is not set`;
      const hint = `set it, or give it a default: \${${name}:-...}`;
      problems.push(problemAt(request, keys, { code: 'manifestVariableMissing', message, hint }));
    }
    for (const { message } of mistakes) {
      const hint = 'correct it in slipway.yaml';
      problems.push(
        problemAt(request, keys, { code: 'manifestSourceInvalid', message: `helm release ${release.name}: ${path}: ${message}`, hint }),
      );
    }
    return [path, text] as const;
  });
  return Object.fromEntries(filled);
}

type ChartSource = { readonly kind: 'local'; readonly path: WorkspacePath } | Extract<HelmSource['chart'], { kind: 'remote' }>;

function chartOf(request: ReleaseRequest, problems: Problem[]): ChartSource | undefined {
  const { release, project, files } = request;
  if ((release.chartPath === undefined) === (release.chart === undefined)) {
    const has = release.chart === undefined ? 'neither chartPath nor chart' : 'both chartPath and chart';
    problems.push(
      problemAt(request, [], {
        code: 'manifestSourceInvalid',
        message: `helm release ${release.name} has ${has}`,
        hint: 'name one of them',
      }),
    );
    return undefined;
  }
  if (release.chart !== undefined) {
    const { chart: name, repo, plainHttp } = release;
    return { kind: 'remote', name, ...(repo !== undefined && { repo }), ...(plainHttp !== undefined && { plainHttp }) };
  }
  const path = joinPath(project.root, release.chartPath ?? '');
  const isPackaged = files.kindOf(path) === 'file';
  if (isPackaged || files.textOf(joinPath(path, 'Chart.yaml')) !== undefined) return { kind: 'local', path };
  const message = `helm release ${release.name}: ${path} is no chart, it has no Chart.yaml`;
  problems.push(problemAt(request, ['chartPath'], { code: 'manifestNotFound', message, hint: 'chartPath is relative to the project' }));
  return undefined;
}

/** A file that must be there. */
function existing(
  request: ReleaseRequest,
  { file, keys }: { readonly file: string; readonly keys: readonly (string | number)[] },
  problems: Problem[],
): WorkspacePath {
  const path = joinPath(request.project.root, file);
  if (request.files.kindOf(path) !== 'file') {
    const message = `helm release ${request.release.name}: there is no file ${path}`;
    problems.push(problemAt(request, keys, { code: 'manifestNotFound', message, hint: 'paths are relative to the project' }));
  }
  return path;
}

function problemAt(
  { own, index }: ReleaseRequest,
  keys: readonly (string | number)[],
  problem: Pick<Problem, 'code' | 'message' | 'hint'>,
): Problem {
  return {
    ...problem,
    retry: 'whenInputChanges',
    exitCode: 2,
    ...(own && { location: own.locate(['helm', 'releases', index, ...keys]) }),
  };
}

/** A chart's files, and those of charts in the workspace that it depends on. What helm itself puts into `charts/` is made from those. */
function chartInputs(
  { release, files }: Pick<ReleaseRequest, 'release' | 'files'>,
  chart: WorkspacePath,
  seen: ReadonlySet<WorkspacePath> = new Set(),
): { readonly inputs: readonly ReleaseInput[]; readonly hasDependencies: boolean } {
  const because = `part of the chart of ${release.name}`;
  const text = files.kindOf(chart) === 'dir' ? files.textOf(joinPath(chart, 'Chart.yaml')) : undefined;
  if (text === undefined) return { inputs: [{ path: chart, because }], hasDependencies: false };
  const dependencies = dependenciesIn(text);
  const accepts = acceptsDefinedBy(JSON.stringify(['chart', chart, dependencies.length > 0]), (path) => {
    const inside = below(chart, path);
    return inside !== undefined && !(dependencies.length > 0 && /^charts\/[^/]*\.tgz$/.test(inside));
  });
  const beside = dependencies
    .flatMap((repository) => (repository?.startsWith('file://') === true ? [joinPath(chart, repository.slice('file://'.length))] : []))
    .filter((path) => path !== chart && !seen.has(path));
  const lower = beside.flatMap((path) => chartInputs({ release, files }, path, new Set([...seen, chart])).inputs);
  return { inputs: [{ path: chart, accepts, because }, ...lower], hasDependencies: dependencies.length > 0 };
}

/** Where the charts come from that a Chart.yaml names; undefined for one that lies in `charts/`. */
function dependenciesIn(text: string): readonly (string | undefined)[] {
  const { dependencies } = parsed(text);
  if (!Array.isArray(dependencies)) return [];
  return dependencies.map((each: unknown) => {
    const repository = typeof each === 'object' && each !== null && 'repository' in each ? each.repository : undefined;
    return typeof repository === 'string' && repository !== '' ? repository : undefined;
  });
}

function valuesIn(text: string | undefined): Readonly<Record<string, unknown>> {
  return text === undefined ? {} : parsed(text);
}

/** What is no YAML is helm's to report. */
function parsed(text: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = yaml().parse(text);
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {};
  } catch {
    return {};
  }
}

/** Images that templates name as they stand, without a value. */
function imagesInTemplates(files: ReleaseRequest['files'], folder: WorkspacePath): readonly string[] {
  return files.manifestsIn(folder).flatMap((name) => {
    const path = joinPath(folder, name);
    if (files.kindOf(path) === 'dir') return imagesInTemplates(files, path);
    const found = files.textOf(path)?.matchAll(/\bimage:[ ]*["']?([\w./:-]+)/g) ?? [];
    return [...found].map(([, image = '']) => image);
  });
}

function textsIn(value: unknown): readonly string[] {
  if (typeof value === 'string') return [value];
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(textsIn);
}
