import picomatch from 'picomatch';
import type { Config, ManifestContainer } from '../config';
import {
  acceptsDefinedBy,
  below,
  definitionOf,
  inputsOf,
  readDockerfile,
  readIgnore,
  stageNames,
  triggersIn,
  type DockerfileFacts,
  type PathKind,
  type PathMatcher,
} from '../dockerfile';
import type { AfterCommand, Artifact, Input, Problem, ReloadPolicy, WorkspacePath } from '../model';
import { isImage, parseReference } from '../tag';
import { chooseBuilder } from './builder';
import { configuredImage, pathsLeadingOut } from './configuredImage';
import { chooseContext, dockerfilePath } from './context';
import { fromCommand, type ListedDependencies } from './customImage';
import type { ImageSettings } from './imageSettings';
import { expectedKind, type Output } from './outputs';
import { reloadingOf } from './reload';
import { pullsOf } from './pulls';
import { foundRequires, imagesNamed, type Required } from './requires';
import { placeIn } from './settings';
import { defaultTimeoutMs, nothingMade, syncRulesOf, underRules } from './syncRules';
import { withoutConfigs, type KnownConfigs } from './withoutConfigs';
import { joinPath, type RecordedFiles } from './workspaceFiles';

export interface ArtifactRequest extends ImageSettings, KnownConfigs {
  readonly mode: 'dev' | 'deploy';
  readonly machine: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly defaultRepo: string | undefined;
  readonly files: RecordedFiles;
  readonly outputs: readonly Output[];
  readonly listed: ListedDependencies | undefined;
  /** All containers of all manifests of the workspace, or all but some that cannot run the image. */
  readonly containers: readonly ManifestContainer[];
  /** What the images of all projects are called, or would be. */
  readonly allImages: readonly ImageSettings[];
  /** The project's own. */
  readonly manifests: { readonly containers: readonly ManifestContainer[] };
}

/** An image of a project; `artifact` is undefined when it has no Dockerfile, or when there are problems. */
export interface ProjectImage {
  readonly settings: ImageSettings;
  readonly artifact: Artifact | undefined;
  /** Images of the workspace that it stands on or copies from. */
  readonly required: readonly Required[];
  readonly problems: readonly Problem[];
}

/** Makes an artifact, without what other artifacts say of it. Undefined: the project has no image. */
export function imageOf(request: ArtifactRequest): ProjectImage | undefined {
  const { project, config, own, files, image } = request;
  const outside = pathsLeadingOut(request);
  if (outside.length > 0) {
    const { required, problems } = configuredImage(request);
    return { settings: request, artifact: undefined, required, problems: [...outside, ...problems] };
  }
  const { custom, docker } = config.image ?? {};
  const dockerfile = dockerfilePath({
    file: custom?.dependencies?.dockerfile ?? docker?.file,
    root: project.root,
    context: own?.config?.image?.context,
    files,
  });
  const hasDockerfile = !custom || custom.dependencies?.dockerfile !== undefined;
  const text = hasDockerfile ? files.textOf(dockerfile) : '';
  if (text === undefined) {
    const ownImage = own?.config?.image;
    const use = request.manifests.containers.find((container) => isBuiltHere(container.image, { image, repo: request.defaultRepo }));
    if (!ownImage && !use) return undefined;
    const { required, problems } = ownImage ? configuredImage(request) : { required: [], problems: [] };
    const missing = dockerfileNotFound(request, { dockerfile, use });
    return { settings: request, artifact: undefined, required, problems: [missing, ...problems] };
  }
  const { args, platforms, options, configured, command, tag, problems } = configuredImage(request);
  const made = hasDockerfile
    ? fromDockerfile({ ...request, dockerfile, text, platforms, args: { ...args.values, ...args.late, ...configured.baseArgs } })
    : { ...fromCommand(request), bases: [], declared: [] };
  const all = [...problems, ...made.problems];
  const found = foundRequires({ ...request, dockerfile, text, bases: made.bases });
  const required = [...configured.required, ...found];
  const undeclared = made.artifact && !custom ? undeclaredBaseArgs(request, made.declared) : [];
  if (!made.artifact || all.length > 0 || undeclared.length > 0)
    return { settings: request, artifact: undefined, required, problems: [...all, ...undeclared] };
  const recipe = {
    ...made.artifact.recipe,
    ...options.recipe,
    ...(command
      ? { args: {}, command: command.command, ...baseVariables(configured.baseArgs) }
      : sortedArgs({ late: args.late, baseArgs: configured.baseArgs, all: made.artifact.recipe.args })),
  };
  const { settings } = options;
  const artifact = { ...made.artifact, recipe, ...(settings && { settings }), ...(tag.tagger && { tag: tag.tagger }) };
  return { settings: request, artifact, required, problems: [] };
}

