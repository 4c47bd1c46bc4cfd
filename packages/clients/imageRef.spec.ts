import { parseImageRef } from './imageRef';

describe('parseImageRef', () => {
  it.each([
    ['alpine', 'docker.io', 'library/alpine', undefined, undefined],
    ['alpine:3', 'docker.io', 'library/alpine', '3', undefined],
    ['bitnami/redis', 'docker.io', 'bitnami/redis', undefined, undefined],
    ['docker.io/bitnami/redis:7', 'docker.io', 'bitnami/redis', '7', undefined],
    ['index.docker.io/library/redis', 'docker.io', 'library/redis', undefined, undefined],
    ['localhost/api', 'localhost', 'api', undefined, undefined],
    ['localhost:5000/shop/api:1.0', 'localhost:5000', 'shop/api', '1.0', undefined],
    ['registry.example/team/api@sha256:ab', 'registry.example', 'team/api', undefined, 'sha256:ab'],
    ['registry.example/api:1@sha256:ab', 'registry.example', 'api', '1', 'sha256:ab'],
    ['[::1]:5000/api', '[::1]:5000', 'api', undefined, undefined],
  ])('%s is of %s', (ref, registry, repository, tag, digest) => {
    expect(parseImageRef(ref)).toEqual({ registry, repository, tag, digest });
  });
});
