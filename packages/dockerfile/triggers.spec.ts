import { takesFiles } from './triggers';

it.each([
  ['COPY . /app', true],
  ['copy --chown=1:1 a /b', true],
  ['ADD a.tar /', true],
  ['RUN --mount=target=/src make', true],
  ['RUN --mount=type=cache,target=/x --mount=type=bind,target=/y make', true],
  ['COPY --from=busybox /bin/sh /sh', false],
  ['RUN --mount=type=bind,from=busybox,target=/b ls', false],
  ['RUN --mount=type=cache,target=/c make', false],
  ['RUN npm ci', false],
  ['WORKDIR /app', false],
])('of ONBUILD %s it is known whether it takes files: %s', (trigger, takes) => {
  expect(takesFiles(trigger)).toBe(takes);
});
