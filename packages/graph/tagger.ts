import { fillTemplate, type PlainTagConfig, type PlainTagConfigs, type TagConfig } from '../config';
import { nearest, type CustomTagger, type PlainTagger, type Problem, type Tagger } from '../model';
import { componentsOf, defaultDateFormat, dateTimeTag } from '../tag';
import type { ImageSettings } from './imageSettings';
import { placeIn } from './settings';
import { templateProblems } from './templateProblems';

export interface TaggerRequest extends ImageSettings {
  readonly mode: 'dev' | 'deploy';
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface ChosenTagger {
  /** Undefined: the image is called by its content. */
  readonly tagger: Tagger | undefined;
  readonly problems: readonly Problem[];
}

/** How a project's image is tagged. In dev images are of work that is not finished, and never take the name of a version. */
export function taggerOf(request: TaggerRequest): ChosenTagger {
  const { config, mode } = request;
  const written = config.image?.tag;
  if (written === undefined) return { tagger: undefined, problems: [] };
  const tagger = taggerFrom(written);
  const problems = problemsOf(tagger, request);
  return { tagger: mode === 'dev' || tagger.kind === 'inputDigest' ? undefined : tagger, problems };
}

function taggerFrom(written: TagConfig): Tagger {
  if (typeof written === 'string' || !('custom' in written)) return plainFrom(written);
  const { template, components = {} } = written.custom;
  return {
    kind: 'custom',
    template,
    components: Object.fromEntries(Object.entries(components).map(([name, component]) => [name, plainFrom(component)])),
  };
}

function plainFrom(written: PlainTagConfig): PlainTagger {
  if (written === 'inputDigest' || written === 'sha256') return { kind: written };
  const settings: PlainTagConfigs = typeof written === 'string' ? { [written]: {} } : written;
  if (settings.envTemplate !== undefined) return { kind: 'envTemplate', template: settings.envTemplate };
  if ('dateTime' in settings) {
    const { format = defaultDateFormat, timezone } = settings.dateTime ?? {};
    return { kind: 'dateTime', format, ...(timezone !== undefined && { timezone }) };
  }
  const { variant = 'Tags', prefix = '', ignoreChanges = false } = settings.gitCommit ?? {};
  return { kind: 'gitCommit', variant, prefix, ignoreChanges };
}

const key = ['image', 'tag'];

/** For people: `api: image.tag.envTemplate`. */
function whatOf({ artifact, imageKey }: TaggerRequest, [, ...rest]: readonly string[]): string {
  return `${artifact}: ${[imageKey, ...rest].join('.')}`;
}

function problemsOf(tagger: Tagger, request: TaggerRequest): readonly Problem[] {
  if (tagger.kind !== 'custom') return plainProblems(tagger, key, request);
  const components = componentsOf(tagger);
  const own = Object.entries(tagger.components).flatMap(([name, component]) =>
    plainProblems(component, [...key, 'custom', 'components', name], request),
  );
  return [...templateProblemsOf(tagger, Object.keys(components), request), ...own];
}

function templateProblemsOf({ template }: CustomTagger, names: readonly string[], request: TaggerRequest): readonly Problem[] {
  const keys = [...key, 'custom', 'template'];
  const what = whatOf(request, keys);
  const { mistakes, missing } = fillTemplate(template, { value: (name) => (names.includes(name) ? name : undefined) });
  const unknown = missing.map(({ name, offset }): Problem => {
    const meant = nearest(name, names);
    const location = placeIn(request, keys, offset);
    return {
      code: 'variableUnknown',
      message: `${what} names ${name}, which is none of its components`,
      hint: meant === undefined ? `components: ${names.join(', ')}` : `perhaps ${meant} was meant`,
      retry: 'whenInputChanges',
      exitCode: 2,
      project: request.project.name,
      ...(location && { location }),
    };
  });
  return [
    ...templateProblems({ mistakes: [...mistakes, ...goTemplates(template)], missing: [] }, { what, settings: request, keys }),
    ...unknown,
  ];
}

/** Variables as Skaffold writes them: no tag has such signs. */
function goTemplates(template: string): readonly { readonly message: string; readonly offset: number }[] {
  return [...template.matchAll(/\{\{.*?\}\}/g)].map(({ 0: text, index }) => ({
    message: `a variable is written \${NAME}, not ${text}`,
    offset: index,
  }));
}

function plainProblems(tagger: PlainTagger, at: readonly string[], request: TaggerRequest): readonly Problem[] {
  if (tagger.kind === 'envTemplate') {
    const keys = [...at, 'envTemplate'];
    const value = (name: string): string | undefined => (name === 'IMAGE_NAME' ? '' : request.env[name]);
    const { mistakes, missing } = fillTemplate(tagger.template, { value });
    const what = whatOf(request, keys);
    // A version is often set where releases are made and nowhere else; dev does not need it.
    return templateProblems(
      { mistakes: [...mistakes, ...goTemplates(tagger.template)], missing: request.mode === 'dev' ? [] : missing },
      { what, settings: request, keys, known: ['IMAGE_NAME'] },
    );
  }
  if (tagger.kind !== 'dateTime') return [];
  const tried = dateTimeTag(tagger, new Date(0));
  if (tried.ok) return [];
  const location = placeIn(request, [...at, 'dateTime', 'timezone']);
  return [
    {
      ...tried.problem,
      message: `${request.artifact}: ${tried.problem.message}`,
      project: request.project.name,
      ...(location && { location }),
    },
  ];
}
