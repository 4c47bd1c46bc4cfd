import type { PortForward } from '../model';
import { forwardKey, localPorts } from './localPorts';

function forward(release: string, localPort: number, more: Partial<PortForward> = {}): PortForward {
  return { release, resource: `service/${release}`, port: 80, localPort, strict: false, ...more };
}

function given(
  forwards: readonly PortForward[],
  before: ReadonlyMap<string, number> = new Map(),
  used: readonly number[] = [],
): Readonly<Record<string, number | undefined>> {
  const ports = localPorts(forwards, { given: before, used });
  return Object.fromEntries(forwards.map((each) => [each.release, ports.get(forwardKey(each))]));
}

const first = (forwards: readonly PortForward[]) => localPorts(forwards, { given: new Map(), used: [] });

describe('local ports', () => {
  const all = [forward('worker', 8080), forward('web', 8080), forward('api', 8081, { strict: true })];

  it('are the same for the same services, whichever comes first', () => {
    expect(given(all)).toEqual({ api: 8081, web: 8080, worker: 8082 });
    expect(given([...all].reverse())).toEqual(given(all));
  });

  it('that the config names come before those that are only usual', () => {
    expect(given([forward('api', 8080), forward('web', 8080, { asked: true })])).toEqual({ api: 8081, web: 8080 });
  });

  it('stay with who has them when another service comes', () => {
    const before = first(all);
    const newcomers = [forward('admin', 8080), forward('blog', 8082, { asked: true })];
    expect(given([...newcomers, ...all], before)).toEqual({ ...given(all), admin: 8084, blog: 8083 });
  });

  it('that the session has for something else are not given', () => {
    expect(given([forward('web', 8080)], new Map(), [8080, 8081])).toEqual({ web: 8082 });
    expect(given(all, first(all), [8080, 8081, 8082])).toEqual(given(all));
  });

  it('wait for who has had them, and is not there at the moment', () => {
    const without = localPorts([forward('worker', 8080), forward('admin', 8080)], { given: first(all), used: [] });
    expect(given([forward('admin', 8080), ...all], without)).toEqual({ ...given(all), admin: 8083 });
  });

  it('that are demanded meanwhile are taken away', () => {
    expect(given([forward('admin', 8080, { strict: true }), ...all], first(all))).toEqual({
      admin: 8080,
      api: 8081,
      web: 8083,
      worker: 8082,
    });
  });

  it('are others when the config asks for others', () => {
    expect(given([forward('web', 9090, { asked: true })], first([forward('web', 8080)]))).toEqual({ web: 9090 });
  });
});
