import { forwardTo } from '../graph';
import type { PortForward, ReleaseName, SeenRelease, SeenService, World } from '../model';

/**
 * What is to be forwarded now: what configs name, and else the Services that are there, whichever tool has made them. The manifests say
 * beforehand at which local ports; one that only the cluster shows gets a port that nobody else wishes for, and keeps it while it is open.
 */
export function wantedForwards(
  { workspace, goal, releases }: Pick<World, 'workspace' | 'goal' | 'releases'>,
  open: readonly PortForward[],
): readonly PortForward[] {
  const written = byRelease(workspace?.forwards ?? []);
  const opened = byRelease(open);
  const wanted: PortForward[] = [];
  const toPlace: PortForward[] = [];
  const taken = new Set(open.map(({ localPort }) => localPort));
  for (const name of workspace?.releases.keys() ?? []) {
    const known = written.get(name) ?? [];
    const live = releases.get(name)?.live;
    const release = { known, open: opened.get(name) ?? [], live: live?.state === 'found' ? live.value : undefined };
    const named = workspace?.releases.get(name)?.namesForwards === true;
    const { placed, unplaced } = named ? { placed: known, unplaced: [] } : servicesOf(name, release);
    for (const { localPort } of release.live ? placed : known) taken.add(localPort);
    if (!goal.releases.has(name)) continue;
    wanted.push(...placed);
    toPlace.push(...unplaced);
  }
  for (const forward of toPlace) {
    let { localPort } = forward;
    while (taken.has(localPort)) localPort += 1;
    taken.add(localPort);
    wanted.push({ ...forward, localPort });
  }
  return wanted;
}

interface ReleaseForwards {
  /** Those that can be read from its manifests. */
  readonly known: readonly PortForward[];
  readonly open: readonly PortForward[];
  readonly live: SeenRelease | undefined;
}

/** The forwards of a release's Services: those that have a local port, and those that need one. */
function servicesOf(
  release: ReleaseName,
  { known, open, live }: ReleaseForwards,
): { readonly placed: readonly PortForward[]; readonly unplaced: readonly PortForward[] } {
  // For as long as nobody knows what is there, it stays as it is.
  if (!live) return { placed: open, unplaced: [] };
  if (!live.services) return { placed: known, unplaced: [] };
  const each = live.services.map((service) => {
    const wish = known.find((forward) => isTo(forward, service)) ?? open.find((forward) => isTo(forward, service));
    return wish ? { placed: { ...wish, namespace: service.namespace } } : { unplaced: forwardTo(service, release) };
  });
  return { placed: each.flatMap(({ placed }) => placed ?? []), unplaced: each.flatMap(({ unplaced }) => unplaced ?? []) };
}

/** A tool may put what a manifest says into another namespace. */
function isTo({ resource, namespace, port }: PortForward, service: SeenService): boolean {
  return resource === `service/${service.name}` && port === service.port.port && (namespace ?? service.namespace) === service.namespace;
}

function byRelease(forwards: readonly PortForward[]): ReadonlyMap<ReleaseName, readonly PortForward[]> {
  const lists = new Map<ReleaseName, PortForward[]>();
  for (const forward of forwards) {
    const list = lists.get(forward.release);
    if (list) list.push(forward);
    else lists.set(forward.release, [forward]);
  }
  return lists;
}
