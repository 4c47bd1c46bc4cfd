import type { HookConfig } from '../config';
import type { Hook, HookStage } from '../model';
import { placeIn, type ProjectSettings } from './settings';
import { joinPath } from './workspaceFiles';

const usualTimeoutMs = 120_000;
const moments = ['before', 'after'] as const;

/** The hooks of a project at some stages, in the order of its config. */
export function hooksOf(settings: ProjectSettings, stages: readonly HookStage[]): readonly Hook[] {
  return stages.flatMap((stage) =>
    moments.flatMap((when) =>
      (settings.config.hooks?.[stage]?.[when] ?? []).map((hook, index): Hook => {
        const keys = ['hooks', stage, when, index, 'run'];
        const location = placeIn(settings, keys) ?? placeIn(settings, [...keys, 0]);
        return {
          stage,
          when,
          run: hook.run,
          where: placeOf(hook, settings),
          timeoutMs: hook.timeout === undefined ? usualTimeoutMs : hook.timeout * 1000,
          ...(location && { location }),
        };
      }),
    ),
  );
}

function placeOf({ container, pods, os, dir, env = {} }: HookConfig, { project }: ProjectSettings): Hook['where'] {
  if (container !== undefined) return { kind: 'container', container, ...(pods !== undefined && { selector: pods }) };
  return {
    kind: 'host',
    ...(os && { os }),
    folder: dir === undefined ? project.root : joinPath(project.root, dir),
    env: Object.fromEntries(Object.entries(env).map(([name, value]) => [name, String(value)])),
  };
}
