import { createHash } from 'node:crypto';
import { hostname, userInfo } from 'node:os';
import { basename } from 'node:path';
import type { Kube, KubeObject } from '../clients';
import { labelValue } from '../deploy';
import type { Problem, ReleaseName } from '../model';
import type { Place } from './session';

export interface LeaseRequest {
  readonly kube: Pick<Kube, 'get' | 'list' | 'apply' | 'delete'>;
  /** Who wants to hold them: `holderOf`. */
  readonly holder: string;
  readonly places: readonly Place[];
  /** Takes what another holds. */
  readonly takeover: boolean;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** Another holds it from now on. Called once for each. */
  readonly onLost: (place: Place, holder: string) => void;
  /** Leases cannot be kept, and why: others are not kept out then. */
  readonly onNotice: (problem: Problem) => void;
}

export interface Leases {
  /** Those that were held and still are. */
  readonly held: () => readonly Place[];
  /** Takes these too, as soon as that is possible. */
  want(places: readonly Place[]): void;
  /** Takes these too, all or none; the problems when another holds some of them. */
  add(places: readonly Place[], takeover: boolean): Promise<readonly Problem[]>;
  /** Renews each, and takes those that could not be had before because their namespace was missing. */
  renew(): Promise<void>;
  /** Gives all back, or those of some releases. */
  release(releases?: ReadonlySet<ReleaseName>): Promise<void>;
}

/** As coordination.k8s.io/v1 has it, in seconds. One that is not renewed for so long is anybody's. */
const durationSeconds = 30;
/** How often to call `renew`. */
export const renewalMs = 10_000;

/** One user on one machine in one workspace: who starts again there holds what was held. */
export function holderOf(root: string): string {
  return `${userName()}@${hostname()}/${basename(root)}-${createHash('sha256').update(root).digest('hex').slice(0, 8)}`;
}

function userName(): string {
  try {
    return userInfo().username;
  } catch {
    // A user that no table of users knows, as in containers.
    return String(process.getuid?.() ?? 'somebody');
  }
}

/**
 * Keeps others out of what a `dev` works on, by a Lease for each release in its namespace. All are had, or none: then each one that another
 * holds is a problem, `releaseHeld`. Clocks of people who share a cluster should not be half a minute apart. What is renewed is one more Lease
 * in each namespace, the holder's own, whatever the number of releases there.
 */
export async function openLeases(request: LeaseRequest): Promise<Leases | readonly Problem[]> {
  let leases: readonly OneLease[] = [];
  const isNew = (place: Place): boolean => !leases.some((lease) => lease.isFor(place));
  const add = async (places: readonly Place[], takeover: boolean): Promise<readonly Problem[]> => {
    const more = places.filter(isNew).map((place) => new OneLease({ ...request, takeover }, place));
    const problems = (await Promise.all(more.map((lease) => lease.acquire()))).flatMap((problem) => problem ?? []);
    if (problems.length > 0) await each(more, (lease) => lease.release());
    else leases = [...leases, ...more];
    return problems;
  };
  const problems = await add(request.places, request.takeover);
  if (problems.length > 0) return problems;
  return {
    add,
    want(places) {
      const more = places.filter(isNew).map((place) => new OneLease(request, place));
      leases = [...leases, ...more];
      for (const lease of more) void lease.renew();
    },
    held: () => leases.filter(({ state }) => state === 'held').map(({ place }) => place),
    async renew() {
      await Promise.all(namespacesOf(leases).map((namespace) => renewIn(request, namespace, leases)));
    },
    async release(releases) {
      const given = leases.filter(({ place }) => releases?.has(place.release) ?? true);
      leases = leases.filter((lease) => !given.includes(lease));
      await each(given, (lease) => lease.release());
      const left = namespacesOf(leases);
      const gone = namespacesOf(given).filter((namespace) => !left.includes(namespace));
      await giveBackPulses(request, gone);
    },
  };
}

function namespacesOf(leases: readonly OneLease[]): readonly string[] {
  return [...new Set(leases.map(({ place: { namespace } }) => namespace))];
}

/** Says that the holder is there, and looks once who holds what. */
async function renewIn(request: LeaseRequest, namespace: string, all: readonly OneLease[]): Promise<void> {
  const { kube, holder, now } = request;
  const leases = all.filter(({ place }) => place.namespace === namespace);
  if (leases.some(({ state }) => state === 'held')) await kube.apply(pulseObject({ holder, namespace, at: now() }), { force: true });
  const found = await kube.list(leaseKind, { namespace, labelSelector: `${leaseLabel}=${heldRelease}` });
  const holders = found.ok ? new Map(found.value.map((lease) => [lease.metadata.name ?? '', holderIn(lease)])) : undefined;
  await each(leases, (lease) => lease.renew(holders));
}

