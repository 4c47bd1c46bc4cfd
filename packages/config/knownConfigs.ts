import { createHash } from 'node:crypto';
import type { WorkspacePath } from '../model';
import type { Config } from './config';
import type { ConfigText, ReadConfig } from './readConfig';
import { schemaDigest } from './validators';

// YAML is slow to read, and most of a workspace is as it was: what has been read is kept while a process runs, and handed to the next one.

interface KnownConfig {
  readonly path: WorkspacePath;
  readonly isRoot: boolean;
  /** Of the text. */
  readonly digest: string;
}

/** A config without a mistake. */
interface RightConfig extends KnownConfig {
  readonly config: Config;
}

const readHere = new Map<WorkspacePath, KnownConfig & { readonly read: ReadConfig }>();
let readBefore: ReadonlyMap<WorkspacePath, RightConfig> = new Map();

/** What a config was read by: another number when the rules change that are not in the schema. */
const rules = (): string => `1 ${schemaDigest()}`;

type Places = Pick<ReadConfig, 'locate' | 'locateIn'>;

interface Reading {
  readonly read: () => ReadConfig;
  /** Of a config that is known already. */
  readonly places: () => Places;
}

/** What is known of a text, else what `read` gives. */
export function unlessKnown({ path, isRoot, text }: ConfigText, { read, places }: Reading): ReadConfig {
  const file = { path, isRoot, digest: createHash('sha256').update(text).digest('base64') };
  const here = readHere.get(path);
  if (here && isSame(here, file)) return here.read;
  const before = readBefore.get(path);
  const known = before && isSame(before, file) ? recalled(before, places) : read();
  readHere.set(path, { ...file, read: known });
  return known;
}

/** Takes what `configsRead` has given to an earlier process. */
export function rememberConfigs(json: string): void {
  try {
    const { by, configs } = JSON.parse(json) as { readonly by: string; readonly configs: readonly RightConfig[] };
    if (by === rules()) readBefore = new Map(configs.map((each) => [each.path, each]));
  } catch {
    // Nothing is known then, and all is read.
  }
}

/** What has been read and is right, for `rememberConfigs`. Undefined: that knew all of it. */
export function configsRead(): string | undefined {
  const right = [...readHere.values()].flatMap(({ path, isRoot, digest, read: { config } }): RightConfig[] =>
    config ? [{ path, isRoot, digest, config }] : [],
  );
  const isKnown = (each: RightConfig): boolean => {
    const before = readBefore.get(each.path);
    return before !== undefined && isSame(before, each);
  };
  return right.every(isKnown) ? undefined : JSON.stringify({ by: rules(), configs: right });
}

function isSame(one: KnownConfig, other: KnownConfig): boolean {
  return one.digest === other.digest && one.isRoot === other.isRoot;
}

/** The text is read all the same where a place in it is asked for, as when something else is wrong with what it says. */
function recalled({ config }: RightConfig, places: () => Places): ReadConfig {
  let known: Places | undefined;
  const found = (): Places => (known ??= places());
  return {
    config,
    problems: [],
    locate: (keys) => found().locate(keys),
    locateIn: (keys, offset) => found().locateIn(keys, offset),
  };
}
