import { nanosecondsOf } from './nanoseconds';
import { posix } from 'node:path';
import type { ContainerPath } from '../model';
import { expand, type Lookup } from './expand';
import { isOn, jsonStrings, quotedWords, type Instruction, type Mistake } from './instructions';
import { argsOf, stageNamed, type SplitDockerfile, type SplitStage } from './splitStages';

/** What an image says of its containers, with the names and shapes of the image specification; what is not followed here stays as it is. */
export interface ImageSettings {
  readonly User?: string;
  readonly ExposedPorts?: Readonly<Record<string, object>> | null;
  readonly Env?: readonly string[] | null;
  readonly Entrypoint?: readonly string[] | null;
  readonly Cmd?: readonly string[] | null;
  readonly Volumes?: Readonly<Record<string, object>> | null;
  readonly WorkingDir?: string;
  readonly Labels?: Readonly<Record<string, string>> | null;
  readonly StopSignal?: string;
  readonly Healthcheck?: Healthcheck | null;
  readonly Shell?: readonly string[] | null;
  readonly OnBuild?: readonly string[] | null;
}

/** Times in nanoseconds. */
export interface Healthcheck {
  readonly Test: readonly string[];
  readonly Interval?: number;
  readonly Timeout?: number;
  readonly StartPeriod?: number;
  readonly StartInterval?: number;
  readonly Retries?: number;
}

/** What one instruction does to an image. `text` is what its history says. */
export type ImageStep =
  | { readonly kind: 'setting'; readonly text: string; readonly line: number }
  | {
      readonly kind: 'mkdir';
      readonly path: ContainerPath;
      readonly owner: string | undefined;
      readonly text: string;
      readonly line: number;
    }
  | CopyStep;

export interface CopyStep {
  readonly kind: 'copy';
  /** A stage by its number; undefined: the context. */
  readonly from: number | undefined;
  readonly sources: readonly string[];
  /** Absolute; a slash or `/.` at its end is kept, because it says that this is a directory. */
  readonly destination: ContainerPath;
  /** `user[:group]`, by name or number. */
  readonly owner: string | undefined;
  readonly mode: number | undefined;
  readonly parents: boolean;
  readonly exclude: readonly string[];
  readonly link: boolean;
  readonly text: string;
  readonly line: number;
}

export interface FollowedStage {
  readonly settings: ImageSettings;
  readonly author: string | undefined;
  readonly steps: readonly ImageStep[];
  /** Values of ARG at its end, for a stage that stands on this one. */
  readonly args: ReadonlyMap<string, string>;
  readonly mistakes: readonly Mistake[];
}

export interface FollowOptions {
  readonly split: SplitDockerfile;
  readonly args: Readonly<Record<string, string>>;
  /** Of the image or stage that it stands on; for `scratch` an empty one. */
  readonly base: Pick<FollowedStage, 'settings' | 'args' | 'author'>;
  /** A part of the stage that is not followed had a CMD. */
  readonly commandIsOwn?: boolean;
}

/**
 * Follows the instructions of a stage as BuildKit does, for a Dockerfile that `needsEngine` knows nothing against: what its image
 * says of containers, and which files each instruction copies where. Rules: https://docs.docker.com/reference/dockerfile and
 * BuildKit's dockerfile2llb.
 */
export function followStage(stage: SplitStage, options: FollowOptions): FollowedStage {
  const following = new Following(stage, options);
  for (const instruction of stage.instructions) following.take(instruction);
  return following.result();
}

const defaultPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

type Mutable<T> = { -readonly [Key in keyof T]: T[Key] };

class Following {
  private readonly settings: Mutable<ImageSettings>;
  private readonly variables = new Map<string, string>();
  private readonly args: Map<string, string>;
  private readonly steps: ImageStep[] = [];
  private readonly mistakes: Mistake[] = [];
  private author: string | undefined;
  private commandIsOwn: boolean;

  constructor(
    private readonly stage: SplitStage,
    private readonly options: FollowOptions,
  ) {
    const { settings, args, author } = options.base;
    this.commandIsOwn = options.commandIsOwn === true;
    this.settings = stage.base.kind === 'scratch' ? { WorkingDir: '/', Env: [`PATH=${defaultPath}`] } : { ...settings };
    this.author = author;
    this.args = new Map(args);
    const env = this.settings.Env ?? [];
    if (!env.some((variable) => variable.startsWith('PATH='))) this.settings.Env = [...env, `PATH=${defaultPath}`];
    for (const [name, value] of args) this.variables.set(name, value);
    for (const variable of this.settings.Env ?? []) {
      const at = variable.indexOf('=');
      this.variables.set(variable.slice(0, at), variable.slice(at + 1));
    }
  }

