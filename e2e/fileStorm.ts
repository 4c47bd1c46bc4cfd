import {
  appendFileSync,
  chmodSync,
  existsSync,
  linkSync,
  lstatSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  truncateSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { createServer, type Server } from 'node:net';
import { dirname, join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { Random } from '../testkit/simulator/random';

/** What the sync of a storm is told to leave out, and the ending that does it. */
export const leftOut = '.log';

// Few of them, so that one name often stands for something else than before; those that differ in case alone or in their Unicode form are apart.
const names = [
  ...['a', 'b', 'c', 'd', 'e', 'F', 'f', 'Readme.md', 'README.md', 'index.js', '.env', '-rf', '--help', '-', ' x ', 'two words', '~', '#1'],
  ...['new\nline', '\n', 'tab\tx', 'q\'"`', '$HOME', '*', '[x]', 'back\\slash', '100%41', '\u0001', '..a', '…', '日本', '🚢'],
  ...['caf\u00e9', 'cafe\u0301', 'l'.repeat(200), 'x.swp', '.x.swp', '4913', 'x~', '.slipway-news', `noise${leftOut}`],
];
const linkTexts = [
  'a',
  'b',
  '../b',
  '.',
  '..',
  '../..',
  'nowhere',
  '/nowhere',
  '../canary',
  '../../canary/file',
  '/tmp/storm/canary',
  '/etc',
  'x y\n',
];
const modes = [0o644, 0o755, 0o600, 0o700, 0o444, 0o555, 0o664, 0o777];
/** More than that and something is removed again: a storm is to change things, and not to grow. */
const mostFiles = 250;

interface Operation {
  readonly name: string;
  /** How often, against the others. */
  readonly weight: number;
  /** Says of what it was done; undefined where there was nothing to do it to. */
  readonly run: () => string | undefined | Promise<string>;
}

interface Found {
  readonly dirs: string[];
  readonly files: string[];
  readonly links: string[];
}

/** Does to a folder, one after another, all that people and their tools do to files. The same seed does the same. */
export class FileStorm {
  /** All that was done, a line each. */
  readonly told: string[] = [];
  private readonly random: Random;
  private readonly sockets: Server[] = [];
  private counter = 0;

  /** `aside` is a folder of the same disk where things are moved to and come back from. */
  constructor(
    private readonly folder: string,
    private readonly aside: string,
    seed: number,
  ) {
    this.random = new Random(seed);
    for (const each of [folder, aside]) mkdirSync(each, { recursive: true });
  }

  /** Does one thing. */
  async step(): Promise<void> {
    const found = this.found();
    const operations = found.files.length > mostFiles ? this.removals(found) : this.operations(found);
    for (;;) {
      const operation = this.chosen(operations);
      const of = await operation.run();
      if (of === undefined) continue;
      this.told.push(`${this.told.length + 1} ${operation.name} ${of}`);
      return;
    }
  }

  close(): void {
    for (const socket of this.sockets) socket.close();
  }

  private chosen(operations: readonly Operation[]): Operation {
    let left = this.random.next() * operations.reduce((sum, { weight }) => sum + weight, 0);
    return operations.find(({ weight }) => (left -= weight) < 0) ?? (operations[0] as Operation);
  }

  private operations(found: Found): readonly Operation[] {
    const { random } = this;
    return [
      { name: 'create', weight: 14, run: () => this.with(this.free(found), (path) => this.write(path, this.text())) },
      { name: 'write anew', weight: 14, run: () => this.with(this.file(found), (path) => this.write(path, this.text())) },
      { name: 'append', weight: 6, run: () => this.with(this.file(found), (path) => appendFileSync(this.at(path), this.text())) },
      { name: 'write as many bytes', weight: 6, run: () => this.with(this.file(found), (path) => this.sameSize(path)) },
      { name: 'write as many bytes, with the same time', weight: 6, run: () => this.with(this.file(found), (path) => this.sameTime(path)) },
      { name: 'truncate', weight: 4, run: () => this.with(this.file(found), (path) => this.cut(path)) },
      { name: 'save as an editor', weight: 6, run: () => this.with(this.file(found), (path) => this.saveAsEditor(path)) },
      { name: 'grow while it is read', weight: 2, run: () => this.slowly(found, 'grow') },
      { name: 'shrink while it is read', weight: 2, run: () => this.slowly(found, 'shrink') },
      { name: 'make large', weight: 0.4, run: () => this.with(this.free(found), (path) => this.writeLarge(path)) },
      { name: 'chmod', weight: 5, run: () => this.with(random.pick(found.files), (path) => chmodSync(this.at(path), this.mode())) },
      { name: 'make a directory', weight: 5, run: () => this.with(this.free(found), (path) => mkdirSync(this.at(path))) },
      { name: 'make a deep directory', weight: 2, run: () => this.with(this.free(found), (path) => this.makeDeep(path)) },
      { name: 'make a tree', weight: 2, run: () => this.with(this.free(found), (path) => this.makeTree(path, this.random.between(3, 60))) },
      { name: 'link', weight: 4, run: () => this.with(this.free(found), (path) => symlinkSync(this.linkText(path), this.at(path))) },
      { name: 'link elsewhere', weight: 2, run: () => this.with(random.pick(found.links), (path) => this.relink(path)) },
      { name: 'link hard', weight: 3, run: () => this.pair(random.pick(found.files), this.free(found), (of, to) => this.hardLink(of, to)) },
      { name: 'rename', weight: 8, run: () => this.pair(this.any(found), this.free(found), (from, to) => this.move(from, to)) },
      {
        name: 'rename over',
        weight: 4,
        run: () => this.pair(random.pick(found.files), random.pick(found.files), (from, to) => this.move(from, to)),
      },
      { name: 'change the case of', weight: 3, run: () => this.with(this.any(found), (path) => this.changeCase(path)) },
      { name: 'swap', weight: 4, run: () => this.pair(this.any(found), this.any(found), (one, other) => this.swap(one, other)) },
      {
        name: 'make a directory of',
        weight: 3,
        run: () => this.with(this.leaf(found), (path) => this.become(path, () => this.makeTree(path, 3))),
      },
      {
        name: 'make a file of',
        weight: 3,
        run: () => this.with(this.below(found), (path) => this.become(path, () => this.write(path, this.text()))),
      },
      {
        name: 'make a link of',
        weight: 3,
        run: () => this.with(this.any(found), (path) => this.become(path, () => symlinkSync(this.linkText(path), this.at(path)))),
      },
      { name: 'make a socket', weight: 0.5, run: () => this.with(this.free(found), (path) => this.listen(path)) },
      {
        name: 'move out',
        weight: 2,
        run: () => this.with(this.any(found), (path) => renameSync(this.at(path), join(this.aside, String(++this.counter)))),
      },
      { name: 'move in', weight: 2, run: () => this.with(this.free(found), (path) => this.moveIn(path)) },
      { name: 'replace the whole folder by a copy of', weight: 0.2, run: () => this.replaceAll() },
      ...this.removals(found),
    ];
  }

  private removals(found: Found): readonly Operation[] {
    return [
      { name: 'remove', weight: 8, run: () => this.with(this.leaf(found), (path) => rmSync(this.at(path))) },
      { name: 'remove all of', weight: 3, run: () => this.with(this.below(found), (path) => rmSync(this.at(path), { recursive: true })) },
    ];
  }

  // ---- what there is

  private found(): Found {
    const found: Found = { dirs: [''], files: [], links: [] };
    const look = (at: string): void => {
      for (const name of readdirSync(this.at(at)).sort()) {
        const path = at === '' ? name : `${at}/${name}`;
        const stats = lstatSync(this.at(path));
        if (stats.isSymbolicLink()) found.links.push(path);
        else if (stats.isFile()) found.files.push(path);
        else if (stats.isDirectory()) {
          found.dirs.push(path);
          look(path);
        }
      }
    };
    look('');
    return found;
  }

  private at(path: string): string {
    return path === '' ? this.folder : join(this.folder, path);
  }

  /** A path where nothing is, in a directory that is. */
  private free({ dirs }: Found): string | undefined {
    const shallow = dirs.filter((path) => path.length < 700);
    const directory = this.random.pick(shallow) ?? '';
    const name = this.random.pick(names) ?? 'a';
    const path = directory === '' ? name : `${directory}/${name}`;
    return lstatSync(this.at(path), { throwIfNoEntry: false }) ? undefined : path;
  }

  /** A file that may be written. */
  private file({ files }: Found): string | undefined {
    return this.random.pick(files.filter((path) => (statSync(this.at(path)).mode & 0o200) !== 0));
  }

  private leaf({ files, links }: Found): string | undefined {
    return this.random.pick([...files, ...links]);
  }

  private below({ dirs }: Found): string | undefined {
    return this.random.pick(dirs.filter((path) => path !== ''));
  }

  private any(found: Found): string | undefined {
    return this.random.chance(0.3) ? this.below(found) : this.leaf(found);
  }

  // ---- what is written

  private text(): string {
    this.counter += 1;
    const size = this.random.chance(0.1) ? this.random.between(10_000, 200_000) : this.random.between(0, 3000);
    return `${String(this.counter)} ${'é\n.\0'.repeat(Math.ceil(size / 5))}`.slice(0, size);
  }

  private linkText(path: string): string {
    return this.random.chance(0.2) ? (path.split('/').at(-1) ?? path) : (this.random.pick(linkTexts) ?? 'a');
  }

  private mode(): number {
    return this.random.pick(modes) ?? 0o644;
  }

  // ---- what is done

  private with(path: string | undefined, run: (path: string) => unknown): string | undefined {
    if (path === undefined) return undefined;
    run(path);
    return JSON.stringify(path);
  }

  private pair(one: string | undefined, other: string | undefined, run: (one: string, other: string) => void): string | undefined {
    if (one === undefined || other === undefined || `${other}/`.startsWith(`${one}/`) || `${one}/`.startsWith(`${other}/`))
      return undefined;
    run(one, other);
    return `${JSON.stringify(one)} ${JSON.stringify(other)}`;
  }

  private write(path: string, text: string): void {
    writeFileSync(this.at(path), text);
  }

  private other(path: string): Buffer {
    return readFileSync(this.at(path)).map((byte) => (byte + 1) % 256) as Buffer;
  }

  private sameSize(path: string): void {
    writeFileSync(this.at(path), this.other(path), { flag: 'r+' });
  }

  private sameTime(path: string): void {
    const at = Math.floor(statSync(this.at(path)).mtimeMs / 1000);
    utimesSync(this.at(path), at, at);
    this.sameSize(path);
    utimesSync(this.at(path), at, at);
  }

  private cut(path: string): void {
    truncateSync(this.at(path), this.random.chance(0.4) ? 0 : this.random.between(0, statSync(this.at(path)).size + 1));
  }

  private saveAsEditor(path: string): void {
    const written = join(dirname(this.at(path)), '.new.swx');
    writeFileSync(written, this.text());
    renameSync(written, this.at(path));
  }

  private async slowly(found: Found, how: 'grow' | 'shrink'): Promise<string> {
    const path = this.file(found) ?? this.file({ ...found, files: [] }) ?? 'slow';
    if (!existsSync(this.at(path))) this.write(path, '');
    if (how === 'shrink') this.write(path, 'x'.repeat(300_000));
    for (let round = 1; round <= 8; round += 1) {
      if (how === 'grow') appendFileSync(this.at(path), `${String(round)}${'y'.repeat(this.random.between(1, 60_000))}`);
      else truncateSync(this.at(path), 300_000 - round * this.random.between(1, 30_000));
      await pause(this.random.between(1, 8));
    }
    return JSON.stringify(path);
  }

  private writeLarge(path: string): void {
    writeFileSync(this.at(path), Buffer.alloc(this.random.between(1, 12) * 1024 * 1024, this.text() || 'z'));
  }

  private makeDeep(path: string): void {
    mkdirSync(this.at(`${path}/${Array.from({ length: this.random.between(1, 6) }, () => this.random.pick(names) ?? 'a').join('/')}`), {
      recursive: true,
    });
  }

  private makeTree(path: string, files: number): void {
    mkdirSync(this.at(path));
    const directories = [path];
    for (let made = 0; made < files; made += 1) {
      const below = `${this.random.pick(directories) ?? path}/${this.random.pick(names) ?? 'a'}`;
      if (lstatSync(this.at(below), { throwIfNoEntry: false })) continue;
      if (this.random.chance(0.2) && below.length < 700) {
        mkdirSync(this.at(below));
        directories.push(below);
      } else this.write(below, this.text());
    }
  }

  private relink(path: string): void {
    rmSync(this.at(path));
    symlinkSync(this.linkText(path), this.at(path));
  }

  private hardLink(of: string, to: string): void {
    linkSync(this.at(of), this.at(to));
  }

  private move(from: string, to: string): void {
    renameSync(this.at(from), this.at(to));
  }

  private changeCase(path: string): void {
    const name = path.split('/').at(-1) ?? '';
    const changed = name === name.toUpperCase() ? name.toLowerCase() : name.toUpperCase();
    const to = join(dirname(this.at(path)), changed);
    if (!lstatSync(to, { throwIfNoEntry: false })) renameSync(this.at(path), to);
  }

  private swap(one: string, other: string): void {
    const between = join(dirname(this.at(one)), '.between');
    renameSync(this.at(one), between);
    renameSync(this.at(other), this.at(one));
    renameSync(between, this.at(other));
  }

  private become(path: string, make: () => void): void {
    rmSync(this.at(path), { recursive: true });
    make();
  }

  private listen(path: string): void {
    // A socket's address has room for 107 bytes.
    if (Buffer.byteLength(this.at(path)) > 100) return;
    const socket = createServer().listen(this.at(path));
    // It comes as soon as `listen` returns; what becomes of it later is the storm's affair.
    socket.on('error', () => undefined).unref();
    this.sockets.push(socket);
  }

  private moveIn(path: string): void {
    const [first] = readdirSync(this.aside).sort((one, other) => Number(one) - Number(other));
    if (first === undefined) return;
    const from = join(this.aside, first);
    if (lstatSync(from).isDirectory()) writeFileSync(join(from, `moved ${String(++this.counter)}`), this.text());
    renameSync(from, this.at(path));
  }

  private replaceAll(): string {
    const old = join(this.aside, 'old');
    renameSync(this.folder, old);
    mkdirSync(this.folder);
    for (const name of readdirSync(old)) renameSync(join(old, name), join(this.folder, name));
    rmSync(old, { recursive: true });
    return 'it';
  }
}
