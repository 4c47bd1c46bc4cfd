import type { PortForward, Release, ReleaseState, SeenService, World } from '../model';
import { wantedForwards } from './wantedForwards';

interface Deployed {
  readonly written?: readonly Partial<PortForward>[];
  readonly namesForwards?: true;
  /** Undefined: nobody looked for them; `absent`: the release is not there. */
  readonly services?: readonly SeenService[] | 'absent';
}

const service = (name: string, port = 80, namespace = 'shop'): SeenService => ({ name, namespace, port: { port } });
const forward = (release: string, name: string, more: Partial<PortForward> = {}): PortForward => ({
  ...{ release, resource: `service/${name}`, port: 80, localPort: 8080, strict: false },
  ...more,
});

function world(deployed: Readonly<Record<string, Deployed>>, goal = Object.keys(deployed)): Pick<World, 'workspace' | 'goal' | 'releases'> {
  const names = Object.keys(deployed);
  const releaseOf = (name: string): Release => ({
    ...{ name, project: name, sources: [], inputs: [], artifacts: [] },
    ...(deployed[name]?.namesForwards && { namesForwards: true }),
  });
  const stateOf = (name: string): ReleaseState => {
    const services = deployed[name]?.services;
    const seen = { fingerprint: 'f', appliedAt: 1, images: {}, rollout: { state: 'ready' } } as const;
    return {
      ...{ revision: 1, applied: undefined, uncertain: false },
      live: services === 'absent' ? { state: 'absent' } : { state: 'found', value: services ? { ...seen, services } : seen },
    };
  };
  return {
    workspace: {
      root: '/w',
      projects: new Map(),
      artifacts: new Map(),
      releases: new Map(names.map((name) => [name, releaseOf(name)])),
      targets: new Map(),
      forwards: names.flatMap((name) => (deployed[name]?.written ?? []).map((more) => forward(name, name, more))),
      problems: [],
    },
    goal: { kind: 'live', artifacts: new Set(), releases: new Set(goal) },
    releases: new Map(names.map((name) => [name, stateOf(name)])),
  };
}

const shown = (forwards: readonly PortForward[]): readonly string[] =>
  forwards.map(({ resource, namespace, port, localPort }) => `${namespace ?? ''} ${resource}:${port} at ${localPort}`);

describe('what is forwarded', () => {
  it.each<[string, Readonly<Record<string, Deployed>>, readonly string[]]>([
    [
      'a Service of a chart, of which no manifest tells',
      { api: { services: [service('redis', 6379)] } },
      ['shop service/redis:6379 at 6379'],
    ],
    [
      'one of a manifest, at the local port that is its own',
      { api: { written: [{ localPort: 8083 }], services: [service('api')] } },
      ['shop service/api:80 at 8083'],
    ],
    [
      'one that a tool gave another name and namespace, at the port of the one that it was made from',
      { api: { written: [{}], services: [service('dev-api', 80, 'team')] } },
      ['team service/dev-api:80 at 8080'],
    ],
    [
      'those of two charts, none at a port that a manifest wishes for',
      {
        api: { services: [service('api'), service('cache')] },
        web: { written: [{}], services: 'absent' },
        worker: { services: [service('worker')] },
      },
      ['shop service/api:80 at 8081', 'shop service/cache:80 at 8082', 'shop service/worker:80 at 8083'],
    ],
    [
      'what the config names, and nothing else',
      { api: { namesForwards: true, written: [{ resource: 'pod/x' }], services: [service('api')] } },
      [' pod/x:80 at 8080'],
    ],
    ['nothing, where the config says so', { api: { namesForwards: true, services: [service('api')] } }, []],
    ['nothing of a manifest that is not in the cluster', { api: { written: [{}], services: [] } }, []],
    ['what manifests tell, where nobody has looked for Services', { api: { written: [{}] } }, [' service/api:80 at 8080']],
  ])('%s', (_, deployed, expected) => {
    expect(shown(wantedForwards(world(deployed), []))).toEqual(expected);
  });

  it('is of the releases that are wanted', () => {
    expect(wantedForwards(world({ api: { services: [service('api')] }, web: { services: [service('web')] } }, ['web']), [])).toMatchObject([
      { release: 'web', localPort: 8080 },
    ]);
  });

  it('stays where it is while others come, and while the cluster does not answer', () => {
    const first = wantedForwards(world({ api: { services: 'absent' }, web: { services: [service('web')] } }), []);
    const both = wantedForwards(world({ api: { services: [service('api')] }, web: { services: [service('web')] } }), first);
    expect([...shown(both)].sort()).toEqual(['shop service/api:80 at 8081', 'shop service/web:80 at 8080']);
    expect(shown(wantedForwards(world({ api: { services: 'absent' }, web: { services: 'absent' } }), both)).length).toBe(2);
    expect(shown(wantedForwards(world({ api: { services: [] }, web: { services: [service('web')] } }), both))).toEqual([
      'shop service/web:80 at 8080',
    ]);
  });
});
