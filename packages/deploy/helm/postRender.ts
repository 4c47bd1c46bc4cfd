import { parse } from 'yaml';
import type { KubeObject } from '../../clients';
import { manifestStream } from '../manifestStream';

/** How helm 4 writes down which template a document is from; it needs it back. */
const fileAnnotation = 'postrenderer.helm.sh/postrender-filename';

/**
 * What helm is to install instead of what it has made: the objects that were tried, each with the template that it is from. helm 4 hands over
 * its hooks too; they stay as they are. Pure.
 */
export function postRender(made: string, objects: readonly KubeObject[]): string {
  const hooks: string[] = [];
  const files = new Map<string, { readonly file: string; readonly isAnnotated: boolean }>();
  for (const text of made.split(/^---$/m)) {
    const object = parse(text, { version: '1.1', prettyErrors: false, logLevel: 'silent' }) as Partial<KubeObject> | null;
    const { annotations } = object?.metadata ?? {};
    if (annotations?.['helm.sh/hook'] !== undefined) hooks.push(text.trim());
    const file = annotations?.[fileAnnotation] ?? /^# Source: (\S+)$/m.exec(text)?.[1];
    if (object && file !== undefined) files.set(keyOf(object), { file, isAnnotated: annotations?.[fileAnnotation] !== undefined });
  }
  const documents = objects.map((object) => {
    const { file, isAnnotated } = files.get(keyOf(object)) ?? {};
    if (file === undefined || isAnnotated !== true) return { comments: file === undefined ? [] : [`Source: ${file}`], object };
    const annotations = { ...object.metadata.annotations, [fileAnnotation]: file };
    return { comments: [], object: { ...object, metadata: { ...object.metadata, annotations } } };
  });
  return manifestStream(documents) + hooks.map((text) => `---\n${text}\n`).join('');
}

function keyOf({ apiVersion, kind, metadata }: Partial<KubeObject>): string {
  return `${apiVersion ?? ''} ${kind ?? ''} ${metadata?.name ?? ''}`;
}
