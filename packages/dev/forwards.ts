import { setTimeout as pause } from 'node:timers/promises';
import { openForward, type Forward, type ForwardState } from '../forward';
import type { Event, PortForward, Problem, ReleaseName, Report, Workspace, World } from '../model';
import { forwardKey, localPorts } from './localPorts';
import { failedEvent } from './narrator';
import { namespaceOf, type Session } from './session';
import { wantedForwards } from './wantedForwards';

/** A local port that another program has is asked for again after this time. */
const portRetryMs = 2_000;

type Forwarded = Extract<Event, { kind: 'forwarded' }>;

/** The local ports of a session. A release's are opened from the moment it is live, and stay while its pods come and go. */
export class Forwards {
  private readonly open = new Map<string, { readonly wanted: PortForward; readonly forward: Forward | 'opening' }>();
  private readonly told = new Map<string, Forwarded>();
  /** The latest try to open each, and what came of it. */
  private readonly tries = new Map<string, { readonly release: ReleaseName; readonly ended: Promise<Problem | undefined> }>();
  private seen: Pick<World, 'workspace' | 'goal' | 'releases'> | undefined;
  /** What the workspace describes, each with a local port of its own. */
  private described: readonly PortForward[] = [];
  private wanted: readonly PortForward[] = [];
  /** Local ports by the keys of what the workspace describes, or has described. */
  private ports: ReadonlyMap<string, number> = new Map();

  constructor(
    private readonly session: Session,
    private readonly report: Report,
    private readonly signal: AbortSignal,
    private readonly more: {
      /** Whether anybody wants the ports of a release. Default: somebody does. */
      readonly wants?: (release: ReleaseName) => boolean;
      /** Of a loop that has ended: what was at a port is there again when that is free, unless the config names one. */
      readonly before?: readonly Forwarded[];
    } = {},
  ) {}

  update(world: World): void {
    const { kube } = this.session;
    const { workspace, goal, releases } = world;
    if (!kube || !workspace) return;
    if (workspace !== this.seen?.workspace || goal !== this.seen.goal || releases !== this.seen.releases) {
      const open = [...this.open.values()].map(({ wanted }) => wanted);
      if (workspace !== this.seen?.workspace) this.described = this.placed(workspace, open);
      this.seen = { workspace, goal, releases };
      this.wanted = wantedForwards({ ...world, workspace: { ...workspace, forwards: this.described } }, open);
      this.closeBut(this.wanted);
    }
    for (const wanted of this.wanted) {
      const key = forwardKey(wanted);
      if (this.open.has(key) || this.more.wants?.(wanted.release) === false) continue;
      if (releases.get(wanted.release)?.live.state !== 'found') continue;
      const release = workspace.releases.get(wanted.release);
      if (!release) continue;
      this.open.set(key, { wanted, forward: 'opening' });
      void this.openOne(wanted, { kube, namespace: wanted.namespace ?? namespaceOf(this.session, release) });
    }
  }

  private placed({ forwards }: Workspace, open: readonly PortForward[]): readonly PortForward[] {
    const used = [...open, ...this.told.values()].map(({ localPort }) => localPort);
    this.ports = localPorts(forwards, { given: this.ports, used });
    return forwards.map((each) => ({ ...each, localPort: this.ports.get(forwardKey(each)) ?? each.localPort }));
  }

  /** Files were written in a pod: its process may start again, and what is connected to it with it. */
  mayRestart(...told: Parameters<Forward['mayRestart']>): void {
    for (const { forward } of this.open.values()) if (forward !== 'opening') forward.mayRestart(...told);
  }

  /** Those that are open, as they were told. */
  get current(): readonly Forwarded[] {
    return [...this.told.values()];
  }

  /** Why ports of releases could not be opened. Waits for those that are just being opened. */
  async problems(releases: ReadonlySet<ReleaseName>): Promise<readonly Problem[]> {
    const tries = [...this.tries.values()].filter(({ release }) => releases.has(release));
    const ended = await Promise.all(tries.map((each) => each.ended));
    return ended.flatMap((problem) => problem ?? []);
  }

  close(): void {
    this.closeBut([]);
  }

  /** Says why connections are refused, once, until there are pods again. */
  private tellerOf(release: ReleaseName): (state: ForwardState) => void {
    let said: string | undefined;
    return (state) => {
      if (state.kind === 'ready') said = undefined;
      if (state.kind !== 'refused' || state.problem.message === said || this.signal.aborted) return;
      const { message, hint } = state.problem;
      said = message;
      this.report({ kind: 'notice', subject: release, message, ...(hint !== undefined && { hint }) });
    };
  }

  private closeBut(wanted: readonly PortForward[]): void {
    const keys = new Set(wanted.map(forwardKey));
    for (const [key, { forward }] of this.open) {
      if (keys.has(key)) continue;
      this.open.delete(key);
      this.told.delete(key);
      this.tries.delete(key);
      if (forward !== 'opening') forward.close();
    }
  }

  /** Opens a forward, as often as it takes: another program may end, and leave its port. */
  private async openOne(
    wanted: PortForward,
    { kube, namespace }: { readonly kube: NonNullable<Session['kube']>; readonly namespace: string },
  ): Promise<void> {
    const { resource, port, strict, asked, release, address, scheme } = wanted;
    const isIt = (other: Forwarded): boolean => other.release === release && other.resource === resource && other.port === port;
    const localPort = (strict || asked ? undefined : this.more.before?.find(isIt)?.localPort) ?? wanted.localPort;
    const { report, signal } = this;
    const key = forwardKey(wanted);
    const isWanted = (): boolean => !signal.aborted && this.open.get(key)?.forward === 'opening';
    let told = false;
    while (isWanted()) {
      const where = { ...(address !== undefined && { address }), ...(scheme && { scheme }) };
      const onState = this.tellerOf(release);
      const opening = openForward({ kube, namespace, resource, port, localPort, strict, onState, ...where });
      this.tries.set(key, { release, ended: opening.then((tried) => (tried.ok ? undefined : tried.problem)) });
      const opened = await opening;
      if (!opened.ok) {
        if (!told) report(failedEvent(opened.problem, release));
        told = true;
        await pause(portRetryMs, undefined, { signal, ref: false }).catch(() => undefined);
        continue;
      }
      const { moved, holder, localPort: taken, url } = opened.value;
      if (!isWanted()) {
        opened.value.close();
        return;
      }
      this.open.set(key, { wanted, forward: opened.value });
      if (told) report({ kind: 'mended', subject: release });
      if (moved)
        report({
          kind: 'notice',
          subject: release,
          message: `port ${localPort} is taken${holder === undefined ? '' : ` by ${holder}`}, so ${resource} is at ${taken}`,
        });
      const forwarded = { kind: 'forwarded', release, resource, port, localPort: taken, url } as const;
      this.told.set(key, forwarded);
      report(forwarded);
    }
  }
}
