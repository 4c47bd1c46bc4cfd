import { isSeq, parseDocument } from 'yaml';

/** The text of the root's slipway.yaml with one more context allowed; what else stands in it stays, comments too. Undefined: it is no YAML. */
export function withAllowedContext(text: string | undefined, context: string): string | undefined {
  if (text === undefined || text.trim() === '') {
    const made = parseDocument(`version: 1
# Clusters that are not local, by the name of their context in the kubeconfig, that may be deployed to from here.
allowContexts: []
`);
    made.addIn(['allowContexts'], context);
    return made.toString();
  }
  const document = parseDocument(text);
  if (document.errors.length > 0) return undefined;
  const allowed = document.get('allowContexts');
  if (!isSeq(allowed)) document.set('allowContexts', document.createNode([context]));
  else if (allowed.toJSON().includes(context)) return text;
  else allowed.add(context);
  return document.toString({ lineWidth: 0 });
}
