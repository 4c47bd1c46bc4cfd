import { namedBases } from './namedBases';

const bases = { 'shop/base': 'localhost:5000/shop/base:1a2b@sha256:cd' };
const ref = bases['shop/base'];

describe('namedBases', () => {
  it.each([
    ['FROM shop/base', `FROM ${ref}`],
    ['from shop/base:latest AS build', `from ${ref} AS build`],
    ['FROM --platform=linux/amd64 shop/base', `FROM --platform=linux/amd64 ${ref}`],
    ['COPY --from=shop/base /a /b', `COPY --from=${ref} /a /b`],
    ['COPY --chown=1 --from=shop/base:x /a /b', `COPY --chown=1 --from=${ref} /a /b`],
    ['FROM localhost:5000/shop/base:latest', `FROM ${ref}`],
    ['FROM docker.io/shop/base', `FROM ${ref}`],
    ['FROM shop/base-other', 'FROM shop/base-other'],
    ['FROM other/shop/base', 'FROM other/shop/base'],
    ['FROM constructor', 'FROM constructor'],
    ['RUN echo FROM shop/base', 'RUN echo FROM shop/base'],
  ])('makes of %s', (before, after) => {
    const rest = '# syntax\n\nWORKDIR /x\n';
    expect(namedBases(`${rest}${before}\nRUN true\n`, bases)).toBe(`${rest}${after}\nRUN true\n`);
  });
});
