import { inputDigestTag, isImage, nameOf, parseReference } from '.';

describe('parseReference', () => {
  const digest = `sha256:${'a'.repeat(64)}`;
  const table: readonly (readonly [string, ReturnType<typeof parts>])[] = [
    ['worker', parts({ repository: 'worker' })],
    ['shop/worker:1.2', parts({ repository: 'shop/worker', tag: '1.2' })],
    ['localhost:5000/shop/worker', parts({ registry: 'localhost:5000', repository: 'shop/worker' })],
    ['localhost/worker', parts({ registry: 'localhost', repository: 'worker' })],
    ['registry.example/a/b__c:t@' + digest, parts({ registry: 'registry.example', repository: 'a/b__c', tag: 't', digest })],
    ['[::1]:5000/a', parts({ registry: '[::1]:5000', repository: 'a' })],
    ['a@' + digest, parts({ repository: 'a', digest })],
  ];
  it.each(table)('%s', (text, expected) => {
    expect(parseReference(text)).toEqual({ ok: true, value: expected });
  });

  const wrong: readonly (readonly [string, string])[] = [
    ['', 'an empty text is not an image name: it has no name'],
    ['shop/Worker', 'Worker has upper-case letters'],
    ['shop//worker', 'two slashes in a row'],
    ['shop/wor..ker', 'wor..ker may only have lower-case letters'],
    ['worker:-x', 'a tag begins with a letter, a digit or an underscore'],
    ['worker:a+b c', 'a tag has letters, digits, dots, dashes and underscores, but not + a space'],
    [`worker:${'a'.repeat(129)}`, 'a tag has at most 128 characters, and this has 129'],
    ['worker:', 'it is empty'],
    ['worker@sha256:12', 'its digest is not of the form'],
    ['a'.repeat(256), 'longer than 255'],
  ];
  it.each(wrong)('refuses %j', (text, message) => {
    const result = parseReference(text);
    expect(result.ok ? '' : result.problem.message).toContain(message);
  });
});

function parts(given: { registry?: string; repository: string; tag?: string; digest?: string }) {
  return { registry: given.registry, repository: given.repository, tag: given.tag, digest: given.digest };
}

it('gives a name back without tag and digest', () => {
  const reference = parseReference('localhost:5000/a/b:t');
  expect(reference.ok && nameOf(reference.value)).toBe('localhost:5000/a/b');
});

describe('isImage', () => {
  const own = { image: 'shop/worker', repo: 'registry.example/team' };
  const table: readonly (readonly [string, boolean])[] = [
    ['shop/worker', true],
    ['shop/worker:latest', true],
    ['docker.io/shop/worker:1', true],
    [`shop/worker@sha256:${'a'.repeat(64)}`, true],
    ['registry.example/team/shop/worker:2', true],
    ['registry.example/team/shop_worker:2', true],
    ['registry.example/shop/worker', false],
    ['worker', false],
    ['shop/worker2', false],
  ];
  it.each(table)('%s: %s', (reference, expected) => {
    expect(isImage(reference, own)).toBe(expected);
  });

  it('knows what a name on Docker Hub may leave out', () => {
    expect(isImage('docker.io/library/worker:1', { image: 'worker', repo: undefined })).toBe(true);
  });
});

it('makes a tag that is valid, and another for other inputs', () => {
  expect(inputDigestTag('abc')).toMatch(/^[0-9a-f]{24}$/);
  expect(inputDigestTag('abc')).toBe(inputDigestTag('abc'));
  expect(inputDigestTag('abc')).not.toBe(inputDigestTag('abd'));
});