/** A command gets the references of other images as variables. */
function baseVariables(baseArgs: Readonly<Record<string, string>>): Pick<Artifact['recipe'], 'baseArgs'> {
  return Object.keys(baseArgs).length === 0 ? {} : { baseArgs };
}

/** Parts the arguments that a Dockerfile declares by when their values are known. */
function sortedArgs({ late, baseArgs, all }: Readonly<Record<'late' | 'baseArgs' | 'all', Readonly<Record<string, string>>>>) {
  const declaredOf = (some: Readonly<Record<string, string>>) => Object.entries(some).filter(([name]) => Object.hasOwn(all, name));
  const lateArgs = declaredOf(late);
  const bases = declaredOf(baseArgs);
  const known = Object.entries(all).filter(([name]) => !Object.hasOwn(late, name) && !Object.hasOwn(baseArgs, name));
  return {
    args: Object.fromEntries(known),
    ...(lateArgs.length > 0 && { lateArgs: Object.fromEntries(lateArgs) }),
    ...(bases.length > 0 && { baseArgs: Object.fromEntries(bases) }),
  };
}

/** A reference that goes into an argument which nothing reads would be a base that is not used. */
function undeclaredBaseArgs(request: ArtifactRequest, declared: readonly string[]): readonly Problem[] {
  return (request.config.image?.requires ?? []).flatMap((written, index): Problem[] => {
    if (typeof written === 'string' || written.arg === undefined || declared.includes(written.arg)) return [];
    const location = placeIn(request, ['image', 'requires', index, 'arg']);
    return [
      {
        code: 'argUndeclared',
        message: `${request.artifact}: the image of ${written.project} is to go into the build argument ${written.arg}, but the Dockerfile has no ARG ${written.arg}`,
        hint: `write ARG ${written.arg} before the first FROM, and FROM \${${written.arg}}`,
        retry: 'whenInputChanges',
        exitCode: 2,
        project: request.project.name,
        ...(location && { location }),
      },
    ];
  });
}

/** Whether an image of a project's own manifests has the project's name and neither tag nor digest: nobody but the project makes it. */
function isBuiltHere(reference: string, name: { readonly image: string; readonly repo: string | undefined }): boolean {
  const parsed = parseReference(reference);
  return parsed.ok && parsed.value.tag === undefined && parsed.value.digest === undefined && isImage(reference, name);
}

interface MissingDockerfile {
  readonly dockerfile: WorkspacePath;
  /** Where the project's manifests name the image. */
  readonly use: ManifestContainer | undefined;
}

function dockerfileNotFound({ project, artifact, own, imageKey }: ArtifactRequest, { dockerfile, use }: MissingDockerfile): Problem {
  const configured = own?.config?.image !== undefined;
  return {
    code: 'dockerfileNotFound',
    message:
      configured || !use
        ? `${artifact}: there is no ${dockerfile}`
        : `${artifact}: there is no ${dockerfile} to make the image ${use.image} of ${use.location.file}`,
    hint: configured
      ? `write one, correct ${imageKey}.docker.file in slipway.yaml, or leave ${imageKey} out`
      : 'write one, or give the image a tag when it comes from elsewhere',
    retry: 'whenInputChanges',
    exitCode: 2,
    project: project.name,
    ...(configured ? { location: own.locate(['image', 'docker', 'file']) } : use && { location: use.location }),
  };
}

export interface DockerfileRequest extends ArtifactRequest {
  readonly dockerfile: WorkspacePath;
  readonly text: string;
  readonly args: Readonly<Record<string, string>>;
  /** None: that of the builder. */
  readonly platforms: readonly string[];
}

interface FromDockerfile {
  readonly artifact: Artifact | undefined;
  readonly bases: readonly string[];
  /** Arguments that it declares. */
  readonly declared: readonly string[];
  readonly problems: readonly Problem[];
}

