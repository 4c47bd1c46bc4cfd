import { setTimeout as pause } from 'node:timers/promises';
import { openForward, type Forward } from '../forward';
import type { PortForward, Report, Workspace, World } from '../model';
import { failedEvent } from './narrator';
import { namespaceOf, type Session } from './session';

/** A local port that another program has is asked for again after this time. */
const portRetryMs = 2_000;

/** The local ports of a session. A release's are opened from the moment it is live, and stay while its pods come and go. */
export class Forwards {
  private readonly open = new Map<string, Forward | 'opening'>();
  private workspace: Workspace | undefined;

  constructor(
    private readonly session: Session,
    private readonly report: Report,
    private readonly signal: AbortSignal,
  ) {}

  update({ workspace, goal, releases }: World): void {
    const { kube } = this.session;
    if (!kube || !workspace) return;
    if (workspace !== this.workspace) this.closeBut(workspace.forwards);
    this.workspace = workspace;
    for (const wanted of workspace.forwards) {
      const key = keyOf(wanted);
      if (this.open.has(key) || !goal.releases.has(wanted.release)) continue;
      if (releases.get(wanted.release)?.live.state !== 'found') continue;
      const release = workspace.releases.get(wanted.release);
      if (!release) continue;
      this.open.set(key, 'opening');
      void this.openOne(wanted, { kube, namespace: wanted.namespace ?? namespaceOf(this.session, release) });
    }
  }

  /** Files were written in a pod: its process may start again, and what is connected to it with it. */
  mayRestart(...told: Parameters<Forward['mayRestart']>): void {
    for (const forward of this.open.values()) if (forward !== 'opening') forward.mayRestart(...told);
  }

  close(): void {
    this.closeBut([]);
  }

  private closeBut(wanted: readonly PortForward[]): void {
    const keys = new Set(wanted.map(keyOf));
    for (const [key, forward] of this.open) {
      if (keys.has(key)) continue;
      this.open.delete(key);
      if (forward !== 'opening') forward.close();
    }
  }

  /** Opens a forward, as often as it takes: another program may end, and leave its port. */
  private async openOne(
    wanted: PortForward,
    { kube, namespace }: { readonly kube: NonNullable<Session['kube']>; readonly namespace: string },
  ): Promise<void> {
    const { resource, port, localPort, strict, release, address, scheme } = wanted;
    const { report, signal } = this;
    const key = keyOf(wanted);
    const isWanted = (): boolean => !signal.aborted && this.open.get(key) === 'opening';
    let told = false;
    while (isWanted()) {
      const where = { ...(address !== undefined && { address }), ...(scheme && { scheme }) };
      const opened = await openForward({ kube, namespace, resource, port, localPort, strict, ...where });
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
      this.open.set(key, opened.value);
      if (told) report({ kind: 'mended', subject: release });
      if (moved)
        report({
          kind: 'notice',
          subject: release,
          message: `port ${localPort} is taken${holder === undefined ? '' : ` by ${holder}`}, so ${resource} is at ${taken}`,
        });
      report({ kind: 'forwarded', release, resource, port, localPort: taken, url });
    }
  }
}

function keyOf({ release, resource, namespace, port, localPort, strict, address }: PortForward): string {
  return JSON.stringify([release, resource, namespace, port, localPort, strict, address]);
}
