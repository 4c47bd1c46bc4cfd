import type { Line } from '../clients';
import type { TimedDevOptions } from './command';
import type { Heritage } from './inheritance';
import {
  greeting,
  greetingIn,
  isOurVersion,
  otherVersion,
  partRequestOf,
  placeOf,
  silentLeader,
  type DevResult,
  type LeaderMessage,
  type MemberMessage,
} from './loopMessages';
import { withProblems } from './worstExit';

/** How it ended: by itself, or because whoever led is gone. `heritage`: what it has of the loop, when it had a part in it. */
export type FollowingEnd =
  { readonly kind: 'ended'; readonly result: DevResult } | { readonly kind: 'leaderGone'; readonly heritage: Heritage | undefined };

/** Somebody who leads says hello at once, unless it is suspended or busy with a large graph. */
const helloLimitMs = 30_000;

/** A part of the loop that another process leads: what happens there is told here, and what is asked for here is done there. */
export async function follow(line: Line, options: TimedDevOptions): Promise<FollowingEnd> {
  const place = await placeOf(options);
  if (!place.ok) {
    line.close();
    return ended([place.problem]);
  }
  const send = (message: MemberMessage): void => line.send(message);
  return new Promise((resolve) => {
    let joined = false;
    let leaderPid = 0;
    const forwarded: Heritage['forwarded'][number][] = [];
    let unclaimed: Heritage['unclaimed'] = [];
    const finish = (end: FollowingEnd): void => {
      clearTimeout(silence);
      options.signal.removeEventListener('abort', leave);
      line.close();
      resolve(end);
    };
    const leave = (): void => {
      if (joined) send({ kind: 'leave' });
      // Whoever leads sees the line close.
      else finish(ended([]));
    };
    const silence = setTimeout(() => finish(ended([silentLeader(undefined)])), helloLimitMs);
    if (options.signal.aborted) return leave();
    options.signal.addEventListener('abort', leave);
    line.onClose(() => finish({ kind: 'leaderGone', heritage: joined ? { forwarded, unclaimed } : undefined }));
    line.onMessage((said) => {
      const message = Object(said) as LeaderMessage;
      switch (message.kind) {
        case 'hello': {
          clearTimeout(silence);
          const leader = greetingIn(said);
          if (!leader || !isOurVersion(leader))
            return finish(ended([otherVersion(leader ?? { slipway: 'another version', protocol: 0, pid: 0 })]));
          leaderPid = leader.pid;
          send({ kind: 'join', request: partRequestOf(options), place: place.value, ...greeting() });
          return;
        }
        case 'joined':
          joined = true;
          options.report({ kind: 'notice', message: `a dev runs in this workspace (process ${leaderPid}): this one joins its loop` });
          options.onWishes?.((wish) => send({ kind: 'wish', wish }));
          return;
        case 'unclaimed':
          unclaimed = message.releases;
          return;
        case 'event':
          // The last of a port is the one that counts.
          if (message.event.kind === 'forwarded') forwarded.unshift(message.event);
          return options.report(message.event);
        case 'ended':
          return finish({ kind: 'ended', result: message.result });
      }
    });
  });
}

function ended(problems: DevResult['problems']): FollowingEnd {
  const stopped = problems.length === 0 ? 'interrupted' : 'preflight';
  return { kind: 'ended', result: { ...withProblems(problems), document: { stopped } } };
}