function fromDockerfile(request: DockerfileRequest): FromDockerfile {
  const { project, config, files, mode, dockerfile, text, args } = request;
  const [platform, ...otherPlatforms] = request.platforms;
  const target = targetOf(config, { mode, text });
  const triggersOf = (image: string) => triggersOfImage(image, request);
  const kindOf = (path: WorkspacePath): PathKind | undefined => files.kindOf(path) ?? expectedKind(request.outputs, path);
  const known = { ...files, kindOf };
  const readFor = (context: WorkspacePath, wanted: string | undefined) =>
    readDockerfile(text, {
      file: dockerfile,
      args,
      ...(target !== undefined && { target }),
      ...(wanted !== undefined && { platform: wanted }),
      kindOf: (path) => kindOf(joinPath(context, path)),
      namesIn: (directory) => files.namesIn(joinPath(context, directory)),
      triggersOf,
    });
  const choice = chooseContext({
    project,
    wanted: config.image?.context,
    dockerfile,
    files: known,
    read: (context) => readFor(context, platform),
  });
  if (!choice.ok)
    return {
      artifact: undefined,
      bases: [],
      declared: [],
      problems: choice.problems.map((problem) => ({ ...problem, ...targetPlace(request, problem), project: project.name })),
    };
  const { context, facts } = choice;
  const ignore = ignoreOf({ context, dockerfile, files });
  const problems = [...ignore.problems, ...ignoredSources(facts, { ...request, ignore: ignore.matcher, ignoreFile: ignore.path })].map(
    (problem) => ({
      ...problem,
      project: project.name,
    }),
  );
  if (problems.length > 0) return { artifact: undefined, bases: facts.images, declared: facts.args, problems };
  const builder = chooseBuilder(request, { context, target, kindOf, triggersOf });
  if (!builder.ok) return { artifact: undefined, bases: facts.images, declared: facts.args, problems: [builder.problem] };
  const reload = reloadOf(request, facts);
  const everyFacts = [facts, ...otherPlatforms.flatMap((other) => readFor(context, other).facts ?? [])];
  const taken = distinctInputs(everyFacts.flatMap((each) => inputsOf(each, { file: dockerfile, context, ignore: ignore.matcher })));
  const rules = syncRulesOf({ ...request, context, workdir: facts.workdir });
  const pulled = pullsOf({ ...request, workdir: facts.workdir });
  const inputs = [
    ...ownInputs(request, ignore.path),
    ...taken
      .map((input) => withoutConfigs(input, request))
      .flatMap((input) => underRules(input, rules, (rest) => underPolicy(rest, reload)))
      .flatMap((input) => leftAlone(input, request)),
    ...rules.inputs.flatMap((input) => leftAlone(input, request).slice(0, 1)),
  ].map((input) => written(input, config));
  const declared = Object.fromEntries(Object.entries(args).filter(([name]) => facts.args.includes(name) || predefined.test(name)));
  const artifact: Artifact = {
    name: request.artifact,
    project: project.name,
    image: request.image,
    recipe: { builder: builder.value.builder, context, dockerfile, ...(target !== undefined && { target }), args: declared },
    builderBecause: builder.value.because,
    ...(builder.value.asked && { builderAsked: true }),
    inputs,
    requires: [],
    targets: [],
    reload,
    ...(rules.before.length > 0 && { before: rules.before }),
    after: [...rules.after, ...reloadCommand(config)],
    ...(pulled.pulls.length > 0 && { pulls: pulled.pulls }),
    ...(rules.notices.length > 0 && { notices: rules.notices }),
  };
  return {
    artifact,
    bases: facts.images,
    declared: facts.args,
    problems: [...rules.problems, ...pulled.problems, ...nothingMade(taken, request)],
  };
}

/** The stage that is built; a stage `dev` while somebody works on it. */
function targetOf({ image }: Config, { mode, text }: { readonly mode: 'dev' | 'deploy'; readonly text: string }): string | undefined {
  return image?.docker?.target ?? (mode === 'dev' && stageNames(text).includes('dev') ? 'dev' : undefined);
}

