import { array, constantFrom, oneof, option, record, tuple, type Arbitrary } from 'fast-check';
import type { EngineKind } from './builtImages';

const source = constantFrom(
  ...['a.txt', './b.txt', 'run.sh', 'dir', 'dir/', 'dir/.', './dir/sub', 'dir/sub/three.txt', 'dir/../b.txt', '../a.txt', '/dir/sub', '.'],
  ...['other', 'empty', 'link', 'dirlink', 'dirlink/sub', 'dir/inner', '*.txt', 'd*r', 'dir/*', 'dir/*/*.txt', '[ab].txt', 'o*/sub', '$F'],
);
const destination = constantFrom(
  ...[
    '/x',
    '/x/',
    '/x/y',
    '/x/one.txt',
    'x',
    'x/',
    '.',
    './',
    '/',
    '/x/.',
    '/etc',
    '/tmp/z',
    '/bin/',
    '$V',
    '${V}/q',
    '../u',
    'dir',
    '/a.txt',
  ],
);
const flagsOf: Readonly<Record<EngineKind, readonly string[]>> = {
  docker: ['--chown=1', '--chown=3:4', '--chmod=700', '--chmod=0640'],
  // A newer BuildKit gives the mode of --chmod to directories that it makes on the way too: with 755 all make them alike.
  buildkit: [
    ...['--chown=1', '--chown=3:4', '--chmod=755', '--link', '--exclude=*.md', '--exclude=sub', '--exclude=**/three.txt'],
    ...['--parents', '--parents --exclude=*.txt'],
  ],
};
const copyFor = (engine: EngineKind) =>
  record({
    keyword: constantFrom('COPY', 'COPY', 'ADD'),
    flag: option(constantFrom(...flagsOf[engine]), { nil: undefined, freq: 3 }),
    sources: array(source, { minLength: 1, maxLength: 2 }),
    destination,
  }).map(({ keyword, flag, sources, destination }) =>
    [keyword, flag, ...sources, destination].filter((word) => word !== undefined).join(' '),
  );
const fromStage = tuple(constantFrom('0', 'first'), constantFrom('/s', '/s/', '/s/one.txt', '/s/sub', '/s/*.txt', '/s/.'), destination).map(
  ([stage, from, to]) => `COPY --from=${stage} ${from} ${to}`,
);
const other = constantFrom(
  ...[
    'WORKDIR /w',
    'WORKDIR sub',
    'WORKDIR $V',
    'WORKDIR /x/y',
    'ENV V=/v',
    'ENV V=rel',
    'ARG V=/arg',
    'ENV F=dir',
    'ARG F=b.txt',
    'USER 5',
  ],
);
/** Dockerfiles over the context of `builtImages`, of instructions that the engine knows. Some of them no engine builds. */
export function dockerfilesFor(engine: EngineKind): Arbitrary<string> {
  return record({
    base: constantFrom('scratch', 'busybox:1.36'),
    lines: array(oneof({ weight: 5, arbitrary: copyFor(engine) }, { weight: 3, arbitrary: other }, { weight: 1, arbitrary: fromStage }), {
      minLength: 1,
      maxLength: 6,
    }),
  }).map(
    ({ base, lines }) =>
      `FROM scratch AS first\nCOPY dir /s\nCOPY run.sh /s/\nFROM ${base}\nENV F=a.txt V=/x\n${lines.join('\n')}\nCOPY a.txt /last/\n`,
  );
}

const part = constantFrom('*', '**', 'dir', 'sub', '*.txt', 'o*', 'one.txt', 't??.md', '[a-s]*', 'deep', '.', '..', 'd\\ir');
const ignoreLine = tuple(constantFrom('', '', '!', '/', '!/'), array(part, { minLength: 1, maxLength: 4 }), constantFrom('', '', '/'));

/** Lines of ignore files over the same context. */
export const ignoreFiles: Arbitrary<readonly string[]> = array(
  ignoreLine.map(([before, parts, after]) => `${before}${parts.join('/')}${after}`),
  { minLength: 1, maxLength: 4 },
);
