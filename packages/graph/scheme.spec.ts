import { schemeOf, type PortNames } from './scheme';

test.each<[PortNames, 'http' | 'https' | undefined]>([
  [{ port: 80 }, 'http'],
  [{ port: 8080 }, 'http'],
  [{ port: 443 }, 'https'],
  [{ port: 6379 }, undefined],
  [{ port: 5432, name: 'postgres' }, undefined],
  [{ port: 7000, name: 'http' }, 'http'],
  [{ port: 7000, name: 'http-metrics' }, 'http'],
  [{ port: 8080, name: 'redis' }, undefined],
  [{ port: 8080, name: 'main', appProtocol: 'tcp' }, undefined],
  [{ port: 9000, appProtocol: 'https' }, 'https'],
  [{ port: 'web' }, 'http'],
  [{ port: 'redis' }, undefined],
])('%j is called by %s', (port, scheme) => {
  expect(schemeOf(port)).toBe(scheme);
});
