import type ChildProcess from 'node:child_process';
import type Fs from 'node:fs';
import type Net from 'node:net';

/**
 * The agent for containers that have Node. Its text is sent there and run by `node -e`, so it stands alone: nothing of this module
 * may be used in it, and nothing that Node 12 does not know (no `?.`, no `??`, no `node:` names).
 *
 * Guarantee: an existing file is written in place, its old content overwritten and then cut or grown to length, so a reader may see
 * the new beginning with the old end for a moment, never an empty file; a new file, a link, and a file that is asked to be atomic, appears
 * whole, by rename; so does one with a second name, which may be outside of what is synced.
 */
export function nodeAgent(load: NodeJS.Require, [name, header, folders, ...roots]: readonly string[]): void {
  const fs = load('fs') as typeof Fs;
  const path = load('path') as { readonly dirname: (path: string) => string; readonly join: (...parts: readonly string[]) => string };
  const temporary = '.slipway-new';
  const wholeBytes = 65536;

  function codeOf(error: unknown): string {
    const code = error instanceof Error ? (error as NodeJS.ErrnoException).code : undefined;
    return code === undefined ? String(error) : code;
  }

  function reasonOf(failure: unknown): string {
    return failure instanceof Error ? failure.message.replace(/\s+/g, ' ') : 'it could not be done';
  }

  function say(text: string, descriptor = 1): void {
    const bytes = Buffer.from(text);
    for (let sent = 0; sent < bytes.length;) {
      try {
        sent += fs.writeSync(descriptor, bytes, sent);
      } catch (error) {
        // Whoever started this process may have made the pipe one that does not wait.
        if (codeOf(error) !== 'EAGAIN') process.exit(1);
      }
    }
  }

  // ---- where files may go

  /** The real path of a directory, of which the last parts may not exist. */
  function realOf(directory: string): string {
    try {
      return fs.realpathSync.native(directory);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT' || directory === '/') throw error;
      return path.join(realOf(path.dirname(directory)), directory.slice(path.dirname(directory).length));
    }
  }

  const realRoots: string[] = [];

  function checkInside(real: string, directory: string): void {
    if (real === directory) return;
    if (realRoots.some((root) => real === root || real.startsWith(root === '/' ? '/' : `${root}/`))) return;
    throw new Error(`outside: it is reached through a link to ${real}`);
  }

  /** Directories of this part that were found to be where they seem to be. */
  let entered = new Set<string>();

  function enter(directory: string): void {
    if (entered.has(directory)) return;
    checkInside(realOf(directory), directory);
    fs.mkdirSync(directory, { recursive: true });
    // What a killed agent left.
    const leftover = path.join(directory, temporary);
    if (lstat(leftover)) fs.unlinkSync(leftover);
    entered.add(directory);
  }

  // ---- what is done to a path

  function lstat(file: string): Fs.Stats | undefined {
    try {
      return fs.lstatSync(file);
    } catch (error) {
      if (codeOf(error) === 'ENOENT' || codeOf(error) === 'ENOTDIR') return undefined;
      throw error;
    }
  }

  function remove(file: string): void {
    const stats = lstat(file);
    if (!stats) return;
    if (!stats.isDirectory()) {
      fs.unlinkSync(file);
      return;
    }
    entered = new Set();
    for (const child of fs.readdirSync(file, 'buffer')) removeIn(Buffer.from(file), child);
    fs.rmdirSync(file);
  }

  // Names that are not UTF-8 must go as well, so paths are bytes from here on.
  function removeIn(directory: Buffer, child: Buffer): void {
    const file = Buffer.concat([directory, Buffer.from('/'), child]);
    if (!fs.lstatSync(file).isDirectory()) {
      fs.unlinkSync(file);
      return;
    }
    for (const below of fs.readdirSync(file, 'buffer')) removeIn(file, below);
    fs.rmdirSync(file);
  }

  function removePath(file: string): void {
    const parent = path.dirname(file);
    if (!entered.has(parent) && !(fs.existsSync(parent) && fs.statSync(parent).isDirectory())) return;
    enter(parent);
    remove(file);
  }

  interface Target {
    readonly descriptor: number;
    readonly file: string;
    /** The file that is written, to be renamed when it is whole; the same as `file` when it is written in place. */
    readonly written: string;
    readonly mode: number;
  }

  function openTarget(file: string, mode: number, atomic: boolean): Target {
    const parent = path.dirname(file);
    enter(parent);
    // Nothing, or a link that leads nowhere, which the rename replaces, is not there.
    if (atomic) {
      const stats = lstat(file);
      if (stats && stats.isDirectory()) remove(file);
      enter(parent);
    } else if (fs.existsSync(file)) {
      try {
        const flags = fs.constants.O_WRONLY | fs.constants.O_NOFOLLOW | fs.constants.O_NONBLOCK;
        const descriptor = fs.openSync(file, flags);
        const stats = fs.fstatSync(descriptor);
        if (stats.isFile() && stats.nlink === 1) return { descriptor, file, written: file, mode };
        fs.closeSync(descriptor);
        // The other name of a file may be anywhere: it keeps what it has.
        if (!stats.isFile()) remove(file);
      } catch (error) {
        const code = codeOf(error);
        // A program that runs, or a file that may not be written, can still be replaced; anything that is no file goes.
        if (code !== 'ETXTBSY' && code !== 'EACCES' && code !== 'EPERM') remove(file);
      }
      enter(parent);
    }
    const written = path.join(parent, temporary);
    return { descriptor: fs.openSync(written, 'wx', mode), file, written, mode };
  }

  function writeAt(descriptor: number, bytes: Buffer, position: number): void {
    for (let done = 0; done < bytes.length;) done += fs.writeSync(descriptor, bytes, done, bytes.length - done, position + done);
  }

  function finishTarget(target: Target, size: number): void {
    if (target.written === target.file) {
      const stats = fs.fstatSync(target.descriptor);
      if (stats.size !== size) fs.ftruncateSync(target.descriptor, size);
      if ((stats.mode & 0o7777) !== target.mode) {
        try {
          fs.fchmodSync(target.descriptor, target.mode);
        } catch (error) {
          // Somebody else's file that we may write: its mode matters only where it says whether it can be run.
          if ((stats.mode & 0o100) !== (target.mode & 0o100)) throw error;
        }
      }
    }
    fs.closeSync(target.descriptor);
    if (target.written !== target.file) fs.renameSync(target.written, target.file);
  }

  function abandon(target: Target | undefined): void {
    if (!target) return;
    try {
      fs.closeSync(target.descriptor);
      if (target.written !== target.file) fs.unlinkSync(target.written);
    } catch (error) {
      // It was closed, or renamed, before it failed.
      if (codeOf(error) !== 'EBADF' && codeOf(error) !== 'ENOENT') throw error;
    }
  }

  function makeLink(file: string, text: string): void {
    enter(path.dirname(file));
    const stats = lstat(file);
    if (stats && stats.isDirectory()) remove(file);
    const made = path.join(path.dirname(file), temporary);
    fs.symlinkSync(text, made);
    fs.renameSync(made, file);
  }

  function makeDirectory(file: string, emptied: boolean): void {
    enter(path.dirname(file));
    const stats = lstat(file);
    if (stats && (emptied || !stats.isDirectory())) remove(file);
    if (!stats || emptied || !stats.isDirectory()) fs.mkdirSync(file, 0o755);
  }

  // ---- what comes in

  let unread: Buffer = Buffer.alloc(0);

  function* bytes(size: number): Generator<void, Buffer> {
    if (unread.length < size) {
      const pieces = [Buffer.from(unread)];
      let length = unread.length;
      while (length < size) {
        unread = Buffer.alloc(0);
        yield;
        pieces.push(Buffer.from(unread));
        length += unread.length;
      }
      unread = Buffer.concat(pieces);
    }
    // What comes in next is read into the same memory.
    const taken = Buffer.from(unread.subarray(0, size));
    unread = unread.subarray(size);
    return taken;
  }

  function* line(): Generator<void, string> {
    let end = unread.indexOf(10);
    while (end < 0) {
      yield;
      end = unread.indexOf(10);
    }
    const taken = unread.subarray(0, end).toString();
    unread = unread.subarray(end + 1);
    return taken;
  }

  function* contentEnd(): Generator<void, void> {
    if ((yield* line()) !== '.') throw new Error('the frames are out of step');
  }

  function* text(size: number): Generator<void, string> {
    const taken = yield* bytes(size);
    yield* contentEnd();
    return taken.toString();
  }

  /** Writes a file unless something is in the way already; whatever happens, its content has been read afterwards. Returns what went wrong. */
  function* receiveFile(
    file: string,
    { size, mode, atomic }: { readonly size: number; readonly mode: number; readonly atomic: boolean },
    obstacle: unknown,
  ): Generator<void, unknown> {
    let failure = obstacle;
    let target: Target | undefined;
    if (size <= wholeBytes) {
      // Read first: when the stream is cut now, nothing has been touched.
      const content = yield* bytes(size);
      yield* contentEnd();
      if (failure !== undefined) return failure;
      try {
        target = openTarget(file, mode, atomic);
        writeAt(target.descriptor, content, 0);
        finishTarget(target, size);
      } catch (error) {
        failure = error;
        abandon(target);
      }
      return failure;
    }
    try {
      if (failure === undefined) target = openTarget(file, mode, atomic);
    } catch (error) {
      failure = error;
    }
    for (let read = 0; read < size;) {
      if (unread.length === 0) yield;
      const piece = unread.subarray(0, size - read);
      unread = unread.subarray(piece.length);
      try {
        if (target && failure === undefined) writeAt(target.descriptor, piece, read);
      } catch (error) {
        failure = error;
      }
      read += piece.length;
    }
    yield* contentEnd();
    try {
      if (target && failure === undefined) finishTarget(target, size);
    } catch (error) {
      failure = error;
    }
    if (failure !== undefined) abandon(target);
    return failure;
  }

  function* operate(intention: string, obstacle: unknown): Generator<void, unknown> {
    const [kind, pathBytes, size, mode, flag] = (yield* line()).split(' ');
    const file = Number(pathBytes) > 0 ? yield* text(Number(pathBytes)) : intention.slice(4, -2);
    if (kind === 'f')
      return yield* receiveFile(file, { size: Number(size), mode: parseInt(String(mode), 8), atomic: flag === 'a' }, obstacle);
    const target = kind === 'l' ? yield* text(Number(size)) : '';
    if (obstacle !== undefined) return obstacle;
    try {
      if (kind === 'l') makeLink(file, target);
      else if (kind === '-') removePath(file);
      else makeDirectory(file, kind === 'e');
      return undefined;
    } catch (error) {
      return error;
    }
  }

  // ---- the ledger

  let ledger = '';
  let ledgerDescriptor = -1;

  function append(text: string): void {
    // It starts on a line of its own, whatever a kill has left of the one before.
    if (ledgerDescriptor >= 0) fs.writeSync(ledgerDescriptor, `\n${text}`);
  }

  function openLedger(): void {
    const files = String(folders)
      .split(':')
      .map((folder) => path.join(folder, String(name)));
    const begins = (file: string, text: string): boolean => {
      try {
        fs.accessSync(file, fs.constants.W_OK);
        return fs.readFileSync(file, 'utf8').startsWith(text);
      } catch {
        return false;
      }
    };
    const isOurs = (file: string): boolean => begins(file, `${String(header)}\n`);
    const isAnothers = (file: string): boolean => begins(file, 'slipway-ledger');
    const make = (file: string): boolean => {
      try {
        fs.writeFileSync(file, `${String(header)}\n`);
        return true;
      } catch {
        return false;
      }
    };
    const found = files.find(isOurs) || files.find(isAnothers) || files.find(make);
    if (found !== undefined) ledger = found;
  }

  /** The lines of another container are no more than a hint. */
  function adoptLedger(): void {
    const lines = fs.readFileSync(ledger, 'utf8');
    if (lines.split('\n')[0] !== header) {
      fs.writeFileSync(`${ledger}.new`, `${String(header)}\n${lines}\nslipway-another\t.\n`);
      fs.renameSync(`${ledger}.new`, ledger);
    }
    ledgerDescriptor = fs.openSync(ledger, 'a');
  }

  function replaceLedger(lines: string): void {
    if (ledger === '') return;
    fs.writeFileSync(`${ledger}.new`, lines);
    fs.renameSync(`${ledger}.new`, ledger);
    fs.closeSync(ledgerDescriptor);
    ledgerDescriptor = fs.openSync(ledger, 'a');
  }

  // ---- the agent before this one

  /** Whether a process runs, what started it, and when it began. */
  function aboutProcess(id: string): { readonly ended: boolean; readonly parent: string; readonly began: string } {
    try {
      const fields = fs
        .readFileSync(`/proc/${id}/stat`, 'latin1')
        .replace(/^.*\) /s, '')
        .split(' ');
      return { ended: fields[0] === 'Z', parent: String(fields[1]), began: String(fields[19]) };
    } catch {
      return { ended: true, parent: '', began: '' };
    }
  }

  function signal(id: string, name: 'SIGSTOP' | 'SIGKILL'): void {
    try {
      process.kill(Number(id), name);
    } catch {
      // It has ended by itself.
    }
  }

  /**
   * Its stream was lost, but it may still be busy with what it was sent: it must be gone, with what it started, before its ledger
   * is read. Each is stopped before those that it started are looked for, so that none is missed.
   */
  function endFormer(): void {
    let former = '';
    try {
      former = fs.readFileSync(`${ledger}.pid`, 'latin1');
    } catch {
      return;
    }
    const [id, began] = former.trim().split(' ');
    if (id === undefined || aboutProcess(id).ended || aboutProcess(id).began !== began) return;
    const family = new Set<string>();
    for (let found = [id]; found.length > 0;) {
      for (const each of found) {
        signal(each, 'SIGSTOP');
        family.add(each);
      }
      found = fs.readdirSync('/proc').filter((name) => /^\d+$/.test(name) && !family.has(name) && family.has(aboutProcess(name).parent));
    }
    family.forEach((each) => signal(each, 'SIGKILL'));
    family.forEach((each) => {
      while (!aboutProcess(each).ended);
    });
  }

  let self = '';

  function isStillHere(): boolean {
    try {
      return self === '' || fs.readFileSync(`${ledger}.pid`, 'latin1') === self;
    } catch {
      return false;
    }
  }

  /**
   * Another agent may have taken over while what this one was sent before its stream was lost was still on its way here: nothing of it
   * counts, and the ledger is the other's.
   */
  function checkStillHere(): void {
    if (!isStillHere()) process.exit(1);
  }

  function takeOver(): void {
    if (ledger === '') return;
    endFormer();
    try {
      adoptLedger();
    } catch {
      // No room for it: nothing is written down, as if there were no place for a ledger at all.
      ledger = '';
      return;
    }
    try {
      const own = `${process.pid} ${aboutProcess('self').began}\n`;
      fs.writeFileSync(`${ledger}.pid`, own);
      self = own;
      process.on('exit', () => {
        if (isStillHere()) fs.unlinkSync(`${ledger}.pid`);
      });
    } catch {
      // Who comes after will not know of this one; there is no room for its ledger either.
    }
  }

  // ---- the frames

  function* part(number: string, count: number, intentionBytes: number): Generator<void, void> {
    const intentions = (yield* bytes(intentionBytes)).toString();
    const lines = intentions.split('\n');
    checkStillHere();
    entered = new Set();
    let obstacle: unknown;
    try {
      append(intentions);
    } catch (error) {
      obstacle = new Error(`the ledger ${ledger} cannot be written: ${codeOf(error)}`);
    }
    const refused = new Set<number>();
    const answers: string[] = [];
    for (let index = 0; index < count; index++) {
      // Without its intention written down, nothing may be touched.
      const failure = yield* operate(String(lines[index]), obstacle);
      if (failure === undefined) continue;
      refused.add(index);
      answers.push(`r\t${number}\t${index}\t${reasonOf(failure)}\n`);
    }
    const [, recordBytes] = (yield* line()).split(' ');
    const records = (yield* bytes(Number(recordBytes))).toString();
    const done =
      refused.size === 0
        ? records
        : records
            .split(/(?<=\n)/)
            .filter((_, index) => !refused.has(index))
            .join('');
    try {
      append(done);
    } catch {
      // Without their records the paths stay uncertain, which is safe.
    }
    say(`${answers.join('')}k\t${number}\n`);
  }

  function runCommand(id: string, command: readonly string[]): void {
    const end = (code: number, output: string): void => say(`\n\x1erun\t${id}\t${code}\n${output}\n\x1eend\n`, 2);
    const [program, ...others] = command;
    // Small images have no kill but that of a shell.
    const asked = program === 'kill' ? /^(?:-(?:SIG)?([A-Z0-9]+) )?(\d+(?: \d+)*)$/.exec(others.join(' ')) : null;
    if (asked) {
      const signal = asked[1] === undefined ? 'SIGTERM' : /^\d+$/.test(asked[1]) ? Number(asked[1]) : `SIG${asked[1]}`;
      try {
        for (const id of String(asked[2]).split(' ')) process.kill(Number(id), signal);
        end(0, '');
      } catch (error) {
        end(1, String(error));
      }
      return;
    }
    const environment = Object.assign({}, process.env);
    delete environment.SLIPWAY_NODE_OPTIONS;
    if (process.env.SLIPWAY_NODE_OPTIONS) environment.NODE_OPTIONS = process.env.SLIPWAY_NODE_OPTIONS;
    const { spawn } = load('child_process') as typeof ChildProcess;
    const child = spawn(String(program), others, { stdio: ['ignore', 'pipe', 'pipe'], env: environment });
    let output = '';
    let over = false;
    const keep = (chunk: Buffer): void => {
      output = (output + chunk.toString()).slice(-wholeBytes);
    };
    child.stdout.on('data', keep);
    child.stderr.on('data', keep);
    const finish = (code: number): void => {
      if (!over) end(code, output);
      over = true;
    };
    child.on('error', (error) => {
      keep(Buffer.from(String(error)));
      finish(127);
    });
    child.on('close', (code) => finish(code === null ? 1 : code));
    // A command may leave something running that keeps its output open.
    child.on('exit', (code) => setTimeout(finish, 100, code === null ? 1 : code));
  }

  function* frames(): Generator<void, void> {
    for (;;) {
      const [word, first, second, third, fourth] = (yield* line()).split(' ');
      if (word === 'b') {
        yield* part(String(first), Number(third), Number(fourth));
      } else if (word === 'x') {
        const command: string[] = [];
        while (command.length < Number(second)) command.push(yield* text(Number(yield* line())));
        runCommand(String(first), command);
      } else if (word === 'c') {
        const lines = yield* text(Number(first));
        checkStillHere();
        replaceLedger(lines);
      } else {
        process.exit(word === 'q' ? 0 : 1);
      }
    }
  }

  // ---- hello

  /** `w` can be written, `o` is on a file system that is only read, `r` may not be written. */
  function stateOf(root: string): 'w' | 'o' | 'r' {
    for (let at = root; ; at = path.dirname(at)) {
      try {
        fs.accessSync(at, fs.constants.W_OK);
        return 'w';
      } catch (error) {
        const code = codeOf(error);
        // A file that may not be written can be replaced where its directory may be.
        const mayBeReplaced = code === 'EACCES' && at === root && fs.existsSync(root) && !fs.statSync(root).isDirectory();
        if ((code !== 'ENOENT' && !mayBeReplaced) || at === '/') return code === 'EROFS' ? 'o' : 'r';
      }
    }
  }

  process.umask(0o022);
  openLedger();
  takeOver();
  for (const root of roots) {
    try {
      realRoots.push(realOf(root));
    } catch {
      // A root that cannot be followed allows nothing beyond itself.
    }
  }
  const writable = roots.map((root, index) => `root\t${index}\t${stateOf(root)}\n`).join('');
  const user = process.geteuid ? String(process.geteuid()) : '';
  say(`user\t${user}\n${writable}ledger\t${ledger}\n${ledger === '' ? '' : fs.readFileSync(ledger, 'utf8')}\nready\n`);

  const reading = frames();
  reading.next();
  const take = (chunk: Buffer): void => {
    unread = unread.length === 0 ? chunk : Buffer.concat([unread, chunk]);
    reading.next();
  };
  // One buffer for all that comes in: those that streams make by themselves pile up to a hundred megabytes before they are collected.
  const onread = {
    buffer: Buffer.alloc(wholeBytes),
    callback: (length: number, buffer: Uint8Array): boolean => {
      take(Buffer.from(buffer.buffer, buffer.byteOffset, length));
      unread = Buffer.from(unread);
      return true;
    },
  };
  const options = { fd: 0, readable: true, writable: false, onread };
  const { Socket } = load('net') as typeof Net;
  const input = new Socket(options);
  // Before Node 12.10 there is only this way, and after it this says nothing.
  input.on('data', take);
  input.on('error', () => process.exit(0));
  input.on('end', () => process.exit(0));
}

/** The expression that a container's Node evaluates to get the function. */
export const nodeAgentSource = `(${nodeAgent.toString()})`;
