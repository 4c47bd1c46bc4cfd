import { failed, fullName, nearest, succeeded, type LogChoice, type Result, type Workspace } from '../model';

/**
 * The services whose logs were asked for, by their full names. Those that only another `dev` of the workspace has may be among them: a
 * command that starts several gives all of them the same. Failures: `serviceUnknown`.
 */
export function shownLogs(choice: LogChoice, { releases, projects }: Pick<Workspace, 'releases' | 'projects'>): Result<LogChoice> {
  if (choice === 'all') return succeeded(choice);
  const services = [...releases.keys()];
  const names = choice.map((name) => fullName(name, services));
  // A mistake in its config may keep a project from being a service for now.
  const unknown = names.filter((name) => !releases.has(name) && !projects.has(name));
  const [only, ...others] = unknown;
  if (only === undefined) return succeeded(names);
  const meant = others.length > 0 ? undefined : nearest(only, services);
  return failed({
    code: 'serviceUnknown',
    message: `there is no service ${unknown.map((name) => `"${name}"`).join(' and ')} whose logs could be shown`,
    hint: meant === undefined ? `services: ${services.sort().join(', ')}` : `perhaps ${meant} was meant`,
    retry: 'never',
    exitCode: 2,
  });
}
