import { engineHead } from '.';

function parted(lines: readonly string[]): string | undefined {
  const head = engineHead(lines.join('\n'), {
    args: {},
    kindOf: (path) => (path === 'src' ? 'dir' : 'file'),
    triggersOf: (image) => (image === 'left' ? ['COPY . .'] : []),
    dockerfile: 'Dockerfile',
  });
  const rest = head?.rest.flatMap(({ instructions }) => instructions.map(({ keyword, text }) => `${keyword} ${text}`));
  return head && `${head.text.trimEnd().split('\n').length}: ${head.because} | ${rest?.join(', ') ?? ''}`;
}

describe('a Dockerfile is parted after the last instruction that needs an engine', () => {
  it.each<[string, readonly string[], string]>([
    ['RUN', ['FROM a', 'COPY p .', 'RUN npm ci', 'COPY src src', 'CMD x'], '3: RUN npm ci | COPY src src, CMD x'],
    ['the last RUN', ['FROM a', 'RUN one', 'COPY p .', 'RUN two', 'COPY src src'], '4: RUN two | COPY src src'],
    ['a RUN of several lines', ['FROM a', 'RUN one \\', ' && two', 'COPY src .'], '3: RUN one && two | COPY src .'],
    ['a RUN with a here-document', ['FROM a', 'RUN <<E', 'one', 'E', 'COPY src .'], '4: RUN <<E | COPY src .'],
    [
      'a file that ADD may unpack',
      ['FROM a', 'ADD x.tgz /', 'ADD src /src'],
      '2: ADD x.tgz, which may be an archive (COPY is not) | ADD src /src',
    ],
    [
      'what comes from a stage that needs one',
      ['FROM a AS b', 'RUN make', 'FROM c', 'COPY --from=b /x /', 'COPY src .'],
      '4: COPY --from=b | COPY src .',
    ],
    [
      'a RUN, when what is copied later comes from a stage that needs none',
      ['FROM a AS b', 'COPY p /p', 'FROM c', 'RUN make', 'COPY --from=b /p /'],
      '4: RUN make | COPY /p /',
    ],
    ['a RUN of a stage below', ['FROM a AS b', 'RUN make', 'ENV X=1', 'FROM b', 'COPY src .'], '2: RUN make | ENV X=1, COPY src .'],
    ['a RUN, when an ARG follows it', ['FROM a', 'RUN make', 'ARG X=src', 'COPY $X .'], '2: RUN make | ARG X=src, COPY $X .'],
  ])('%s', (_, lines, expected) => {
    expect(parted(lines)).toBe(expected);
  });

  it.each<[string, readonly string[]]>([
    ['nothing needs one', ['FROM a', 'COPY src .']],
    ['nothing is copied after it', ['FROM a', 'COPY src .', 'RUN make', 'CMD x']],
    ['a value that only the engine knows then is used after it', ['FROM a', 'ARG X=src', 'RUN make', 'COPY $X .']],
    ['the first part takes the Dockerfile itself', ['FROM a', 'COPY . .', 'RUN make', 'COPY src .']],
    ['the first part takes the Dockerfile by a pattern', ['FROM a', 'COPY D* .', 'RUN make', 'COPY src .']],
    ['a RUN sees the whole context', ['FROM a', 'RUN --mount=type=bind,target=/x make', 'COPY src .']],
    ['it is for another platform', ['FROM --platform=$BUILDPLATFORM a', 'RUN make', 'COPY src .']],
    ['its base depends on the platform', ['ARG TARGETARCH', 'FROM a-$TARGETARCH', 'RUN make', 'COPY src .']],
    ['triggers stand before it', ['FROM a', 'ONBUILD COPY x /', 'RUN make', 'COPY src .']],
    ['its base leaves triggers to it', ['FROM left', 'RUN make', 'COPY src .']],
    [
      'a stage that is copied from gets triggers, and nothing else needs one',
      ['FROM left AS b', 'FROM a', 'COPY src .', 'COPY --from=b /x /'],
    ],
    ['its syntax is another', ['# syntax=example/own', 'FROM a', 'RUN make', 'COPY src .']],
  ])('not when %s', (_, lines) => {
    expect(parted(lines)).toBeUndefined();
  });
});
