import type { Artifact, Event, Goal, World } from '../model';
import { neverFollowed } from '../source';
import type { Attachment } from './attachment';
import { failedEvent } from './narrator';
import { noticesOf, problemsOf } from './selection';
import { namespaceOf } from './session';

/** Directories of a project that are named; the rest is counted. */
const namedDirectories = 4;

/** What a sync says first: where it is, what it watches, who gets it, and what it leaves out. */
export function introductionOf(attachment: Attachment, goal: Goal, world: World): readonly Event[] {
  const { session, folder } = attachment;
  const context = session.target?.context ?? '';
  if (folder) {
    const { localPath, remotePath, selector, namespace, exclude } = folder;
    return [
      notice(`context ${context}, namespace ${namespace}: ${localPath} → ${remotePath} in ${podsOf(world, selector) || selector}`),
      notice(`left out: ${[...neverFollowed, ...exclude].join(', ')}`),
    ];
  }
  const { workspace } = session.read;
  const events: Event[] = [
    notice(`context ${context}, namespace ${namespacesOf(attachment, goal).join(', ')}: nothing is built, applied or deleted`),
  ];
  for (const { release, name } of attachment.foreign.filter((each) => goal.releases.has(each.release))) {
    events.push({
      kind: 'notice',
      subject: release,
      message: `${name} was not deployed from here: what its image holds is compared with the files, and whether its process takes edits up is its own affair`,
    });
  }
  for (const name of goal.artifacts) {
    const artifact = attachment.workspace().artifacts.get(name);
    if (!artifact) continue;
    const pods = podsOf(world, name);
    if (pods !== '') events.push({ ...notice(`watches ${directoriesOf(artifact)} for ${pods}`), subject: name });
    if (artifact.reload.kind !== 'rebuild') continue;
    events.push({
      kind: 'notice',
      subject: name,
      message: `files are copied, but its process goes on with the old ones: ${artifact.reload.because}`,
      hint: 'slipway dev starts it so that it takes them up',
    });
  }
  const { options } = session;
  return [
    ...events,
    ...noticesOf(attachment.workspace(), options.projects),
    ...problemsOf(workspace, options.projects).map((problem) => failedEvent(problem, problem.artifact ?? problem.project ?? 'workspace')),
  ];
}

/** Where what is followed runs. */
export function namespacesOf({ session, folder }: Attachment, { releases }: Goal): readonly string[] {
  if (folder) return [folder.namespace];
  const { workspace } = session.read;
  const all = [...releases].flatMap((name) => {
    const release = workspace.releases.get(name);
    return release ? [namespaceOf(session, release)] : [];
  });
  return [...new Set(all)];
}

function notice(message: string): Extract<Event, { kind: 'notice' }> {
  return { kind: 'notice', message };
}

function podsOf(world: World, artifact: string): string {
  const own = [...world.containers.values()].filter(({ seen }) => seen.artifact === artifact);
  return own
    .map(({ seen }) => (seen.container === artifact ? seen.pod : `${seen.pod}/${seen.container}`))
    .sort()
    .join(', ');
}

/** `apps/web → /www, libs/theme → /www/theme`. */
function directoriesOf({ inputs }: Artifact): string {
  const copied = inputs.filter(({ onChange, containerPath }) => onChange === 'sync' && containerPath !== undefined);
  const all = [...new Set(copied.map(({ path, containerPath = '' }) => `${path === '' ? '.' : path} → ${containerPath}`))];
  const [named, more] = [all.slice(0, namedDirectories), all.length - namedDirectories];
  if (all.length === 0) return 'nothing that could be copied';
  return more > 0 ? `${named.join(', ')} and ${String(more)} more` : named.join(', ');
}
