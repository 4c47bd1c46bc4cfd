import { createHash, hash } from 'node:crypto';
import { setImmediate } from 'node:timers/promises';
import {
  failed,
  fileEntry,
  succeeded,
  type ContainerPath,
  type Entry,
  type NotWritten,
  type Problem,
  type Result,
  type SyncChange,
} from '../model';
import type { Agent, AgentName, Applied, SyncBatch } from './agent';
import type { AgentStream, PartEnd } from './agentStream';
import { groupChanges, type Group } from './batches';
import { contentEnd, operationHead, partHead, partTail, runFrame, type Operation, type PartForm } from './frames';
import { recordLine, type Ledger } from './ledger';
import { agentLost, syncRefused } from './problems';
import type { Content } from './sourceReader';
import { tarArchive, type TarMember } from './tarArchive';

/** One change with its content in hand. */
interface Item {
  readonly operation: Operation;
  readonly bytes: Uint8Array;
  readonly entry: Entry | undefined;
}

interface SentPart {
  readonly number: number;
  readonly form: PartForm;
  readonly items: readonly Item[];
  readonly end: Promise<PartEnd>;
}

/** A batch while it is being sent. */
interface Sending {
  readonly parts: SentPart[];
  readonly skipped: ContainerPath[];
  readonly notWritten: NotWritten[];
  bytes: number;
  readMs: number;
  /** The stream was over before all was sent. */
  cut: boolean;
}

const noBytes = new Uint8Array(0);
/** What is written at once: enough to be cheap, little enough for a slow link to be felt. */
const writtenBytes = 256 * 1024;
const archiveBlock = 65536;

/** An agent that has said hello. */
export class RunningAgent implements Agent {
  /** Modes of files that were set or told, so that setting them again can be saved. Not known of a path that something is on its way to. */
  private readonly modes = new Map<ContainerPath, number>();
  /** The part on its way that was the last to change a path. */
  private readonly lastPartOf = new Map<ContainerPath, number>();
  private readonly halfDone: Set<ContainerPath>;
  /** What could not be written: an archive fails as a whole, so they go by themselves from then on. */
  private readonly refused = new Set<ContainerPath>();
  private sentBefore: Promise<void> = Promise.resolve();
  private ranBefore: Promise<unknown> = Promise.resolve();
  private lastPart = 0;
  private lastRun = 0;

  constructor(
    readonly name: AgentName,
    readonly hello: Agent['hello'],
    private readonly stream: AgentStream,
    /** The container, for people. */
    private readonly where: string,
    ledger: Ledger,
  ) {
    for (const [path, entry] of ledger.entries) if (entry?.kind === 'file') this.modes.set(path, entry.mode);
    this.halfDone = new Set(ledger.halfDone);
  }

  async apply(batch: SyncBatch, signal?: AbortSignal): Promise<Result<Applied>> {
    const sending: Sending = { parts: [], skipped: [], notWritten: [], bytes: 0, readMs: 0, cut: false };
    const before = this.sentBefore;
    const sent = before.then(() => this.send(batch, sending, signal));
    this.sentBefore = sent.then(() => undefined);
    const { startedAt, sentAt } = await sent;
    const holds: (readonly [ContainerPath, Entry | undefined])[] = [];
    for (const part of sending.parts) {
      const end = await part.end;
      if (end.kind === 'lost') return failed(this.lost());
      sending.notWritten.push(...this.acknowledged(part, end.refused, holds));
    }
    if (sending.cut) return failed(this.lost());
    const timing = { read: sending.readMs, send: sentAt - startedAt - sending.readMs, apply: performance.now() - sentAt };
    const { skipped, notWritten } = sending;
    return succeeded({ holds, skipped, notWritten, bytes: sending.bytes, timing });
  }

  async run(command: readonly string[]): Promise<Result<{ readonly exitCode: number; readonly output: string }>> {
    const id = ++this.lastRun;
    const ended = this.ranBefore.then(async () => {
      const end = this.stream.runEnd(id);
      await this.alone(() => this.stream.write(runFrame(id, command)));
      return end;
    });
    this.ranBefore = ended;
    const end = await ended;
    return end ? succeeded({ exitCode: end.exitCode, output: end.output }) : failed(this.lost());
  }

  close(): Promise<void> {
    return this.stream.close();
  }

  private lost(): Problem {
    return agentLost(this.where, this.stream.ending);
  }

