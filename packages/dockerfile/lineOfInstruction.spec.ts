import { lineOfInstruction } from './lineOfInstruction';

const dockerfile = `# syntax
FROM busybox:1.36 AS base
RUN echo one && \\
    # why
    echo two
COPY --chown=1:1 a b

FROM base
RUN twice
RUN twice
FROM node
RUN --network=none npm ci --omit dev
`;

it.each([
  ['RUN echo one &&     echo two', 3],
  ['COPY --chown=1:1 a b', 6],
  ['COPY a b', 6],
  ['FROM docker.io/library/busybox:1.36', 2],
  ['FROM docker.io/library/node:latest', 11],
  ['RUN twice', undefined],
  ['RUN --network=none npm ci --omit dev', 12],
  ['RUN nothing', undefined],
])('the line of %s is %s', (named, line) => {
  expect(lineOfInstruction(dockerfile, named)).toBe(line);
});
