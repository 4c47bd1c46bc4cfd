import { conflictOf, greeting, greetingIn, isOurVersion, otherVersion, type Place } from './loopMessages';

const place: Place = { context: 'kind-dev', server: 'https://127.0.0.1:6443', usualNamespace: 'default', keepsVolumes: false };

it('who deploys to the same place the same way joins', () => {
  expect(conflictOf(place, { ...place }, 7)).toBeUndefined();
});

it.each<[Partial<Place>, Partial<Place>, string]>([
  [{}, { context: 'staging' }, 'context kind-dev, not staging'],
  [{}, { server: 'https://10.0.0.1' }, 'the cluster at https://127.0.0.1:6443, not https://10.0.0.1'],
  [{ namespace: 'shop' }, {}, '--namespace shop, not the usual one'],
  [{}, { namespace: 'shop' }, 'no --namespace, where this one has shop'],
  [{}, { usualNamespace: 'team' }, 'the namespace of its context, default, not team'],
  [{ repo: 'r/a' }, { repo: 'r/b' }, '--default-repo r/a, not r/b'],
  [{ profiles: 'a,b' }, { profiles: 'a' }, '--profile a,b, not a'],
  [{ push: true }, { push: false }, '--push true, not false'],
  [{}, { keepsVolumes: true }, '--keep-volumes false, not true'],
])('a loop with %j is none for %j', (leader, member, difference) => {
  expect(conflictOf({ ...place, ...leader }, { ...place, ...member }, 7)).toMatchObject({
    code: 'loopElsewhere',
    message: `a dev runs in this workspace already (process 7), and its loop has ${difference}`,
    exitCode: 2,
  });
});

it('another version is known by its greeting', () => {
  const own = greeting();
  expect(isOurVersion(own)).toBe(true);
  const other = greetingIn({ ...own, kind: 'hello', slipway: '99.0.0' });
  expect(other && isOurVersion(other)).toBe(false);
  expect(other && otherVersion(other).message).toBe(
    `a dev of slipway 99.0.0 runs in this workspace already (process ${own.pid}), and this is ${own.slipway}: they have no language in common`,
  );
  expect(greetingIn({ kind: 'hello' })).toBeUndefined();
});
