import type { PlainTagConfig, TagConfig } from '../../config';
import type { Field } from '../imports/field';
import { fromGoTemplate } from './goTemplates';
import type { Place } from '../imports/place';

const taggers = ['gitCommit', 'sha256', 'dateTime', 'envTemplate', 'inputDigest'] as const;

const variants: ReadonlySet<string> = new Set(['Tags', 'CommitSha', 'AbbrevCommitSha', 'TreeSha', 'AbbrevTreeSha']);

/** `build.tagPolicy`. Undefined where it says nothing, or what no tagger here does. */
export function tagOf(policy: Field, place: Place): TagConfig | undefined {
  const custom = policy.at('customTemplate');
  if (!custom) return plainTagOf(policy, place);
  const template = templateOf(custom.at('template'), place);
  const components = (custom.at('components')?.items() ?? []).flatMap((each): (readonly [string, PlainTagConfig])[] => {
    const name = each.at('name')?.text();
    const tag = plainTagOf(each, place);
    return name === undefined || tag === undefined ? [] : [[name, tag]];
  });
  return template === undefined
    ? undefined
    : { custom: { template, ...(components.length > 0 && { components: Object.fromEntries(components) }) } };
}

function plainTagOf(policy: Field, place: Place): PlainTagConfig | undefined {
  const kind = taggers.find((each) => policy.has(each));
  const settings = kind === undefined ? undefined : policy.at(kind);
  switch (kind) {
    case 'gitCommit': {
      const variant = settings?.at('variant')?.text();
      const prefix = settings?.at('prefix')?.text();
      const ignoreChanges = settings?.at('ignoreChanges')?.text() === 'true';
      const known = [...variants].find((each) => each.toLowerCase() === variant?.toLowerCase());
      const says = {
        ...(known !== undefined && { variant: known as 'Tags' }),
        ...(prefix !== undefined && { prefix }),
        ...(ignoreChanges && { ignoreChanges }),
      };
      return Object.keys(says).length === 0 ? 'gitCommit' : { gitCommit: says };
    }
    case 'sha256':
      settings?.skip();
      place.note(
        policy,
        'sha256 is the tag latest in Skaffold, with the digest behind it; here it is sha256- and 12 digits of the content',
      );
      return 'sha256';
    case 'dateTime': {
      const format = settings?.at('format')?.text();
      const timezone = settings?.at('timezone')?.text();
      if (format === undefined && timezone === undefined) return 'dateTime';
      return { dateTime: { ...(format !== undefined && { format }), ...(timezone !== undefined && { timezone }) } };
    }
    case 'envTemplate': {
      const template = templateOf(settings?.at('template'), place);
      return template === undefined ? undefined : { envTemplate: template };
    }
    case 'inputDigest':
      settings?.skip();
      return 'inputDigest';
    case undefined:
      return undefined;
  }
}

/** A template here is of the tag alone. */
function templateOf(field: Field | undefined, place: Place): string | undefined {
  const text = field?.text();
  if (!field || text === undefined) return undefined;
  const made = fromGoTemplate(text.replace(/^{{\s*\.IMAGE_NAME\s*}}:/, ''));
  if (made === undefined) place.note(field, `is a Go template that has no counterpart: ${text}`);
  return made;
}
