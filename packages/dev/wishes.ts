import type { Report } from '../model';
import { containersByArtifact, viewOf } from '../plan';
import { count } from '../report';
import { failedEvent } from './narrator';
import type { Run } from './run';

/** Makes new images of services, whatever is there. */
export function rebuild(services: readonly string[], run: Run, report: Report): void {
  for (const name of artifactsOf(run, services)) {
    report({
      kind: 'decision',
      artifact: name,
      action: 'rebuild',
      files: [],
      containerPaths: [],
      because: 'as was asked for, from scratch',
    });
    run.loop.post({ kind: 'rebuildAsked', artifact: name });
  }
}

/** Brings what the containers of services should hold and do not. */
export function resync(services: readonly string[], run: Run, report: Report): void {
  for (const name of artifactsOf(run, services)) void compare(name, run, report);
}

/** Compares what the containers of an image really hold with what they should, and brings what differs. */
async function compare(name: string, run: Run, report: Report): Promise<void> {
  const world = run.loop.world();
  const artifact = world.workspace?.artifacts.get(name);
  const containers =
    containersByArtifact(world)
      .get(name)
      ?.filter(({ files, seen }) => files !== undefined && seen.running) ?? [];
  if (!artifact) return;
  const notice = (message: string): void => report({ kind: 'notice', subject: name, message });
  if (containers.length === 0) {
    notice('no container of it is connected, so there is nothing to compare');
    return;
  }
  const view = viewOf(world, artifact, containers);
  let wrong = 0;
  for (const container of containers) {
    const compared = await run.compare(container, view);
    if (!compared.ok) {
      report(failedEvent(compared.problem, name));
      continue;
    }
    const paths = compared.value.map(({ path }) => path);
    wrong += paths.length;
    if (paths.length > 0) run.loop.post({ kind: 'contentDoubted', container: container.seen.id, paths });
  }
  const where = containers.length === 1 ? 'its container' : `its ${containers.length} containers`;
  notice(
    wrong === 0
      ? `compared: ${where} hold${containers.length === 1 ? 's' : ''} the same as the files`
      : `compared: ${count(wrong, 'path')} in ${where} differed from the files, and ${wrong === 1 ? 'is' : 'are'} brought anew`,
  );
}

/** The images of services. */
function artifactsOf(run: Run, services: readonly string[]): readonly string[] {
  const { workspace } = run.loop.world();
  return [
    ...new Set(
      services.flatMap((service) => workspace?.releases.get(service)?.artifacts ?? (workspace?.artifacts.has(service) ? [service] : [])),
    ),
  ];
}
