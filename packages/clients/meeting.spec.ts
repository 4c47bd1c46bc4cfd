import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { takeSeat, type Door, type Line, type Seat } from './meeting';

describe('processes that meet', () => {
  let folder: string;
  const open: { close(): unknown }[] = [];
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'slipway-meeting-'))));
  afterEach(async () => {
    for (const each of open.splice(0)) await each.close();
    rmSync(folder, { recursive: true });
  });

  const sit = async (name = 'dev'): Promise<Seat> => {
    const seat = await takeSeat({ folder, name, env: { XDG_RUNTIME_DIR: folder } });
    if (seat.kind === 'first') open.push(seat.door);
    if (seat.kind === 'later') open.push(seat.line);
    return seat;
  };
  const first = async (name?: string): Promise<Door> => {
    const seat = await sit(name);
    if (seat.kind !== 'first') throw new Error(`not the first, but ${seat.kind}`);
    return seat.door;
  };
  const later = async (name?: string): Promise<Line> => {
    const seat = await sit(name);
    if (seat.kind !== 'later') throw new Error(`not later, but ${seat.kind}`);
    return seat.line;
  };
  const visitorOf = (door: Door) => new Promise<Line>((resolve) => door.onVisitor(resolve));
  const messageOn = (line: Line) => new Promise<unknown>((resolve) => line.onMessage(resolve));

  it('one that comes later has a line to the first, also when that listens only then', async () => {
    const door = await first();
    const line = await later();
    line.send({ kind: 'join', text: 'ä\nb' });
    const visitor = await visitorOf(door);
    expect(await messageOn(visitor)).toEqual({ kind: 'join', text: 'ä\nb' });
    visitor.send({ kind: 'ended' });
    visitor.close();
    expect(await messageOn(line)).toEqual({ kind: 'ended' });
    await new Promise<void>((resolve) => line.onClose(resolve));
  });

  it('of many that come at once, one is the first', async () => {
    const seats = await Promise.all(Array.from({ length: 20 }, () => sit()));
    expect(seats.filter(({ kind }) => kind === 'first')).toHaveLength(1);
    expect(seats.filter(({ kind }) => kind === 'later')).toHaveLength(19);
  });

  it('when the first has closed its door, the next one is the first, and lines that were open stay so', async () => {
    const door = await first();
    const line = await later();
    const visitor = await visitorOf(door);
    await door.close();
    await first();
    visitor.send({ still: 'there' });
    expect(await messageOn(line)).toEqual({ still: 'there' });
  });

  it('what a killed process has left is in nobody’s way', async () => {
    const script = join(folder, 'first.js');
    const module = JSON.stringify(join(__dirname, 'meeting.js'));
    writeFileSync(
      script,
      `require(${module}).takeSeat({ folder: ${JSON.stringify(folder)}, name: 'dev', env: {} }).then(({ kind }) => process.send(kind)); setInterval(() => 0, 1000);`,
    );
    const child = fork(script);
    expect(await once(child, 'message')).toEqual(['first', undefined]);
    const line = await later();
    const closed = new Promise<void>((resolve) => line.onClose(resolve));
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    // What a process has open is closed one after another: its lines may be, while its door still lets in.
    await Promise.all([closed, ended]);
    const lock = join(folder, 'dev.sock.lock');
    mkdirSync(lock);
    utimesSync(lock, new Date(0), new Date(0));
    const seats = await Promise.all([sit(), sit(), sit()]);
    expect(seats.map(({ kind }) => kind).sort()).toEqual(['first', 'later', 'later']);
  });

  it('only its user may come in', async () => {
    await first();
    expect(statSync(join(folder, 'dev.sock')).mode & 0o777).toBe(0o600);
  });

  it('a path that is too long for a socket is replaced by a short one', async () => {
    const name = 'd'.repeat(120);
    await first(name);
    await later(name);
  });
});
