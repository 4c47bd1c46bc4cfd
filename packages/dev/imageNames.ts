import type { Processes } from '../clients';
import { fillTemplate } from '../config';
import { failed, succeeded, type Artifact, type Result, type Snapshot, type Workspace } from '../model';
import { landingOf } from '../plan';
import type { Delivery } from '../registry';
import { inputDigestTag, needsGit, tagOf, type GitFacts } from '../tag';
import { readGit } from './readGit';

export interface ImageNamesOptions {
  /** Absolute path of the workspace. */
  readonly root: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly workspace: Workspace;
  readonly delivery: Pick<Delivery, 'nameOf'> | undefined;
  readonly processes: Processes;
  /** The time of the run. */
  readonly now: Date;
}

/** What images of one run are called. Git is asked once, and only when a tag needs it. */
export class ImageNames {
  private git: Promise<Result<GitFacts | undefined>> | undefined;

  constructor(private readonly options: ImageNamesOptions) {}

  /** The reference that an image is found by: its tag is made from its content. */
  contentRef(artifact: Artifact, snapshot: Snapshot): string {
    return this.refFor(artifact, inputDigestTag(snapshot.inputsHash));
  }

  refFor(artifact: Artifact, tag: string): string {
    return `${this.nameOf(artifact)}:${tag}`;
  }

  /** The tag that people know an image by, when it is not that of its content. */
  async tagFor(artifact: Artifact, { inputsHash }: Snapshot): Promise<Result<string | undefined>> {
    const { tag: tagger, image, inputs, project } = artifact;
    if (!tagger) return succeeded(undefined);
    const { env, now, workspace } = this.options;
    const git = needsGit(tagger) ? await (this.git ??= this.askGit()) : succeeded(undefined);
    if (!git.ok) return failed({ ...git.problem, project });
    const directory = workspace.projects.get(project)?.root ?? '';
    const takes = (path: string): boolean => inputs.some((input) => landingOf(input, path) !== undefined);
    const tag = tagOf(tagger, { inputsHash, now, env, image, git: git.value, directory, takes });
    return tag.ok ? tag : failed({ ...tag.problem, message: `${artifact.name}: ${tag.problem.message}`, project });
  }

  /** The artifact with the arguments and labels that name the image itself. */
  withLateTexts(artifact: Artifact, tag: string): Artifact {
    const { recipe, settings } = artifact;
    const values: Readonly<Record<string, string>> = { IMAGE_TAG: tag, IMAGE_REPO: this.nameOf(artifact) };
    const fill = (template: string): string => fillTemplate(template, { value: (each) => values[each] }).text;
    const filled = (templates: Readonly<Record<string, string>> = {}): Readonly<Record<string, string>> =>
      Object.fromEntries(Object.entries(templates).map(([name, template]) => [name, fill(template)]));
    const labels = { ...recipe.labels, ...filled(recipe.lateLabels) };
    const { command } = recipe;
    return {
      ...artifact,
      recipe: {
        ...recipe,
        args: { ...recipe.args, ...filled(recipe.lateArgs) },
        labels,
        ...(command && { command: { ...command, env: { ...command.env, ...filled(command.lateEnv) } } }),
      },
      ...(settings && { settings: { ...settings, cacheFrom: settings.cacheFrom.map(fill), cacheTo: settings.cacheTo.map(fill) } }),
    };
  }

  private nameOf({ image }: Artifact): string {
    return this.options.delivery?.nameOf(image) ?? image;
  }

  private askGit(): Promise<Result<GitFacts | undefined>> {
    const { root, workspace, processes } = this.options;
    return readGit({ root, processes, directories: [...workspace.projects.values()].map((project) => project.root) });
  }
}
