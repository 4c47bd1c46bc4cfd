import { needsEngine, type NeedsEngineOptions } from '.';

function need(lines: readonly string[], options: Partial<NeedsEngineOptions> = {}): string | undefined {
  const found = needsEngine(lines.join('\n'), {
    args: {},
    kindOf: (path) => (path === 'src' ? 'dir' : 'file'),
    ...options,
  });
  return found && `${found.line}: ${found.because}`;
}

describe('what only an engine can do', () => {
  it.each<[string, readonly string[], Partial<NeedsEngineOptions>]>([
    ['files are copied', ['FROM node:20', 'WORKDIR /app', 'COPY --chown=node . .', 'CMD ["node", "a.js"]'], {}],
    ['there is no base', ['FROM scratch', 'COPY a /a'], {}],
    ['ADD takes a directory', ['FROM a', 'ADD src /src'], {}],
    ['a stage that is not needed runs something', ['FROM a AS test', 'RUN test', 'FROM a', 'COPY a /'], {}],
    ['the target comes before what runs', ['FROM a AS dev', 'COPY a /', 'FROM dev', 'RUN build'], { target: 'dev' }],
    ['files come from a stage', ['FROM a AS one', 'COPY a /', 'FROM scratch', 'COPY --from=one /a /'], {}],
    ['the syntax is Docker’s own', ['# syntax=docker/dockerfile:1', 'FROM a', 'COPY a /'], {}],
    ['the platform is given', ['ARG TARGETARCH', 'FROM a-$TARGETARCH', 'ARG TARGETOS', 'COPY a /'], { platform: 'linux/amd64' }],
  ])('is nothing when %s', (_, lines, options) => {
    expect(need(lines, options)).toBeUndefined();
  });

  it.each<[string, readonly string[], string]>([
    ['RUN', ['FROM a', 'RUN npm  ci'], '2: RUN npm ci'],
    ['RUN in a stage that is copied from', ['FROM a AS b', 'RUN make', 'FROM scratch', 'COPY --from=b /x /'], '2: RUN make'],
    ['RUN in a stage that is mounted', ['FROM a AS b', 'RUN make', 'FROM a', 'RUN --mount=from=b ls'], '2: RUN make'],
    ['a file that ADD may unpack', ['FROM a', 'ADD app.tgz /'], '2: ADD app.tgz, which may be an archive (COPY is not)'],
    ['ADD from elsewhere', ['FROM a', 'ADD https://x.example/y /y'], '2: ADD https://x.example/y'],
    ['files of another image', ['FROM a', 'COPY --from=nginx /etc /etc'], '2: COPY --from=nginx'],
    ['a here-document', ['FROM a', 'COPY <<E /x', 'text', 'E'], '2: COPY of a here-document'],
    [
      'a destination that is a directory only to some engines',
      ['FROM a', 'COPY a /x/.'],
      '2: COPY to /x/., which some engines take for a file,',
    ],
    ['a mode in letters', ['FROM a', 'COPY --chmod=u+x a /'], '2: COPY --chmod=u+x'],
    ['a flag that is not known', ['FROM a', 'COPY --new=1 a /'], '2: COPY --new'],
    ['another syntax', ['# syntax=example/own', 'FROM a', 'COPY a /'], '1: its syntax is example/own'],
    ['a platform of a base', ['FROM --platform=linux/arm64 a', 'COPY a /'], '1: FROM --platform'],
    ['a base that depends on the platform', ['ARG TARGETARCH', 'FROM a-$TARGETARCH', 'COPY a /'], '2: a FROM that depends on the platform'],
    ['the platform as an argument', ['FROM a', 'ARG TARGETARCH', 'COPY a /'], '2: ARG TARGETARCH is known to the engine'],
    ['triggers for another stage', ['FROM a AS b', 'ONBUILD COPY x /', 'FROM b', 'COPY a /'], '2: ONBUILD in a stage that others stand on'],
  ])('is %s', (_, lines, expected) => {
    expect(need(lines)).toBe(expected);
  });
});
