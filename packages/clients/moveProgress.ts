import type { EngineMessage } from './engineMessages';

/** Layers of fewer bytes are there before anybody wonders. */
const largeBytes = 16 * 1024 * 1024;
const megabyte = 1024 * 1024;

/**
 * What of an engine's push or pull is worth a line: how far large layers are, by quarters, and that it tries again. The rest is a line or
 * three for each layer, of which most do not move at all.
 */
export function moveProgress(): (message: EngineMessage) => string | undefined {
  const quarters = new Map<string, number>();
  let counted = 0;
  return ({ id, status = '', progressDetail: { current, total } = {} }) => {
    const [, seconds] = /^Retrying in (\d+) seconds?$/.exec(status) ?? [];
    if (seconds !== undefined) {
      // It counts the seconds down, for each layer by itself; layers are a second apart at times.
      const isLater = Number(seconds) > counted + 1;
      counted = Number(seconds);
      return isLater ? status : undefined;
    }
    if (id === undefined || current === undefined || total === undefined) return undefined;
    if (total < largeBytes || !/^(Pushing|Downloading)$/.test(status)) return undefined;
    const quarter = Math.min(4, Math.floor((4 * current) / total));
    if ((quarters.get(id) ?? -1) >= quarter) return undefined;
    quarters.set(id, quarter);
    const moved = Math.min(current, total) / megabyte;
    return `${id}: ${status.toLowerCase()}, ${moved.toFixed(0)} of ${(total / megabyte).toFixed(0)} MB`;
  };
}