  /** Frames of two batches must not mix: whoever sends waits for those before. */
  private alone(send: () => Promise<void>): Promise<void> {
    this.sentBefore = this.sentBefore.then(send);
    return this.sentBefore;
  }

  private async send(
    batch: SyncBatch,
    sending: Sending,
    signal: AbortSignal | undefined,
  ): Promise<{ readonly startedAt: number; readonly sentAt: number }> {
    const startedAt = performance.now();
    const changes = batch.changes.filter((change) => {
      if (isContainerPath(change.path)) return true;
      const problem = syncRefused(this.where, change.path, 'it is not an absolute path below the root', '');
      sending.notWritten.push({ path: change.path, problem });
      return false;
    });
    const groups = groupChanges(changes, { agent: this.name, halfDone: this.halfDone, refused: this.refused });
    for (const [index, group] of groups.entries()) {
      if (this.stream.isOver) {
        sending.cut = true;
        break;
      }
      if (signal?.aborted === true) {
        sending.skipped.push(...groups.slice(index).flatMap((left) => left.changes.map(({ path }) => path)));
        break;
      }
      // Reading does not give way by itself: others get their turn, and acknowledgements theirs.
      if (index > 0) await setImmediate();
      await this.sendGroup(group, batch, sending);
    }
    return { startedAt, sentAt: performance.now() };
  }

  private async sendGroup(group: Group, batch: SyncBatch, sending: Sending): Promise<void> {
    const readFrom = performance.now();
    const items: Item[] = [];
    const large: { readonly change: SyncChange; readonly content: Extract<Content, { kind: 'stream' }> }[] = [];
    for (const change of group.changes) {
      if (change.after?.kind !== 'file') {
        items.push({ operation: this.operationOf(change), bytes: noBytes, entry: change.after });
        continue;
      }
      const read = batch.read(change);
      if (!read.ok) sending.notWritten.push({ path: change.path, problem: read.problem });
      else if (!read.value) sending.skipped.push(change.path);
      else if (read.value.kind === 'stream') large.push({ change, content: read.value });
      else items.push(this.fileItem(change, change.after.mode, read.value.bytes));
    }
    sending.readMs += performance.now() - readFrom;
    if (items.length > 0) await this.sendPart(group.form, items, sending);
    for (const { change, content } of large) await this.sendLarge(change, content, sending);
  }

  private fileItem(change: SyncChange, mode: number, bytes: Uint8Array): Item {
    const entry = fileEntry({ digest: hash('sha256', bytes), size: bytes.length, mode });
    return { operation: this.fileOperation(change, entry.mode, bytes.length), bytes, entry };
  }

  private fileOperation({ path, write }: SyncChange, mode: number, size: number): Operation {
    return { kind: 'f', path, size, mode, setMode: this.modes.get(path) !== mode, atomic: write === 'atomic' };
  }

  private operationOf({ path, after }: SyncChange): Operation {
    if (after?.kind === 'link') return { kind: 'l', path, target: after.target };
    if (after?.kind === 'dir') return { kind: this.halfDone.has(path) ? 'e' : 'd', path };
    return { kind: '-', path };
  }

  private async sendPart(form: PartForm, items: readonly Item[], sending: Sending): Promise<void> {
    const number = ++this.lastPart;
    const operations = items.map(({ operation }) => operation);
    const pieces: Uint8Array[] = [Buffer.from(partHead(number, form, operations))];
    if (form === 't') {
      const archive = tarArchive(items.map(memberOf), archiveBlock);
      pieces.push(Buffer.from(`${archive.length} ${modeToSet(operations)}\n`), archive, Buffer.from(contentEnd));
    }
    if (form === 'o') {
      for (const { operation, bytes } of items) {
        pieces.push(Buffer.from(operationHead(operation)));
        if (operation.kind === 'f') pieces.push(bytes, Buffer.from(contentEnd));
      }
    }
    pieces.push(Buffer.from(partTail(items.map(({ operation, entry }) => recordLine(operation.kind, operation.path, entry)))));
    for (const { bytes } of items) sending.bytes += bytes.length;
    sending.parts.push({ number, form, items, end: this.stream.partEnd(number) });
    for (const { operation } of items) this.isOnItsWay(operation.path, number);
    const whole = Buffer.concat(pieces);
    for (let at = 0; at < whole.length; at += writtenBytes) await this.stream.write(whole.subarray(at, at + writtenBytes));
    this.stream.allSent(number);
  }

