import { fillTemplate, variablesOf } from '../config';
import { failed, succeeded, type CustomTagger, type PlainTagger, type Result } from '../model';
import { defaultDateFormat } from './dateTime';

/** Components that every custom template has under these names, unless it gives the names to others. Skaffold's. */
const given: Readonly<Record<string, PlainTagger>> = {
  GIT: { kind: 'gitCommit', variant: 'Tags', prefix: '', ignoreChanges: false },
  DATE: { kind: 'dateTime', format: defaultDateFormat },
  SHA: { kind: 'sha256' },
  INPUT_DIGEST: { kind: 'inputDigest' },
};

/** The components of a custom template by name: its own, and the given ones. */
export function componentsOf({ components }: CustomTagger): Readonly<Record<string, PlainTagger>> {
  return { ...given, ...components };
}

/** The components that the template names. */
export function componentsUsed(tagger: CustomTagger): readonly PlainTagger[] {
  const components = componentsOf(tagger);
  return variablesOf(tagger.template).flatMap((name) => (Object.hasOwn(components, name) && components[name] ? [components[name]] : []));
}

/** Combines the tags of other taggers. Only those that the template names are asked. */
export function customTag(tagger: CustomTagger, tagOf: (component: PlainTagger) => Result<string>): Result<string> {
  const components = componentsOf(tagger);
  const values = new Map<string, string>();
  for (const name of variablesOf(tagger.template)) {
    const component = Object.hasOwn(components, name) ? components[name] : undefined;
    if (!component) continue;
    const tag = tagOf(component);
    if (!tag.ok) return failed(tag.problem);
    values.set(name, tag.value);
  }
  return succeeded(fillTemplate(tagger.template, { value: (name) => values.get(name) }).text);
}
