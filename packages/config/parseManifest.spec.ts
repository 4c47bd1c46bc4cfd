import { parseManifest } from './parseManifest';

describe('what a manifest is parsed to', () => {
  const file = { path: 'k8s/all.yaml', text: 'a: 1\n---\nb: [\n---\nc: 3\n' };

  it('ends with the first document that has a mistake', () => {
    const { documents } = parseManifest(file, false);
    expect(documents.map(({ errors }) => errors.length > 0)).toEqual([false, true]);
  });

  it('is kept until it is asked for the last time, for the same text', () => {
    const first = parseManifest(file, true);
    expect(parseManifest({ ...file, text: 'a: 2\n' }, true)).not.toBe(first);
    const again = parseManifest(file, true);
    expect(parseManifest(file, true)).toBe(again);
    expect(parseManifest(file, false)).toBe(again);
    expect(parseManifest(file, false)).not.toBe(again);
  });
});