async function each(leases: readonly OneLease[], act: (lease: OneLease) => Promise<void>): Promise<void> {
  await Promise.all(leases.map(act));
}

class OneLease {
  state: 'wanted' | 'held' | 'lost' | 'refused' = 'wanted';
  constructor(
    private readonly request: LeaseRequest,
    readonly place: Place,
  ) {}

  isFor({ release, namespace }: Place): boolean {
    return release === this.place.release && namespace === this.place.namespace;
  }

  /** The problem when another holds it; what else goes wrong is tried again by `renew`. */
  async acquire(): Promise<Problem | undefined> {
    const { holder, takeover, now } = this.request;
    // Who loses the race against another start looks again, and finds the winner.
    for (let tries = 0; tries < 3; tries += 1) {
      const found = await this.request.kube.get(leaseRef(this.place));
      if (!found.ok) {
        this.refuse(found.problem);
        return undefined;
      }
      const other = found.value && holderIn(found.value);
      if (found.value && other !== undefined && other !== holder && !takeover) {
        const idleMs = now() - (await heardOf(this.request, { lease: found.value, namespace: this.place.namespace, other }));
        if (idleMs < durationSeconds * 1000) return releaseHeld(this.place, { holder: other, idleMs });
      }
      if (await this.write(found.value?.metadata.resourceVersion)) return undefined;
      if (this.state === 'refused') return undefined;
    }
    return undefined;
  }

  /** `holders`: who holds which lease of the namespace; undefined when that is not known. */
  async renew(holders?: ReadonlyMap<string, string | undefined>): Promise<void> {
    if (this.state === 'wanted') {
      const problem = await this.acquire();
      if (problem) await this.lose();
      return;
    }
    if (this.state !== 'held' || !holders || holders.get(leaseRef(this.place).name) === this.request.holder) return;
    await this.lose();
  }

  async release(): Promise<void> {
    if (this.state !== 'held') return;
    this.state = 'wanted';
    await giveBackLeases(this.request, [this.place]);
  }

  /** Looks who holds it: this one again, when nobody else does. */
  private async lose(): Promise<void> {
    const found = await this.request.kube.get(leaseRef(this.place));
    if (!found.ok) return;
    const other = found.value && holderIn(found.value);
    if (other !== undefined && other !== this.request.holder) {
      this.state = 'lost';
      this.request.onLost(this.place, other);
      return;
    }
    await this.write(found.value?.metadata.resourceVersion);
  }

  /** Whether it was written; a version keeps others' changes from being written over. */
  private async write(version: string | undefined): Promise<boolean> {
    const { kube, holder, now } = this.request;
    const wanted = leaseObject(this.place, { holder, at: now(), ...(version !== undefined && { version }) });
    const written = await kube.apply(wanted, { force: true });
    if (!written.ok) {
      if (written.problem.code === 'objectConflict' || written.problem.code === 'objectNotFound') return false;
      this.refuse(written.problem);
      return true;
    }
    this.state = 'held';
    return true;
  }

  /** A namespace that is missing may come, and an API server that is away come back; what is forbidden stays so. */
  private refuse(problem: Problem): void {
    if (problem.code !== 'clusterRefused' && problem.code !== 'kindUnknown') return;
    if (this.state !== 'refused') this.request.onNotice(problem);
    this.state = 'refused';
  }
}

interface Heard {
  readonly lease: KubeObject;
  readonly namespace: string;
  readonly other: string;
}

/** When the other one, which holds a lease, gave a sign of life last. */
async function heardOf({ kube, now }: Asking, { lease, namespace, other }: Heard): Promise<number> {
  const at = renewedAt(lease);
  if (now() - at < durationSeconds * 1000) return at;
  const pulse = await kube.get(pulseRef(other, namespace));
  return Math.max(at, pulse.ok && pulse.value ? renewedAt(pulse.value) : 0);
}

type Asking = Pick<LeaseRequest, 'now'> & { readonly kube: Pick<Kube, 'get'> };