/** What another image of the workspace leaves to this one; what images from elsewhere do is not known before they are pulled. */
function triggersOfImage(reference: string, request: DockerfileRequest): readonly string[] {
  return imagesNamed(reference, request).flatMap(({ project, config, own }) => {
    if (config.image?.custom) return [];
    const place = { file: config.image?.docker?.file, root: project.root, context: own?.config?.image?.context };
    const text = request.files.textOf(dockerfilePath({ ...place, files: request.files }));
    return text === undefined ? [] : triggersIn(text, targetOf(config, { mode: request.mode, text }));
  });
}

/** A stage that is not there was asked for in the config. */
function targetPlace(request: DockerfileRequest, { code }: Problem): Pick<Problem, 'location'> {
  const location = code === 'targetNotFound' ? placeIn(request, ['image', 'docker', 'target']) : undefined;
  return location ? { location } : {};
}

/** What images for several platforms take: most of it is the same for all. */
function distinctInputs(inputs: readonly Input[]): readonly Input[] {
  const byDefinition = new Map<string, Input>();
  for (const input of inputs) {
    const definition = JSON.stringify([input, input.accepts && definitionOf(input.accepts)]);
    if (!byDefinition.has(definition)) byDefinition.set(definition, input);
  }
  return [...byDefinition.values()];
}

/** Arguments that the builder takes without a declaration. */
const predefined = /^((HTTPS?|FTP|NO|ALL)_PROXY|BUILDKIT_\w+|SOURCE_DATE_EPOCH)$/i;

interface IgnoreFile {
  readonly path: WorkspacePath | undefined;
  readonly matcher: PathMatcher | undefined;
  readonly problems: readonly Problem[];
}

/** The one beside the Dockerfile, named after it, wins over the one of the context. */
function ignoreOf({
  context,
  dockerfile,
  files,
}: {
  readonly context: WorkspacePath;
  readonly dockerfile: WorkspacePath;
  readonly files: RecordedFiles;
}): IgnoreFile {
  for (const path of [`${dockerfile}.dockerignore`, joinPath(context, '.dockerignore')]) {
    const text = files.textOf(path);
    if (text === undefined) continue;
    const { matcher, mistakes } = readIgnore(text);
    const problems = mistakes.map(({ message, line }): Problem => ({
      code: 'dockerignoreInvalid',
      message: `${path}:${line}: ${message}`,
      hint: 'correct the pattern',
      retry: 'whenInputChanges',
      exitCode: 2,
      location: { file: path, line },
    }));
    return { path, matcher, problems };
  }
  return { path: undefined, matcher: undefined, problems: [] };
}

/** The engine fails when what an instruction names is ignored; it says only that it is not found. */
function ignoredSources(
  facts: DockerfileFacts,
  {
    dockerfile,
    ignore,
    ignoreFile,
  }: DockerfileRequest & { readonly ignore: PathMatcher | undefined; readonly ignoreFile: WorkspacePath | undefined },
): Problem[] {
  if (!ignore) return [];
  return facts.sources
    .filter(({ path, wildcard }) => !wildcard && path !== '' && ignore.matches(path) && !ignore.mayExcept(path))
    .map(({ path, line }) => ({
      code: 'copySourceIgnored',
      message: `${dockerfile}:${line}: ${path} is copied, but ${ignoreFile ?? '.dockerignore'} leaves it out`,
      hint: `add !${path} to ${ignoreFile ?? '.dockerignore'}`,
      retry: 'whenInputChanges',
      exitCode: 2,
      location: { file: dockerfile, line },
    }));
}

/** What says how the image is made. */
function ownInputs({ dockerfile }: DockerfileRequest, ignoreFile: WorkspacePath | undefined): Input[] {
  return [
    { path: dockerfile, onChange: 'rebuild', because: 'the Dockerfile itself' },
    ...(ignoreFile === undefined ? [] : [{ path: ignoreFile, onChange: 'rebuild' as const, because: 'it says what the image leaves out' }]),
  ];
}

