import { contentDigest, emptyDir, fileEntry, withEntries, type Artifact, type Problem } from '../model';
import { failedBuild } from './failedBuild';

const file = fileEntry({ digest: contentDigest(''), size: 0, mode: 0o644 });
const paths = ['Dockerfile', 'go.mod', 'main.go', 'price/price.go', 'web/main.go'];
const sources = withEntries(
  emptyDir,
  paths.map((path) => [`apps/pricing/${path}`, file] as const),
);
const text = [
  'FROM golang AS build',
  'WORKDIR /src',
  'COPY go.mod ./',
  'RUN go mod download',
  'COPY . .',
  'RUN go build',
  'RUN --mount=type=bind,target=/mnt --mount=src=web/main.go,dst=one.go,type=bind --mount=type=cache,target=/c go vet',
  'FROM scratch',
  'COPY --from=build /src/x /x',
].join('\n');
const artifact: Artifact = {
  name: 'pricing',
  project: 'pricing',
  image: 'shop/pricing',
  recipe: { builder: 'docker/1', context: 'apps/pricing', dockerfile: 'apps/pricing/Dockerfile', args: {} },
  inputs: [],
  requires: [],
  targets: [],
  after: [],
  reload: { kind: 'hot', because: 'it is a test' },
};

function told(detail: string, { line, noCache = false }: { readonly line?: number | undefined; readonly noCache?: boolean } = {}): Problem {
  const problem: Problem = {
    code: 'buildFailed',
    message: 'the build failed at RUN go build: exit code 1',
    retry: 'whenInputChanges',
    exitCode: 1,
    detail,
    location: { file: 'apps/pricing/Dockerfile', ...(line !== undefined && { line }) },
  };
  return failedBuild(problem, { artifact, sources, text, noCache });
}

describe('what a compiler says in a RUN', () => {
  it.each([
    ['relative to its working directory', './main.go:3:1: undefined: x', 6, 'apps/pricing/main.go:3:1: undefined: x'],
    ['in a folder below it', 'price/price.go:3: wrong', 6, 'apps/pricing/price/price.go:3: wrong'],
    ['by its whole path', '/src/price/price.go:3: wrong', 6, 'apps/pricing/price/price.go:3: wrong'],
    ['of what is not of the workspace', '/usr/local/go/fmt.go:3: wrong', 6, '/usr/local/go/fmt.go:3: wrong'],
    ['of what is copied only later', 'price/price.go:3: wrong', 4, 'price/price.go:3: wrong'],
    ['that it only mounts', '/mnt/price/price.go:3: wrong', 7, 'apps/pricing/price/price.go:3: wrong'],
    ['that it mounts alone', 'one.go:3: wrong', 7, 'apps/pricing/web/main.go:3: wrong'],
    ['when nobody knows which RUN it was', './main.go:3: wrong', undefined, './main.go:3: wrong'],
  ])('names the file %s', (_, detail, line, expected) => {
    expect(told(detail, { line }).detail).toBe(expected);
  });
});

it.each([
  'E: Failed to fetch http://deb.test/x.deb  404  Not Found',
  'E: Unable to locate package curl',
  'npm error code ETARGET',
  'ERROR: unable to select packages:',
])('%s smells of a step that was not run again: the command that runs them all is named', (detail) => {
  expect(told(detail).hint).toContain('slipway build pricing --no-cache');
  expect(told(detail, { noCache: true }).hint).toBeUndefined();
  expect(told('undefined: x').hint).toBeUndefined();
});
