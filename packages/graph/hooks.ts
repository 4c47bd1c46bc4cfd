import type { HookConfig } from '../config';
import type { Hook, HookStage } from '../model';
import { placeIn, type ProjectSettings } from './settings';
import { matchingOf } from './syncRules';
import { joinPath } from './workspaceFiles';

const usualTimeoutMs = 120_000;
const moments = ['before', 'after'] as const;

/** The hooks of a project at some stages, in the order of its config. */
export function hooksOf(settings: ProjectSettings, stages: readonly HookStage[]): readonly Hook[] {
  return stages.flatMap((stage) =>
    moments.flatMap((when) => [
      ...(settings.config.hooks?.[stage]?.[when] ?? []).map((hook, index) =>
        hookOf(hook, { stage, when, settings, keys: ['hooks', stage, when, index, 'run'] }),
      ),
      ...(stage === 'sync' && when === 'before' ? beforeSync(settings) : []),
    ]),
  );
}

/** Those of `sync.before` that are run here. */
function beforeSync(settings: ProjectSettings): readonly Hook[] {
  const { mode, before = [] } = settings.config.sync ?? {};
  if (mode === 'off') return [];
  return before.flatMap(({ where, ...command }, index) =>
    where === 'host' ? [hookOf(command, { stage: 'sync', when: 'before', settings, keys: ['sync', 'before', index, 'run'] })] : [],
  );
}

interface HookedAt extends Pick<Hook, 'stage' | 'when'> {
  readonly settings: ProjectSettings;
  /** Where its command stands in the config. */
  readonly keys: readonly (string | number)[];
}

function hookOf(hook: HookConfig, { stage, when, settings, keys }: HookedAt): Hook {
  const location = placeIn(settings, keys) ?? placeIn(settings, [...keys, 0]);
  const matching = hook.when && matchingOf(settings.project.root, hook.when, '');
  return {
    stage,
    when,
    run: hook.run,
    where: placeOf(hook, settings),
    timeoutMs: hook.timeout === undefined ? usualTimeoutMs : hook.timeout * 1000,
    ...(matching && { accepts: matching.matches }),
    ...(location && { location }),
  };
}

function placeOf({ container, pods, os, dir, env = {} }: HookConfig, { project }: ProjectSettings): Hook['where'] {
  const own = Object.fromEntries(Object.entries(env).map(([name, value]) => [name, String(value)]));
  if (container !== undefined) {
    return {
      kind: 'container',
      container,
      ...(pods !== undefined && { selector: pods }),
      ...(Object.keys(own).length > 0 && { env: own }),
    };
  }
  return {
    kind: 'host',
    ...(os && { os }),
    folder: dir === undefined ? project.root : joinPath(project.root, dir),
    env: own,
  };
}
