import { stringify } from 'yaml';
import type { KubeObject } from '../clients';
import { waveOf, waves } from './kinds';

/** Objects in the order in which they are applied; those of one wave as their manifests have them. */
export function inApplyOrder(objects: readonly KubeObject[]): readonly KubeObject[] {
  return waves.flatMap((wave) => objects.filter((object) => waveOf(object) === wave));
}

/** Objects as YAML documents, with comments above each. The same text for the same objects. */
export function manifestStream(documents: readonly { readonly comments: readonly string[]; readonly object: KubeObject }[]): string {
  return documents
    .map(({ comments, object }) => {
      const above = comments.map((comment) => (comment === '' ? '#\n' : `# ${comment}\n`)).join('');
      // Kubernetes reads YAML 1.1, for which `yes` and `0777` are no text.
      return `---\n${above}${stringify(object, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false })}`;
    })
    .join('');
}
