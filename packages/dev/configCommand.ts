import { joinPath, saidSettings, type SaidSetting } from '../graph';
import type { Artifact, Release } from '../model';
import { filesBelow } from '../source';
import type { CommandOptions, CommandResult, ConfigDocument } from './command';
import type { ReadWorkspace } from './readWorkspace';
import { noticesOfAll, problemsOf, unknownProjects } from './selection';
import { readFor } from './session';
import { withProblems } from './worstExit';

const nothing: ConfigDocument = { workspace: [], projects: [] };

type Setting = ConfigDocument['workspace'][number];

/** What holds for each project, where it is said, and what is decided where nothing is. As in `dev`. */
export async function configCommand(options: CommandOptions): Promise<CommandResult<ConfigDocument>> {
  const read = await readFor(options, 'dev');
  if (!read.ok) return { exitCode: read.problem.exitCode, problems: [read.problem], document: nothing };
  const { workspace, facts } = read.value;
  const unknown = unknownProjects(workspace, options.projects);
  if (unknown) return { exitCode: unknown.exitCode, problems: [unknown], document: nothing };
  for (const notice of noticesOfAll(workspace)) options.report(notice);
  const says = saidSettings({ ...facts, files: filesBelow(options.root) });
  const projects = [...workspace.projects.values()].flatMap(({ name, root }) => {
    const { profiles = [], said = [] } = says.projects.get(name) ?? {};
    const decisions = decided(name, read.value, options);
    // What the root says counts for every project, also for those of which nothing is made.
    const isOne = decisions.length > 0 || said.some(({ location }) => location.file === joinPath(root, 'slipway.yaml'));
    if (options.projects.length === 0 ? !isOne : !options.projects.includes(name)) return [];
    return [{ project: name, root, profiles, settings: inOrder(over(said.map(asSetting), decisions)) }];
  });
  const document = { workspace: ofWorkspace(says.workspace, read.value), projects };
  return { ...withProblems(problemsOf(workspace, options.projects)), document };
}

function asSetting({ key, value, location: { file, line } }: SaidSetting): Setting {
  return { key, value, from: `${file}:${line ?? 1}` };
}

/** A flag or a variable comes before what the root's config says. */
function ofWorkspace(said: readonly SaidSetting[], { settings: { defaultRepo } }: ReadWorkspace): readonly Setting[] {
  const settings = said.map(asSetting);
  const { repo, from } = defaultRepo;
  if (repo === undefined || from === undefined || settings.some(({ key, value }) => key === 'defaultRepo' && value === repo))
    return settings;
  return [{ key: 'defaultRepo', value: repo, from }, ...settings.filter(({ key }) => key !== 'defaultRepo')];
}

/** What Slipway goes by where a project says nothing of it. */
function decided(project: string, { workspace, settings }: ReadWorkspace, { namespace }: CommandOptions): readonly Setting[] {
  const release = [...workspace.releases.values()].find((each) => each.project === project);
  return [
    ...[...workspace.artifacts.values()].filter((each) => each.project === project).flatMap(ofImage),
    ...(release ? ofRelease(release, namespace ?? settings.defaultNamespace) : []),
  ];
}

/** Only for `dev` a stage is taken that nothing names. */
const stageOfDev = 'dev takes the stage of this name; build and deploy take the last one';

function ofImage({ name, project, image, recipe, builderBecause, reload, tag }: Artifact): readonly Setting[] {
  const under = name === project ? 'image' : `images.${name.slice(project.length + 1)}`;
  const [builder] = recipe.builder.split('/');
  return [
    { key: `${under}.name`, value: image },
    { key: `${under}.builder`, value: builder, ...(builderBecause !== undefined && { because: builderBecause }) },
    { key: `${under}.context`, value: recipe.context === '' ? 'workspace' : recipe.context },
    ...(recipe.command ? [] : [{ key: `${under}.docker.file`, value: recipe.dockerfile }]),
    ...(recipe.target === undefined ? [] : [{ key: `${under}.docker.target`, value: recipe.target, because: stageOfDev }]),
    ...(recipe.platform === undefined ? [] : [{ key: `${under}.platform`, value: recipe.platform }]),
    { key: `${under}.tag`, value: tag?.kind ?? 'inputDigest' },
    { key: name === project ? 'reload' : `${under}.reload`, value: reload.kind, because: reload.because },
  ];
}

function ofRelease({ namespace, inputs }: Release, otherwise: string | undefined): readonly Setting[] {
  const manifests = inputs.filter(({ accepts }) => !accepts).map(({ path }) => path);
  return [
    { key: 'namespace', value: namespace ?? otherwise ?? 'that of the kubeconfig' },
    { key: 'manifests', value: manifests },
  ];
}

/** What is said replaces what would be decided; a map that is said, or a part of it, all of its key. */
function over(said: readonly Setting[], decisions: readonly Setting[]): readonly Setting[] {
  const isSaid = ({ key }: Setting) => said.some((each) => each.key === key || each.key.startsWith(`${key}.`));
  return [...said, ...decisions.filter((each) => !isSaid(each))];
}

function inOrder(settings: readonly Setting[]): readonly Setting[] {
  return [...settings].sort((a, b) => a.key.localeCompare(b.key, 'en'));
}