  result(): FollowedStage {
    const { settings, author, steps, args, mistakes } = this;
    return { settings, author, steps, args, mistakes };
  }

  take(instruction: Instruction): void {
    const { keyword, text, json, line } = instruction;
    const { settings } = this;
    switch (keyword) {
      case 'ARG':
        return this.arg(instruction);
      case 'ENV':
        return this.env(instruction);
      case 'LABEL':
        settings.Labels = { ...settings.Labels, ...Object.fromEntries(this.pairs(instruction)) };
        break;
      case 'WORKDIR':
        return this.workdir(instruction);
      case 'COPY':
      case 'ADD':
        return this.copy(instruction);
      case 'USER':
        settings.User = this.word(instruction, text);
        break;
      case 'EXPOSE':
        settings.ExposedPorts = { ...settings.ExposedPorts, ...this.ports(instruction) };
        break;
      case 'VOLUME': {
        const paths = (json ?? text.split(/\s+/)).map((word) => this.word(instruction, word));
        settings.Volumes = { ...settings.Volumes, ...Object.fromEntries(paths.map((path) => [path, {}])) };
        break;
      }
      case 'SHELL':
        settings.Shell = json ?? settings.Shell ?? null;
        break;
      case 'CMD':
        settings.Cmd = this.argv(text, json);
        this.commandIsOwn = true;
        break;
      case 'ENTRYPOINT':
        settings.Entrypoint = this.argv(text, json);
        // A CMD that was inherited was meant for the ENTRYPOINT that was inherited.
        if (!this.commandIsOwn) settings.Cmd = null;
        break;
      case 'HEALTHCHECK':
        settings.Healthcheck = this.healthcheck(instruction);
        break;
      case 'STOPSIGNAL':
        settings.StopSignal = this.word(instruction, text);
        break;
      case 'ONBUILD':
        settings.OnBuild = [...(settings.OnBuild ?? []), text];
        break;
      case 'MAINTAINER':
        this.author = text;
        break;
    }
    this.steps.push({ kind: 'setting', text: `${keyword} ${text}`, line });
  }

  private readonly scope: Lookup = (name) => {
    const value = this.variables.get(name);
    return value === undefined ? { kind: 'unset' } : { kind: 'set', value };
  };

  private fail({ line, column = 1 }: { readonly line: number; readonly column?: number }, message: string): void {
    this.mistakes.push({ message, line, column });
  }

  private word(instruction: Instruction, word: string): string {
    const { text, mistake } = expand(word, this.scope, this.options.split.escape);
    if (mistake !== undefined) this.fail(instruction, mistake);
    return text;
  }

  private arg(instruction: Instruction): void {
    const { args, split } = this.options;
    for (const [name, value] of argsOf(instruction, split.escape)) {
      const known = args[name] ?? (value === undefined ? split.globalArgs.get(name) : this.word(instruction, value));
      if (known === undefined) continue;
      this.variables.set(name, known);
      this.args.set(name, known);
    }
    this.steps.push({ kind: 'setting', text: `ARG ${instruction.text}`, line: instruction.line });
  }

  private env(instruction: Instruction): void {
    const env = [...(this.settings.Env ?? [])];
    for (const [name, value] of this.pairs(instruction)) {
      this.variables.set(name, value);
      const at = env.findIndex((variable) => variable.startsWith(`${name}=`));
      if (at < 0) env.push(`${name}=${value}`);
      else env[at] = `${name}=${value}`;
    }
    this.settings.Env = env;
    this.steps.push({ kind: 'setting', text: `ENV ${instruction.text}`, line: instruction.line });
  }

