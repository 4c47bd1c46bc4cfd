export interface DefaultRepo {
  /** Undefined: nothing says it, or it was said to be none. */
  readonly repo: string | undefined;
  /** Who says it, for people. */
  readonly from: string | undefined;
}

export interface RepoSources {
  /** From the command line; an empty one takes away what the config says. */
  readonly flag: string | undefined;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly config: string | undefined;
}

/** The first that says where images go. Skaffold's variable counts too, so that a shell that is set up for it need not be changed. */
export function defaultRepoOf({ flag, env, config }: RepoSources): DefaultRepo {
  const sources = [
    ['--default-repo', flag],
    ['SLIPWAY_DEFAULT_REPO', env['SLIPWAY_DEFAULT_REPO']],
    ['SKAFFOLD_DEFAULT_REPO', env['SKAFFOLD_DEFAULT_REPO']],
    ['slipway.yaml', config],
  ] as const;
  const [from, repo] = sources.find(([, value]) => value !== undefined) ?? [];
  return repo === undefined || repo === '' ? { repo: undefined, from: undefined } : { repo, from };
}
