import { execFileSync } from 'node:child_process';
import { appendFileSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const size = 32 * 1024 ** 2;

/** A folder on a disk of its own, which can be full. */
export class SmallDisk {
  private readonly filler: string;

  private constructor(private readonly folder: string) {
    this.filler = join(folder, 'filler');
  }

  /** Undefined where this user cannot mount one. */
  static at(folder: string): SmallDisk | undefined {
    if (process.platform !== 'linux' || process.getuid?.() !== 0) return undefined;
    mkdirSync(folder, { recursive: true });
    try {
      execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${String(size)}`, 'slipway-e2e', folder], { stdio: 'pipe' });
    } catch {
      // A container may have root without the right to mount.
      return undefined;
    }
    return new SmallDisk(folder);
  }

  /** Leaves no room at all until the promise has settled. */
  async fullWhile(something: () => Promise<unknown>): Promise<void> {
    const block = Buffer.alloc(64 * 1024);
    try {
      for (let left = size; left >= 0; left -= block.length) appendFileSync(this.filler, block);
    } catch {
      // That is what it was about.
    }
    try {
      await something();
    } finally {
      rmSync(this.filler, { force: true });
    }
  }

  close(): void {
    // What still has a file open there is no reason to keep it.
    execFileSync('umount', ['--lazy', this.folder]);
  }
}
