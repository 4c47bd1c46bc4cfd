import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { parse, parseDocument } from 'yaml';
import type { HelmSource, Location, WorkspacePath } from '../../model';
import type { DeployContext } from '../deployer';
import { followPath } from '../kubectl/fieldPath';
import { objectAt, objectsIn } from '../kubectl/json';
import type { ManifestText } from '../kubectl/manifest';
import { filesOfPackage } from './packagedChart';
import { fieldInTemplate } from './templateYaml';

/** A file of a chart, or of its values. */
interface ChartFile {
  /** As people are told it: inside a package it is below the package's own name. */
  readonly file: string;
  readonly text: string;
}

/**
 * Where what a chart has made stands: in the file of values that the template takes a field from, else in the template. `named` is the
 * template as helm writes it down, `worker/charts/redis/templates/service.yaml`. Files are read when a place is asked for.
 */
export function placesInChart(
  source: HelmSource,
  { root }: Pick<DeployContext, 'root'>,
  named: string | undefined,
): NonNullable<ManifestText['placeOf']> {
  return (object, fieldPath, part = 'value') => {
    const template = named === undefined ? undefined : chartFile(source, { root, named });
    if (!template) return { file: templatePath(source, named) };
    const found = fieldInTemplate(template.text, object, fieldPath);
    if (!found) return { file: template.file };
    const inValues =
      part === 'key' ? [] : found.values.flatMap((path) => valuePlace(source, { root, named, path, rest: found.rest }) ?? []);
    return inValues[0] ?? placeAt(template, found.offset);
  };
}

/** What a template is called: where it is in the workspace, as far as its chart is there. */
export function templatePath({ chart, name }: HelmSource, named: string | undefined): string {
  if (named === undefined || chart.kind === 'remote') return named ?? name;
  return `${chart.path}/${named.replace(/^[^/]*\//, '')}`;
}

/** Where a value was set last, by its path in the values of the whole release: `image.tag`. Undefined where no file has it. */
export function valuePlace(
  source: HelmSource,
  { root, named, path, rest }: { readonly root: string; readonly named?: string | undefined; readonly path: string; readonly rest: string },
): Location | undefined {
  const charts = subchartsOf(named);
  const isGlobal = path.startsWith('global.');
  const whole = isGlobal ? path : [...charts, path].join('.');
  if (isSetByConfig(source, whole)) return undefined;
  // The values of a chart above win over a chart's own.
  const defaults = [...charts, ''].map((_, depth) => ({
    found: chartFile(source, {
      root,
      named: ['chart', ...charts.slice(0, depth).flatMap((chart) => ['charts', chart]), 'values.yaml'].join('/'),
    }),
    path: isGlobal ? path : [...charts.slice(depth), path].join('.'),
  }));
  const files = [...source.valuesFiles.toReversed().map((file) => ({ found: fileAt(root, file), path: whole })), ...defaults];
  for (const { found, path: inside } of files) {
    const place = found && placeOfValue(found, inside, rest);
    if (place) return place;
  }
  return undefined;
}

/** `worker/charts/redis/templates/service.yaml` → redis. */
function subchartsOf(named = ''): readonly string[] {
  return [...named.matchAll(/\/charts\/([^/]+)(?=\/)/g)].flatMap(([, chart]) => chart ?? []);
}

/** What slipway.yaml says itself stands in no file of values. */
function isSetByConfig({ values, setValues, setValueTemplates, setFiles, images }: HelmSource, path: string): boolean {
  const set = [setValues, setValueTemplates, setFiles, images].flatMap((each) => Object.keys(each));
  if (set.some((each) => each === path || path.startsWith(`${each}.`))) return true;
  let at: unknown = values;
  for (const key of path.split('.')) at = objectAt({ at }, 'at')?.[key];
  return at !== undefined;
}

function placeOfValue(file: ChartFile, path: string, rest: string): Location | undefined {
  const { contents } = parseDocument(file.text, { prettyErrors: false, logLevel: 'silent' });
  const value = contents && followPath(contents, path);
  if (value?.rest !== '' || value.offset === undefined) return undefined;
  return placeAt(file, (rest === '' || !value.node ? undefined : belowOf(followPath(value.node, rest), rest)) ?? value.offset);
}

/** Nothing of the path is below: then it is the value itself that is spoken of. */
function belowOf({ offset, rest }: ReturnType<typeof followPath>, asked: string): number | undefined {
  return rest === asked.replace(/^\./, '') ? undefined : offset;
}

function placeAt({ file, text }: ChartFile, offset: number): Location {
  const before = text.slice(0, offset);
  return { file, line: before.split('\n').length, column: offset - before.lastIndexOf('\n') };
}

/** A file of a chart by the name that helm gives it. Of a chart that is somewhere else nothing is known. */
function chartFile({ chart }: HelmSource, { root, named }: { readonly root: string; readonly named: string }): ChartFile | undefined {
  if (chart.kind === 'remote') return undefined;
  const inside = named.replace(/^[^/]*\//, '');
  return inFolder(root, chart.path, inside) ?? inPackage(root, chart.path, inside);
}

function inFolder(root: string, chart: WorkspacePath, inside: string): ChartFile | undefined {
  const found = fileAt(root, `${chart}/${inside}`);
  const [, subchart, below] = /^charts\/([^/]+)\/(.+)$/.exec(inside) ?? [];
  if (found || subchart === undefined || below === undefined) return found;
  // One from beside is packed into `charts/`; what people edit is where it comes from.
  const beside = dependencyBeside(root, chart, subchart);
  return beside === undefined ? undefined : inFolder(root, beside, below);
}

function dependencyBeside(root: string, chart: WorkspacePath, name: string): WorkspacePath | undefined {
  const { text = '' } = fileAt(root, `${chart}/Chart.yaml`) ?? {};
  const dependency = objectsIn(objectAt({ chart: parsed(text) }, 'chart')?.['dependencies']).find(
    (each) => (each['alias'] ?? each['name']) === name,
  );
  const repository = dependency?.['repository'];
  return typeof repository === 'string' && repository.startsWith('file://')
    ? posix.join(chart, repository.slice('file://'.length))
    : undefined;
}

function parsed(text: string): unknown {
  try {
    return parse(text);
  } catch {
    return undefined;
  }
}

function inPackage(root: string, path: WorkspacePath, inside: string): ChartFile | undefined {
  try {
    for (const [name, text] of filesOfPackage(readFileSync(join(root, path)))) {
      if (name.replace(/^[^/]*\//, '') === inside) return { file: `${path}/${inside}`, text };
    }
  } catch {
    // It is no package, or cannot be read: helm tells.
  }
  return undefined;
}

function fileAt(root: string, path: WorkspacePath): ChartFile | undefined {
  try {
    return { file: path, text: readFileSync(join(root, path), 'utf8') };
  } catch {
    return undefined;
  }
}
