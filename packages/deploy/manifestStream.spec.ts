import { parseAllDocuments } from 'yaml';
import type { KubeObject } from '../clients';
import { inApplyOrder, manifestStream } from './manifestStream';

const object = (kind: string, apiVersion = 'v1', fields: object = {}): KubeObject => ({
  apiVersion,
  kind,
  metadata: { name: kind.toLowerCase() },
  ...fields,
});

describe('manifests as a stream', () => {
  test('come in the order in which they are applied', () => {
    const given = [
      object('Deployment', 'apps/v1'),
      object('Service'),
      object('CustomResourceDefinition', 'apiextensions.k8s.io/v1'),
      object('Namespace'),
    ];
    expect(inApplyOrder(given).map(({ kind }) => kind)).toEqual(['Namespace', 'CustomResourceDefinition', 'Service', 'Deployment']);
  });

  test('are read back as they were, also what YAML 1.1 would take for something else than text', () => {
    const data = { yes: 'no', mode: '0644', port: '22:22', long: 'a '.repeat(100), lines: 'one\ntwo\n', empty: '', date: '2026-01-01' };
    const config = object('ConfigMap', 'v1', { data });
    const text = manifestStream([
      { comments: ['first', ''], object: config },
      { comments: [], object: object('Service') },
    ]);
    expect(text.startsWith('---\n# first\n#\napiVersion: v1\n')).toBe(true);
    for (const version of ['1.1', '1.2'] as const) {
      const documents = parseAllDocuments(text, { version });
      expect(documents.map((document) => document.toJS() as unknown)).toEqual([config, object('Service')]);
    }
  });
});
