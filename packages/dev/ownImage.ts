import type { Workspace } from '../model';

/** The image that a release or an image is about: of several of its project the one of its name, else the only one. */
export function ownImageOf(
  workspace: Workspace,
  { name, project }: { readonly name: string; readonly project: string },
): string | undefined {
  const its = [...workspace.artifacts.values()].filter((each) => each.project === project);
  return (its.find((each) => each.name === name) ?? (its.length === 1 ? its[0] : undefined))?.image;
}