/** Whose `dev` has a release and gives signs of life, of this workspace or another; undefined when none has, or that cannot be read. */
export async function holderAlive({ kube, now }: Asking, place: Place): Promise<string | undefined> {
  const found = await kube.get(leaseRef(place));
  const lease = found.ok ? found.value : undefined;
  const other = lease && holderIn(lease);
  if (!lease || other === undefined) return undefined;
  const heardAt = await heardOf({ kube, now }, { lease, namespace: place.namespace, other });
  return now() - heardAt < durationSeconds * 1000 ? other : undefined;
}

/** Those that this holder has held before and has not given back: it was killed. */
export async function heldBefore(
  { kube, holder }: Pick<LeaseRequest, 'holder'> & { readonly kube: Pick<Kube, 'get'> },
  places: readonly Place[],
): Promise<readonly Place[]> {
  const found = await Promise.all(places.map((place) => kube.get(leaseRef(place))));
  return places.filter((_, index) => {
    const lease = found[index];
    return lease?.ok === true && lease.value !== undefined && holderIn(lease.value) === holder;
  });
}

/** Gives back what a `dev` held that has not come to it any more. */
export async function giveBackLeases(
  { kube, holder }: Pick<LeaseRequest, 'holder'> & { readonly kube: Pick<Kube, 'get' | 'delete'> },
  places: readonly Place[],
): Promise<void> {
  await Promise.all(
    places.map(async (place) => {
      const found = await kube.get(leaseRef(place));
      if (found.ok && found.value && holderIn(found.value) === holder) await kube.delete(leaseRef(place));
    }),
  );
}

/** Takes back the sign of life where nothing is held any more. */
export async function giveBackPulses(
  { kube, holder }: Pick<LeaseRequest, 'holder'> & { readonly kube: Pick<Kube, 'delete'> },
  namespaces: Iterable<string>,
): Promise<void> {
  await Promise.all([...new Set(namespaces)].map((namespace) => kube.delete(pulseRef(holder, namespace))));
}

const leaseKind = { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease' } as const;

/** One name for whatever workspace deploys such a release there: they would change the same objects. */
function leaseRef({ release, namespace }: Place): typeof leaseKind & { readonly name: string; readonly namespace: string } {
  return { ...leaseKind, name: `slipway-dev-${labelValue(release).toLowerCase().replaceAll('_', '-')}`, namespace };
}

function leaseObject(place: Place, of: { readonly holder: string; readonly at: number; readonly version?: string }): KubeObject {
  const { name, namespace } = leaseRef(place);
  return {
    ...leaseKind,
    metadata: {
      name,
      namespace,
      labels: { [leaseLabel]: heldRelease },
      ...(of.version !== undefined && { resourceVersion: of.version }),
    },
    spec: specOf(of),
  };
}

const leaseLabel = 'slipway.dev/lease';
const heldRelease = 'release';

/** The lease by which a holder tells that it is there. */
function pulseRef(holder: string, namespace: string): typeof leaseKind & { readonly name: string; readonly namespace: string } {
  return { ...leaseKind, name: `slipway-pulse-${createHash('sha256').update(holder).digest('hex').slice(0, 16)}`, namespace };
}

function pulseObject(of: { readonly holder: string; readonly namespace: string; readonly at: number }): KubeObject {
  const { name, namespace } = pulseRef(of.holder, of.namespace);
  return { ...leaseKind, metadata: { name, namespace, labels: { [leaseLabel]: 'pulse' } }, spec: specOf(of) };
}

function specOf({ holder, at }: { readonly holder: string; readonly at: number }): object {
  return {
    holderIdentity: holder,
    leaseDurationSeconds: durationSeconds,
    // The API wants microseconds.
    renewTime: new Date(at).toISOString().replace('Z', '000Z'),
  };
}

function holderIn({ spec }: KubeObject): string | undefined {
  const { holderIdentity } = (spec ?? {}) as { readonly holderIdentity?: string };
  return holderIdentity;
}

function renewedAt({ spec }: KubeObject): number {
  const { renewTime } = (spec ?? {}) as { readonly renewTime?: string };
  return renewTime === undefined ? 0 : Date.parse(renewTime);
}

function releaseHeld({ release, namespace }: Place, by: { readonly holder: string; readonly idleMs: number }): Problem {
  const seconds = Math.max(0, Math.round(by.idleMs / 1000));
  return {
    code: 'releaseHeld',
    message: `${release} in namespace ${namespace} is in the hands of the dev of ${by.holder}, heard of ${seconds} s ago`,
    hint: `wait until that one has ended (a dev that was killed is given up after ${durationSeconds} s), use another --namespace, or take it over with --takeover`,
    retry: 'never',
    exitCode: 1,
  };
}
