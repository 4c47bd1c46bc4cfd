import type { GitVariant, Tagger } from '../model';
import { dateTimeTag, inputDigestTag, needsGit, sanitized, tagOf, type GitFacts, type TagSubject } from '.';

const git: GitFacts = {
  commit: '0123456789abcdef0123456789abcdef01234567',
  shortCommit: '0123456',
  described: 'release/1.2-3-g0123456',
  trees: new Map([
    ['', 'f'.repeat(40)],
    ['apps/api', 'abcdef0123456789abcdef0123456789abcdef01'],
  ]),
  changed: ['apps/web/index.html', 'libs/money/src/a.ts'],
};

const subject: TagSubject = {
  inputsHash: 'h',
  now: new Date(Date.UTC(2024, 1, 29, 23, 4, 5, 60)),
  env: { VERSION: '1.2', EMPTY: '', IMAGE_NAME: 'mine' },
  image: 'api',
  git,
  directory: 'apps/api',
  takes: (path) => path.startsWith('apps/api/'),
};

const gitCommit = (variant: GitVariant, more: { readonly prefix?: string; readonly ignoreChanges?: boolean } = {}): Tagger => ({
  kind: 'gitCommit',
  variant,
  prefix: '',
  ignoreChanges: false,
  ...more,
});

function tag(tagger: Tagger, more: Partial<TagSubject> = {}): string {
  const made = tagOf(tagger, { ...subject, ...more });
  return made.ok ? made.value : `${made.problem.code}: ${made.problem.message}`;
}

describe('the tag of an image', () => {
  const money = { takes: (path: string) => path.startsWith('libs/money/') };
  it.each<[string, string, Tagger, Partial<TagSubject>?]>([
    ['its content', inputDigestTag('h'), { kind: 'inputDigest' }],
    ['twelve digits of its content', `sha256-${inputDigestTag('h').slice(0, 12)}`, { kind: 'sha256' }],
    ['what git describes, with signs that a tag may have', 'release_1.2-3-g0123456', gitCommit('Tags')],
    ['the commit', git.commit, gitCommit('CommitSha')],
    ['the commit, abbreviated', '0123456', gitCommit('AbbrevCommitSha')],
    ['the tree of its project', 'abcdef0123456789abcdef0123456789abcdef01', gitCommit('TreeSha')],
    ['the tree of its project, abbreviated', 'abcdef0', gitCommit('AbbrevTreeSha')],
    ['the tree of the workspace for a project at its root', 'f'.repeat(40), gitCommit('TreeSha'), { directory: '' }],
    ['the commit after a prefix', 'v-0123456', gitCommit('AbbrevCommitSha', { prefix: 'v-' })],
    ['dirty when a file that it takes was changed, wherever that is', '0123456-dirty', gitCommit('AbbrevCommitSha'), money],
    ['not dirty when changes are to be ignored', '0123456', gitCommit('AbbrevCommitSha', { ignoreChanges: true }), money],
    [
      'the time of the run',
      '2024-03-01_00-04-05.06_CET',
      { kind: 'dateTime', format: '2006-01-02_15-04-05.999_MST', timezone: 'Europe/Berlin' },
    ],
    [
      'variables of the environment, and its own name',
      'api-1.2-x',
      { kind: 'envTemplate', template: '${IMAGE_NAME}-${VERSION}-${EMPTY:-x}' },
    ],
    [
      'a combination of others',
      `2024-02-29-0123456-${inputDigestTag('h')}`,
      {
        kind: 'custom',
        template: '${DAY}-${GIT}-${INPUT_DIGEST}',
        components: {
          DAY: { kind: 'dateTime', format: '2006-01-02', timezone: 'UTC' },
          GIT: { kind: 'gitCommit', variant: 'AbbrevCommitSha', prefix: '', ignoreChanges: false },
          UNUSED: { kind: 'envTemplate', template: '${NOT_SET}' },
        },
      },
    ],
  ])('can be %s', (_, expected, tagger, more = {}) => {
    expect(tag(tagger, more)).toBe(expected);
  });

  it.each<[string, string, Tagger, Partial<TagSubject>?]>([
    ['there is no commit', 'gitUnknown: image.tag is gitCommit, but', gitCommit('Tags'), { git: undefined }],
    [
      'the commit has nothing of the project',
      'gitUnknown: image.tag is the tree of apps/new',
      gitCommit('TreeSha'),
      { directory: 'apps/new' },
    ],
    ['a variable is not set', 'variableNotSet: image.tag.envTemplate needs the variable NOT', { kind: 'envTemplate', template: '${NOT}' }],
    ['the time zone is none', 'timezoneUnknown: ', { kind: 'dateTime', format: '2006', timezone: 'Mars' }],
    ['it is empty', 'tagInvalid: image.tag gives an empty text', { kind: 'envTemplate', template: '${EMPTY}' }],
    ['it has signs that no tag has', 'but not / a space', { kind: 'envTemplate', template: 'a/b c' }],
    ['it begins badly', 'a tag begins with', { kind: 'envTemplate', template: '-a' }],
    ['a component fails', 'gitUnknown', { kind: 'custom', template: 'v${GIT}', components: {} }, { git: undefined }],
  ])('is a problem when %s', (_, expected, tagger, more = {}) => {
    expect(tag(tagger, more)).toContain(expected);
  });

  it('needs git only when it is used', () => {
    expect(needsGit(gitCommit('Tags'))).toBe(true);
    expect(needsGit({ kind: 'custom', template: '${SHA}', components: {} })).toBe(false);
    expect(needsGit({ kind: 'custom', template: '${SHA}-${GIT}', components: {} })).toBe(true);
  });
});

it.each([
  ['release/1.2+build', 'release_1.2_build'],
  ['.-x', '__x'],
  ['x'.repeat(200), 'x'.repeat(128)],
])('git’s %s as a tag is %s', (ref, expected) => {
  expect(sanitized(ref)).toBe(expected);
});

describe('a date', () => {
  const at = (format: string, timezone = 'UTC') => {
    const made = dateTimeTag({ kind: 'dateTime', format, timezone }, new Date(Date.UTC(2024, 0, 5, 15, 4, 9, 70)));
    return made.ok ? made.value : made.problem.code;
  };
  it.each([
    ['2006 06 January Jan 01 1 02 _2 2 002 __2', '2024 24 January Jan 01 1 05  5 5 005   5'],
    ['Monday Mon 15 03 3 04 4 05 5 PM pm', 'Friday Fri 15 03 3 04 4 09 9 PM pm'],
    ['.000 .00 .9 .999 .000000', '.070 .07  .07 .070000'],
    ['MST Z07:00 -0700 -07', 'UTC Z +0000 +00'],
    ['plain text', 'plain text'],
  ])('%s is %s', (format, expected) => {
    expect(at(format)).toBe(expected);
  });

  it.each([
    ['America/New_York', '10 EST -05:00'],
    ['Asia/Kolkata', '20 IST +05:30'],
    ['America/Sao_Paulo', '12 -03 -03:00'],
  ])('in %s is %s', (timezone, expected) => {
    expect(at('15 MST -07:00', timezone)).toBe(expected);
  });
});