  /**
   * Sends a file that is too large to hold, with the size it had when it was opened: what grew meanwhile is cut, what shrank is
   * filled with zeros, so that the frames stay in step. What counts is the digest of what was sent.
   */
  private async sendLarge(change: SyncChange, { size, chunks }: Extract<Content, { kind: 'stream' }>, sending: Sending): Promise<void> {
    const { path, after } = change;
    const number = ++this.lastPart;
    const mode = after?.kind === 'file' ? after.mode : 0o644;
    const operation = this.fileOperation(change, mode, size);
    const end = this.stream.partEnd(number);
    this.isOnItsWay(path, number);
    await this.stream.write(`${partHead(number, 'o', [operation])}${operationHead(operation)}`);
    const hashing = createHash('sha256');
    let sent = 0;
    const sendPiece = async (piece: Uint8Array): Promise<void> => {
      hashing.update(piece);
      sent += piece.length;
      await this.stream.write(piece);
    };
    // A source that stalls must not keep a lost stream from being told.
    let forget: () => void = () => undefined;
    const over = new Promise<undefined>((resolve) => (forget = this.stream.whenOver(() => resolve(undefined))));
    const source = chunks[Symbol.asyncIterator]();
    try {
      while (sent < size) {
        const next = await Promise.race([source.next(), over]);
        if (!next || next.done === true) break;
        await sendPiece(next.value.subarray(0, size - sent));
      }
    } catch (error) {
      const problem = syncRefused(this.where, path, `its source could not be read to its end: ${String(error)}`, this.hello.user);
      sending.notWritten.push({ path, problem });
    }
    forget();
    void source.return?.();
    while (sent < size && !this.stream.isOver) await sendPiece(new Uint8Array(Math.min(size - sent, writtenBytes)));
    const entry = fileEntry({ digest: hashing.digest('hex'), size, mode });
    sending.bytes += size;
    sending.parts.push({ number, form: 'o', items: [{ operation, bytes: noBytes, entry }], end });
    await this.stream.write(`${contentEnd}${partTail([recordLine('f', path, entry)])}`);
    this.stream.allSent(number);
  }

  private isOnItsWay(path: ContainerPath, part: number): void {
    this.modes.delete(path);
    this.lastPartOf.set(path, part);
  }

  /** Notes what a part left behind, and returns what went wrong in it. */
  private acknowledged(
    part: SentPart,
    refused: ReadonlyMap<number, string>,
    holds: (readonly [ContainerPath, Entry | undefined])[],
  ): readonly NotWritten[] {
    const notWritten: NotWritten[] = [];
    for (const [index, { operation, entry }] of part.items.entries()) {
      const { path } = operation;
      const isLast = this.lastPartOf.get(path) === part.number;
      if (isLast) this.lastPartOf.delete(path);
      // Archives and removals succeed or fail as a whole.
      const reason = refused.get(part.form === 'o' ? index : 0);
      if (reason !== undefined) {
        const problem = part.form === 'o' ? syncRefused(this.where, path, reason, this.hello.user) : undefined;
        notWritten.push({ path, problem });
        this.refused.add(path);
        if (operation.kind !== 'd') this.halfDone.add(path);
        continue;
      }
      this.halfDone.delete(path);
      this.refused.delete(path);
      if (isLast && entry?.kind === 'file') this.modes.set(path, entry.mode);
      holds.push([path, entry]);
    }
    return notWritten;
  }
}

/** Of an archive: all its files have one mode. */
function modeToSet(operations: readonly Operation[]): string {
  const file = operations.find((operation) => operation.kind === 'f' && operation.setMode);
  return file?.kind === 'f' ? file.mode.toString(8) : '-';
}

function memberOf({ operation, bytes }: Item): TarMember {
  switch (operation.kind) {
    case 'f':
      return { kind: 'file', path: operation.path, mode: operation.mode, bytes };
    case 'l':
      return { kind: 'link', path: operation.path, target: operation.target };
    case 'd':
    case 'e':
    case '-':
      return { kind: 'dir', path: operation.path };
  }
}

function isContainerPath(path: ContainerPath): boolean {
  const [first, ...names] = path.split('/');
  return first === '' && names.length > 0 && names.every((name) => name !== '' && name !== '.' && name !== '..') && !path.includes('\0');
}
