import { problemOfBuild } from './buildProblem';

describe('problemOfBuild', () => {
  it.each([
    [
      'failed to solve with frontend dockerfile.v0: failed to create LLB definition: dockerfile parse error line 3: unknown instruction: RUNN',
      3,
    ],
    ['failed to solve: dockerfile parse error on line 12: unknown instruction: RUNN (did you mean RUN?)', 12],
  ])('tells the line of a mistake in the Dockerfile: %s', (text, line) => {
    expect(problemOfBuild(text, undefined, 'apps/api/Dockerfile')).toMatchObject({
      code: 'buildFailed',
      retry: 'whenInputChanges',
      message: expect.stringContaining('unknown instruction: RUNN') as string,
      location: { file: 'apps/api/Dockerfile', line },
    });
  });

  it.each([
    ['failed to solve: write /var/lib/docker/tmp/x: no space left on device', undefined],
    ['failed to solve: process "/bin/sh -c npm ci" did not complete successfully: exit code: 228', 'npm error code ENOSPC'],
  ])('tells a full disk from a mistake: %s', (text, printed) => {
    const step = { instruction: 'RUN npm ci', error: text, printed: printed === undefined ? [] : [printed] };
    expect(problemOfBuild(text, step, 'Dockerfile')).toMatchObject({
      code: 'diskFull',
      message: 'no space is left where the image is built, at RUN npm ci',
      retry: 'afterDelay',
      instruction: 'RUN npm ci',
    });
  });

  it.each([
    [
      'failed to solve: nosuch:1: failed to resolve source metadata for docker.io/library/nosuch:1: docker.io/library/nosuch:1: not found',
      'docker.io/library/nosuch:1',
      'whenInputChanges',
    ],
    [
      'failed to solve with frontend dockerfile.v0: failed to create LLB definition: docker.io/x/y:1: pull access denied, repository does not exist or may require authorization',
      'docker.io/x/y:1',
      'whenInputChanges',
    ],
    [
      'failed to do request: Head "https://registry-1.docker.io/v2/library/x/manifests/1": dial tcp: lookup registry-1.docker.io: no such host',
      'docker.io/library/x:1',
      'afterDelay',
    ],
  ])('names the base image that cannot be had: %s', (text, image, retry) => {
    expect(problemOfBuild(text, undefined, 'Dockerfile')).toMatchObject({
      code: 'baseImageNotFound',
      message: expect.stringContaining(image) as string,
      retry,
    });
  });

  it('believes the step that looked a base image up', () => {
    const step = { instruction: 'load metadata for localhost:5000/base:1', error: '401 Unauthorized', printed: [] };
    expect(problemOfBuild('401 Unauthorized', step, 'Dockerfile')).toMatchObject({
      code: 'baseImageNotFound',
      message: 'there is no base image localhost:5000/base:1, or its registry wants a login',
    });
  });

  it('says once what a COPY does not find, and of a long script only its beginning', () => {
    const text = 'failed to solve: failed to compute cache key: "/gone" not found: not found';
    const copy = problemOfBuild(text, { instruction: 'COPY gone /x', error: text, printed: [] }, 'Dockerfile');
    expect(copy.message).toBe('the build failed at COPY gone /x: "/gone" not found');
    expect(copy).not.toHaveProperty('detail');
    const script = problemOfBuild('exit code: 1', { instruction: `RUN ${'x'.repeat(200)}`, error: 'x', printed: [] }, 'Dockerfile');
    expect(script.message).toBe(`the build failed at RUN ${'x'.repeat(75)}…: exit code 1`);
  });

  it('tells the command that failed and what it printed', () => {
    const step = { instruction: 'RUN make', error: 'x', printed: ['one', 'two'] };
    expect(problemOfBuild('executor failed running [/bin/sh -c make]: exit code: 2', step, 'Dockerfile')).toMatchObject({
      code: 'buildFailed',
      message: 'the build failed at RUN make: exit code 2',
      detail: 'one\ntwo',
      instruction: 'RUN make',
    });
  });
});
