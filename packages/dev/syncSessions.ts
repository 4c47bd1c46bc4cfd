import { announce, announcementsFolder, askToStop, heard, type Announced } from '../clients';
import type { Problem } from '../model';
import type { CommandOptions, CommandResult, StopDocument, SyncSession } from './command';
import { withProblems } from './worstExit';

type Env = Readonly<Record<string, string | undefined>>;

export interface SessionAnnouncement {
  readonly env: Env;
  /** Gets a number where another session has it already. */
  readonly name: string;
  readonly say: () => Omit<SyncSession, 'name' | 'pid' | 'since'>;
  readonly onStop: () => void;
}

/** Makes a sync known to `slipway status` and `slipway sync --stop`, in any terminal of this user. */
export async function announceSession({ env, name, say, onStop }: SessionAnnouncement): Promise<{ close(): Promise<void> }> {
  const taken = new Set((await liveSessions(env)).map((session) => session.name));
  let own = name;
  for (let number = 2; taken.has(own); number += 1) own = `${name}-${String(number)}`;
  const since = Date.now();
  const session = (): SyncSession => ({ name: own, pid: process.pid, since, ...say() });
  const announcement = await announce({ folder: announcementsFolder(env), say: session, onStop });
  return { close: async () => announcement?.close(session()) };
}

/** The syncs that run now, the oldest first. */
export async function liveSessions(env: Env): Promise<readonly SyncSession[]> {
  return (await found(env)).map(({ session }) => session);
}

/** Ends a sync that runs elsewhere, and waits until it has ended. */
export async function stopSyncCommand({ env, name }: CommandOptions & { readonly name: string }): Promise<CommandResult<StopDocument>> {
  const all = await found(env);
  const wanted = all.find(({ session }) => session.name === name || String(session.pid) === name);
  if (!wanted)
    return {
      ...withProblems([
        noSession(
          name,
          all.map(({ session }) => session.name),
        ),
      ]),
      document: { stopped: [] },
    };
  const lastWords = await askToStop(wanted.path);
  return { exitCode: 0, problems: [], document: { stopped: [isSession(lastWords) ? lastWords : wanted.session] } };
}

interface Found {
  readonly path: string;
  readonly session: SyncSession;
}

async function found(env: Env): Promise<readonly Found[]> {
  const sessionIn = ({ path, said }: Announced): readonly Found[] => (isSession(said) ? [{ path, session: said }] : []);
  return (await heard(announcementsFolder(env))).flatMap(sessionIn).sort((a, b) => a.session.since - b.session.since);
}

/** Another version of Slipway may say other things of itself. */
function isSession(said: unknown): said is SyncSession {
  const { name, pid, since, folder, containers, files, problems } = (said ?? {}) as Partial<Record<keyof SyncSession, unknown>>;
  return (
    typeof name === 'string' &&
    typeof folder === 'string' &&
    [pid, since, files].every((each) => typeof each === 'number') &&
    Array.isArray(containers) &&
    Array.isArray(problems)
  );
}

function noSession(name: string, running: readonly string[]): Problem {
  return {
    code: 'sessionUnknown',
    message: `no sync session of this user has the name ${name}`,
    hint: running.length === 0 ? 'none runs' : `there are: ${running.join(', ')}`,
    retry: 'never',
    exitCode: 2,
  };
}