  /** `name=value` words, or one name with the rest of the line. Values of one instruction do not see one another. */
  private pairs(instruction: Instruction): readonly (readonly [string, string])[] {
    const words = quotedWords(instruction.text, this.options.split.escape);
    if (words[0]?.includes('=') !== true) {
      const [, name = '', value = ''] = /^(\S+)\s*([^]*)$/.exec(instruction.text) ?? [];
      return [[this.word(instruction, name), this.word(instruction, value)]];
    }
    return words.map((word) => {
      const [, name = word, value = ''] = /^((?:"[^"]*"|'[^']*'|[^=])*)=([^]*)$/.exec(word) ?? [];
      return [this.word(instruction, name), this.word(instruction, value)];
    });
  }

  private ports(instruction: Instruction): Readonly<Record<string, object>> {
    const ports: Record<string, object> = {};
    for (const spec of this.word(instruction, instruction.text).split(/\s+/)) {
      const [, first, last = first, protocol = 'tcp'] = /^(\d+)(?:-(\d+))?(?:\/(tcp|udp|sctp))?$/i.exec(spec) ?? [];
      if (first === undefined) this.fail(instruction, `EXPOSE ${spec} is not a port`);
      for (let port = Number(first); port <= Number(last); port += 1) ports[`${port}/${protocol.toLowerCase()}`] = {};
    }
    return ports;
  }

  private argv(text: string, json: readonly string[] | undefined): readonly string[] {
    return json ?? [...(this.settings.Shell ?? ['/bin/sh', '-c']), text];
  }

  private healthcheck(instruction: Instruction): Healthcheck {
    const [, kind = '', command = ''] = /^(\S+)\s*([^]*)$/.exec(instruction.text) ?? [];
    if (kind.toUpperCase() === 'NONE') return { Test: ['NONE'] };
    const json = jsonStrings(command);
    const flag = (name: string) => instruction.flags.find((each) => each.name === name)?.value;
    const duration = (name: string): number | undefined => {
      const value = flag(name);
      const nanoseconds = value === undefined ? 0 : nanosecondsOf(value);
      if (nanoseconds === undefined) this.fail(instruction, `--${name}=${value ?? ''} is not a duration`);
      return nanoseconds === 0 ? undefined : nanoseconds;
    };
    return defined({
      Test: json ? ['CMD', ...json] : ['CMD-SHELL', command],
      Interval: duration('interval'),
      Timeout: duration('timeout'),
      StartPeriod: duration('start-period'),
      StartInterval: duration('start-interval'),
      Retries: flag('retries') === undefined ? undefined : Number(flag('retries')),
    });
  }

  private workdir(instruction: Instruction): void {
    const { settings } = this;
    const path = posix.join('/', this.fromWorkdir(this.word(instruction, instruction.text))).replace(/(?<=.)\/$/, '');
    settings.WorkingDir = path;
    const { line } = instruction;
    const owner = settings.User === '' ? undefined : settings.User;
    if (path === '/') this.steps.push({ kind: 'setting', text: 'WORKDIR /', line });
    else this.steps.push({ kind: 'mkdir', path, owner, text: `WORKDIR ${path}`, line });
  }

  private fromWorkdir(path: string): string {
    return path.startsWith('/') ? path : posix.join(this.settings.WorkingDir ?? '/', path);
  }

  private copy(instruction: Instruction): void {
    const { keyword, flags, json, text, line } = instruction;
    const words = (json ?? text.split(/\s+/)).map((word) => this.word(instruction, word));
    const flag = (name: string) => flags.find((each) => each.name === name)?.value;
    const from = flag('from');
    const owner = flag('chown');
    const mode = flag('chmod');
    this.steps.push({
      kind: 'copy',
      from: from === undefined ? undefined : stageNamed(from, this.options.split.stages.slice(0, this.stage.index))?.index,
      sources: words.slice(0, -1),
      destination: this.destination(words.at(-1) ?? ''),
      owner: owner === undefined ? undefined : this.word(instruction, owner),
      mode: mode === undefined ? undefined : Number.parseInt(mode, 8),
      parents: isOn(instruction, 'parents'),
      exclude: flags.flatMap((each) => (each.name === 'exclude' && each.value !== undefined ? [this.word(instruction, each.value)] : [])),
      link: isOn(instruction, 'link'),
      text: `${keyword} ${[...flags.map(({ name, value }) => (value === undefined ? `--${name}` : `--${name}=${value}`)), ...words].join(' ')}`,
      line,
    });
  }

  private destination(raw: string): ContainerPath {
    const path = posix.join('/', this.fromWorkdir(raw));
    if (raw === '' || raw === '.' || raw.endsWith('/')) return path.endsWith('/') ? path : `${path}/`;
    if (raw.endsWith('/.')) return path.endsWith('/') ? `${path}.` : `${path}/.`;
    return path;
  }
}

function defined<T extends object>(value: { readonly [Key in keyof T]: T[Key] | undefined }): T {
  return Object.fromEntries(Object.entries(value).filter(([, each]) => each !== undefined)) as T;
}