function reloadOf(request: DockerfileRequest, facts: DockerfileFacts): ReloadPolicy {
  const { config, own, containers, image, defaultRepo } = request;
  const configured = config.reload ?? 'auto';
  const place = own?.config?.reload === undefined ? 'slipway.yaml of the workspace' : own.path;
  if (configured === 'hot') return { kind: 'hot', because: `reload is hot in ${place}` };
  if (configured === 'rebuild') return { kind: 'rebuild', because: `reload is rebuild in ${place}` };
  if (configured !== 'auto') return { kind: 'command', because: `reload has a command in ${place}` };
  const scripts = scriptsOf(request);
  const uses = containers.filter((container) => !container.isAside && isImage(container.image, { image, repo: defaultRepo }));
  const started = uses.length === 0 ? [{ command: undefined, args: undefined }] : uses;
  const found = started.map((container) => reloadingOf({ argv: startOf(facts, container), baseImage: facts.baseImage, scripts }));
  const [first = reloadingOf({ argv: undefined, baseImage: facts.baseImage, scripts })] = found;
  // All containers of an image get the same files: one that does not take them up decides.
  return found.find((reloading) => reloading.kind === 'rebuild') ?? first;
}

/** `reload: {command}` is a command for every copied file, after those of `sync.after`. */
function reloadCommand({ reload }: Config): readonly AfterCommand[] {
  return typeof reload === 'object' ? [{ run: reload.command, timeoutMs: defaultTimeoutMs }] : [];
}

/** As Kubernetes puts it together: `command` instead of ENTRYPOINT and CMD, `args` instead of CMD. */
function startOf(facts: DockerfileFacts, { command, args }: Pick<ManifestContainer, 'command' | 'args'>): readonly string[] | undefined {
  if (command) return [...command, ...(args ?? [])];
  const rest = args ?? facts.command;
  return facts.entrypoint === undefined ? rest : [...facts.entrypoint, ...(rest ?? [])];
}

function scriptsOf({ project, files }: DockerfileRequest): Readonly<Record<string, string>> {
  try {
    const parsed = JSON.parse(files.textOf(joinPath(project.root, 'package.json')) ?? '{}') as { readonly scripts?: unknown } | null;
    const scripts = parsed?.scripts;
    if (typeof scripts !== 'object' || scripts === null) return {};
    return Object.fromEntries(Object.entries(scripts).filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
  } catch {
    // Who reads package.json for its own sake says what is wrong with it.
    return {};
  }
}

/** Files in step is not code in step: what the process would not take up needs a new image. */
function underPolicy(input: Input, reload: ReloadPolicy): Input {
  if (input.onChange === 'rebuild') return input;
  if (reload.kind === 'rebuild')
    return { ...input, onChange: 'rebuild', onlyForProcess: true, because: `${input.because}, and ${reload.because}` };
  const readAtStart = reload.kind === 'hot' && input.containerPath !== undefined && below('/etc', input.containerPath) !== undefined;
  return readAtStart
    ? { ...input, onChange: 'rebuild', onlyForProcess: true, because: `${input.because}, where programs look only when they start` }
    : input;
}

/** `sync.write` is for what no rule has one for. */
function written(input: Input, { sync }: Config): Input {
  return sync?.write === undefined || input.write !== undefined || input.containerPath === undefined
    ? input
    : { ...input, write: sync.write };
}

/** Parts an input by `sync.ignore`: what is left alone goes into images, but no change of it is followed. */
function leftAlone(input: Input, { config, project, own }: DockerfileRequest): Input[] {
  const globs = config.sync?.ignore ?? [];
  if (globs.length === 0) return [input];
  const isMatch = picomatch([...globs], { dot: true, flags: 's' });
  const ignored = (path: WorkspacePath) => {
    const inProject = below(project.root, path);
    return isMatch(path) || (inProject !== undefined && isMatch(inProject));
  };
  const inner = input.accepts;
  const definition = JSON.stringify([globs, project.root, input.path, inner && definitionOf(inner)]);
  const place = own?.config?.sync?.ignore === undefined ? 'slipway.yaml of the workspace' : own.path;
  const followed = acceptsDefinedBy(
    `followed ${definition}`,
    (path, kind) => (inner?.(path, kind) ?? true) && (kind === 'dir' || !ignored(path)),
  );
  const left = acceptsDefinedBy(`left ${definition}`, (path, kind) => kind === 'file' && (inner?.(path, kind) ?? true) && ignored(path));
  // Without a path in the container there is nothing to copy, and only a rebuild input asks for an image.
  return [
    { ...input, accepts: followed },
    { path: input.path, onChange: 'sync', because: `left alone by sync.ignore (${place})`, accepts: left },
  ];
}
