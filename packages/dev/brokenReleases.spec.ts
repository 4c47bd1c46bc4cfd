import type { Problem, Release } from '../model';
import { withBrokenReleases, type Session } from './session';

const release = (name: string, more: Partial<Release> = {}): Release => ({
  name,
  project: name,
  sources: [],
  inputs: [],
  artifacts: [],
  ...more,
});
const mistake = (project: string): Problem => ({
  code: 'configInvalid',
  message: 'wrong',
  retry: 'whenInputChanges',
  exitCode: 2,
  project,
});

/** A workspace with a release, one whose image cannot be made, and a project whose config cannot be read. */
function sessionWith(options: Partial<Session['options']>): Session {
  const workspace = {
    releases: new Map([['web', release('web')]]),
    brokenReleases: new Map([['api', release('api', { namespace: 'shop' })]]),
    problems: [mistake('api'), mistake('db')],
  };
  return { options, read: { workspace } } as unknown as Session;
}

test('what cannot be deployed for want of its image is where its config says', () => {
  const { releases } = withBrokenReleases(sessionWith({})).read.workspace;
  expect([...releases.keys()]).toEqual(['web', 'api']);
  expect(releases.get('api')?.namespace).toBe('shop');
});

test('where a project is whose config cannot be read, only a flag says', () => {
  const { releases } = withBrokenReleases(sessionWith({ namespace: 'here' })).read.workspace;
  expect([...releases.keys()]).toEqual(['web', 'api', 'db']);
});
