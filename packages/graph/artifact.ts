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
  type DockerfileFacts,
  type PathKind,
  type PathMatcher,
} from '../dockerfile';
import type { AfterCommand, Artifact, Input, Problem, ReloadPolicy, WorkspacePath } from '../model';
import { isImage, parseReference } from '../tag';
import { chooseBuilder } from './builder';
import { chooseContext } from './context';
import { buildCommandOf, fromCommand, type ListedDependencies } from './customImage';
import { dockerOptionsOf } from './dockerOptions';
import type { ImageSettings } from './imageSettings';
import { imageTextsOf } from './imageTexts';
import { expectedKind, type Output } from './outputs';
import { reloadingOf } from './reload';
import { pullsOf } from './pulls';
import { configuredRequires, foundRequires, type Required } from './requires';
import { placeIn } from './settings';
import { defaultTimeoutMs, nothingMade, syncRulesOf, underRules } from './syncRules';
import { taggerOf } from './tagger';
import { joinPath, leadsOut, type RecordedFiles } from './workspaceFiles';

export interface ArtifactRequest extends ImageSettings {
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
  const { project, config, own, files, image, imageKey } = request;
  const outside = pathsLeadingOut(request);
  if (outside.length > 0) return { settings: request, artifact: undefined, required: [], problems: outside };
  const { custom, docker } = config.image ?? {};
  const dockerfile = joinPath(project.root, custom?.dependencies?.dockerfile ?? docker?.file ?? 'Dockerfile');
  const hasDockerfile = !custom || custom.dependencies?.dockerfile !== undefined;
  const text = hasDockerfile ? files.textOf(dockerfile) : '';
  if (text === undefined) {
    const ownImage = own?.config?.image;
    const use = request.manifests.containers.find((container) => isBuiltHere(container.image, { image, repo: request.defaultRepo }));
    if (!ownImage && !use) return undefined;
    return { settings: request, artifact: undefined, required: [], problems: [dockerfileNotFound(request, { dockerfile, use })] };
  }
  const name = parseReference(image);
  const problems: Problem[] = [...customMissing(request)];
  if (!name.ok) {
    problems.push({
      ...name.problem,
      project: project.name,
      hint: `set ${imageKey}.name in slipway.yaml`,
      ...(own && { location: own.locate(['image', 'name']) }),
    });
  } else if (name.value.tag !== undefined || name.value.digest !== undefined) {
    problems.push(invalidName(request));
  }
  const args = imageTextsOf(request, { written: docker?.args ?? {}, keys: ['image', 'docker', 'args'], what: 'the build argument' });
  const platforms = platformsFor(request);
  const options = dockerOptionsOf(request, platforms);
  const configured = configuredRequires(request);
  const command = custom && buildCommandOf(request, custom);
  problems.push(...(command?.problems ?? []));
  const tag = taggerOf(request);
  const made = hasDockerfile
    ? fromDockerfile({ ...request, dockerfile, text, platforms, args: { ...args.values, ...args.late, ...configured.baseArgs } })
    : { ...fromCommand(request), bases: [], declared: [] };
  const all = [...problems, ...args.problems, ...options.problems, ...configured.problems, ...tag.problems, ...made.problems];
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

/** What runs while somebody works on it runs on one machine. */
function platformsFor({ config, mode, machine }: ArtifactRequest): readonly string[] {
  const { platform, platforms } = config.image ?? {};
  if (!platforms) return platform === undefined ? [] : [platform];
  const [first = ''] = platforms;
  if (mode === 'dev') return [machine !== undefined && platforms.includes(machine) ? machine : first];
  // The same image, however they are listed.
  return [...platforms].sort();
}

/** What lies above the workspace is no part of it: nobody watches it, and another machine has something else there. */
function pathsLeadingOut(request: ArtifactRequest): readonly Problem[] {
  const { project, artifact, config, imageKey } = request;
  const { context, docker } = config.image ?? {};
  const paths = [
    { keys: ['context'], path: context, what: 'the context' },
    { keys: ['docker', 'file'], path: docker?.file, what: 'the Dockerfile' },
  ];
  return paths.flatMap(({ keys, path, what }): Problem[] => {
    if (path === undefined || !leadsOut(project.root, path)) return [];
    const location = placeIn(request, ['image', ...keys]);
    return [
      {
        code: 'outsideWorkspace',
        message: `${artifact}: ${what} ${path} lies above the workspace`,
        hint: `${imageKey}.${keys.join('.')} is relative to ${project.root === '' ? 'the workspace' : project.root}, and may lead up to the root of the workspace`,
        retry: 'whenInputChanges',
        exitCode: 2,
        project: project.name,
        ...(location && { location }),
      },
    ];
  });
}

/** `builder: custom` is nothing without a command. */
function customMissing(request: ArtifactRequest): readonly Problem[] {
  const { builder, custom } = request.config.image ?? {};
  if (builder !== 'custom' || custom) return [];
  const location = placeIn(request, ['image', 'builder']);
  return [
    {
      code: 'commandMissing',
      message: `${request.artifact}: ${request.imageKey}.builder is custom, and ${request.imageKey}.custom.command does not say how the image is made`,
      hint: 'write the command, or leave image.builder out',
      retry: 'whenInputChanges',
      exitCode: 2,
      project: request.project.name,
      ...(location && { location }),
    },
  ];
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

function invalidName({ project, own, image, imageKey, artifact }: ArtifactRequest): Problem {
  return {
    code: 'imageNameInvalid',
    message: `${artifact}: the image name ${image} has a tag or a digest, which Slipway sets itself`,
    hint: `leave it out of ${imageKey}.name in slipway.yaml`,
    retry: 'whenInputChanges',
    exitCode: 2,
    project: project.name,
    ...(own && { location: own.locate(['image', 'name']) }),
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
  const wantedTarget = config.image?.docker?.target;
  const [platform, ...otherPlatforms] = request.platforms;
  const target = wantedTarget ?? (mode === 'dev' && stageNames(text).includes('dev') ? 'dev' : undefined);
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
      problems: choice.problems.map((problem) => ({ ...problem, project: project.name })),
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
  const builder = chooseBuilder(request, { context, target, kindOf });
  if (!builder.ok) return { artifact: undefined, bases: facts.images, declared: facts.args, problems: [builder.problem] };
  const reload = reloadOf(request, facts);
  const everyFacts = [facts, ...otherPlatforms.flatMap((other) => readFor(context, other).facts ?? [])];
  const taken = distinctInputs(everyFacts.flatMap((each) => inputsOf(each, { file: dockerfile, context, ignore: ignore.matcher })));
  const rules = syncRulesOf({ ...request, context, workdir: facts.workdir });
  const pulled = pullsOf({ ...request, workdir: facts.workdir });
  const inputs = [
    ...ownInputs(request, ignore.path),
    ...taken
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
function ownInputs({ dockerfile, own }: DockerfileRequest, ignoreFile: WorkspacePath | undefined): Input[] {
  return [
    { path: dockerfile, onChange: 'rebuild', because: 'the Dockerfile itself' },
    ...(ignoreFile === undefined ? [] : [{ path: ignoreFile, onChange: 'rebuild' as const, because: 'it says what the image leaves out' }]),
    ...(own === undefined ? [] : [{ path: own.path, onChange: 'rebuild' as const, because: 'the config of the project' }]),
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
