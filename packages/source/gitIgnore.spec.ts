import { gitIgnore } from './gitIgnore';

describe('patterns of a .gitignore', () => {
  const cases: readonly {
    readonly patterns: readonly string[];
    readonly out: readonly string[];
    readonly stays: readonly string[];
  }[] = [
    { patterns: ['*.log'], out: ['a.log', 'deep/er/b.log'], stays: ['a.log.txt', 'log'] },
    { patterns: ['/build'], out: ['build', 'build/a'], stays: ['sub/build'] },
    { patterns: ['sub/x'], out: ['sub/x', 'sub/x/y'], stays: ['other/sub/x', 'x'] },
    { patterns: ['tmp/'], out: ['tmp/a', 'deep/tmp/a'], stays: ['tmp', 'deep/tmp'] },
    { patterns: ['a/**/b'], out: ['a/b', 'a/x/y/b'], stays: ['b', 'x/a/b'] },
    { patterns: ['*', '!keep.txt'], out: ['a', 'b/keep.txt'], stays: ['keep.txt'] },
    { patterns: ['dir', '!dir/keep'], out: ['dir/keep'], stays: ['keep'] },
    { patterns: ['# comment', '', '\\#file', 'end  ', 'kept\\ '], out: ['#file', 'end', 'kept '], stays: ['# comment', 'end  ', 'kept'] },
    { patterns: ['{a,b}', 'c(d)'], out: ['{a,b}', 'c(d)'], stays: ['a', 'cd'] },
    { patterns: ['*.log', 'a*c'], out: ['new\nline/x.log', 'a\nc'], stays: ['new\nline'] },
    { patterns: ['.env'], out: ['.env', 'sub/.env'], stays: ['.env.example'] },
  ];
  it.each(cases)('$patterns', ({ patterns, out, stays }) => {
    const isOut = gitIgnore(patterns);
    expect([...out, ...stays].filter((path) => isOut(path, 'file'))).toEqual(out);
  });
});
