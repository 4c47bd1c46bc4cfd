import { nearest } from '../model';
import { copyFromContext, type LocalSource } from './copy';
import { copyFromStage } from './copyFromStage';
import { coverWith, destinationOf } from './destination';
import { expand, type Lookup } from './expand';
import { isOn, quotedWords, split, type Instruction, type Mistake, type ParsedDockerfile } from './instructions';
import type { DockerfileOptions, StageFacts } from './readDockerfile';
import { run } from './run';
import { addDirectory, newStage, stageFrom, type Stage } from './stage';
import { posix } from 'node:path';

export interface BuiltStages {
  readonly stages: readonly StageFacts[];
  readonly final: Stage;
  /** Numbers of the stages that the final one needs, with its own. */
  readonly reached: ReadonlySet<number>;
  readonly sources: readonly (LocalSource & { readonly stage: number })[];
  readonly images: readonly { readonly name: string; readonly stage: number }[];
}

/** Goes through the stages as the engine would, without running anything. */
export function build(parsed: ParsedDockerfile, options: DockerfileOptions, mistakes: Mistake[]): BuiltStages | undefined {
  const builder = new StageBuilder(parsed, options, mistakes);
  for (const instruction of parsed.instructions) builder.take(instruction);
  return builder.finish();
}

class StageBuilder {
  private readonly stages: Stage[] = [];
  private readonly facts: StageFacts[] = [];
  private readonly needs: Set<number>[] = [];
  private readonly sources: (LocalSource & { stage: number })[] = [];
  private readonly images: { name: string; stage: number }[] = [];
  /** ARG before the first FROM; a value that is undefined is not known. */
  private readonly global: Map<string, string | undefined>;
  private stage: Stage | undefined;

  constructor(
    private readonly parsed: ParsedDockerfile,
    private readonly options: DockerfileOptions,
    private readonly mistakes: Mistake[],
  ) {
    this.global = new Map(platformArgs(options.platform));
  }

  take(instruction: Instruction): void {
    if (instruction.keyword === 'FROM') this.from(instruction);
    else if (this.stage) this.inStage(this.stage, instruction);
    else if (instruction.keyword === 'ARG') this.globalArg(instruction);
  }

  finish(): BuiltStages | undefined {
    const { target } = this.options;
    const final = target === undefined ? this.stages.at(-1) : this.stageNamed(target);
    if (!final) {
      if (target !== undefined && this.stages.length > 0) this.targetMissing(target);
      return undefined;
    }
    const reached = new Set<number>();
    const reach = (index: number) => {
      if (reached.has(index)) return;
      reached.add(index);
      for (const needed of this.needs[index] ?? []) reach(needed);
    };
    reach(final.index);
    return { stages: this.facts, final, reached, sources: this.sources, images: this.images };
  }

  private targetMissing(target: string): void {
    const names = this.stages.flatMap((stage) => (stage.name === undefined ? [] : [stage.name]));
    const meant = nearest(target, names);
    const known = names.length === 0 ? 'its stages have no names' : `its stages are ${names.join(', ')}`;
    this.mistakes.push({
      code: 'targetNotFound',
      message: `there is no stage ${target}: ${meant === undefined ? known : `perhaps ${meant} was meant`}`,
      line: 1,
      column: 1,
    });
  }

  private fail(instruction: Instruction, message: string): void {
    this.mistakes.push({ message, line: instruction.line, column: instruction.column });
  }

  private stageNamed(name: string): Stage | undefined {
    const lower = name.toLowerCase();
    return this.stages.findLast((stage) => stage.name === lower) ?? (/^\d+$/.test(name) ? this.stages[Number(name)] : undefined);
  }

  /** An earlier stage by name or number, remembered as needed by the current one. */
  private needed(name: string): Stage | undefined {
    const found = this.stageNamed(name);
    if (!found || found === this.stage) return undefined;
    if (this.stage) this.needs[this.stage.index]?.add(found.index);
    return found;
  }

  private globalArg(instruction: Instruction): void {
    for (const { name, value } of this.argWords(instruction)) {
      const given = this.options.args[name];
      if (given !== undefined) this.global.set(name, given);
      else if (value !== undefined) this.global.set(name, this.word(instruction, value, this.globalScope).text);
    }
  }

  private readonly globalScope: Lookup = (name) => {
    if (!this.global.has(name)) return { kind: 'unset' };
    const value = this.global.get(name);
    return value === undefined ? { kind: 'unknown' } : { kind: 'set', value };
  };

  private word(instruction: Instruction, text: string, scope: Lookup): { readonly text: string; readonly unknown: readonly string[] } {
    const expansion = expand(text, scope, this.parsed.escape);
    if (expansion.mistake !== undefined) this.fail(instruction, expansion.mistake);
    return expansion;
  }

  private argWords(instruction: Instruction): { readonly name: string; readonly value: string | undefined }[] {
    return quotedWords(instruction.text, this.parsed.escape).map((word) => {
      const at = word.indexOf('=');
      return at < 0 ? { name: word, value: undefined } : { name: word.slice(0, at), value: word.slice(at + 1) };
    });
  }

  private from(instruction: Instruction): void {
    const words = instruction.text.split(/\s+/);
    const [image = '', as, alias] = words;
    if ((words.length !== 1 && words.length !== 3) || (as !== undefined && as.toUpperCase() !== 'AS')) {
      this.fail(instruction, 'FROM has the form FROM image or FROM image AS name');
    }
    const name = alias?.toLowerCase();
    if (name !== undefined && !/^[a-z][a-z0-9-_.]*$/.test(name)) this.fail(instruction, `${alias ?? ''} is not a valid name of a stage`);
    const base = this.word(instruction, image, this.globalScope).text;
    if (base === '' && image !== '') this.fail(instruction, `the image ${image} is empty: no ARG before FROM gives it a value`);
    const identity = { index: this.stages.length, name, line: instruction.line };
    const parent = this.stages.findLast((stage) => stage.name === base);
    const needs = new Set<number>();
    this.needs.push(needs);
    if (parent) {
      needs.add(parent.index);
      this.stage = stageFrom(parent, identity);
      this.facts.push({ ...identity, base: { kind: 'stage', name: base } });
    } else {
      const kind = base === 'scratch' ? ({ kind: 'scratch' } as const) : ({ kind: 'image', name: base } as const);
      this.stage = newStage({ ...identity, base: kind });
      this.facts.push({ ...identity, base: kind });
      if (kind.kind === 'image') this.images.push({ name: base, stage: identity.index });
    }
    this.stages.push(this.stage);
    const left = parent ? [] : (this.options.triggersOf?.(base) ?? []);
    const triggers = left.map((text) => ({ ...instruction, ...split(text, this.parsed.escape) }));
    for (const trigger of [...(parent?.onBuild ?? []), ...triggers]) this.inStage(this.stage, trigger);
  }

  private scopeOf(stage: Stage): Lookup {
    return (name) => {
      const value = stage.variables.get(name);
      if (value !== undefined) return { kind: 'set', value };
      // The base image may have a variable of that name.
      return { kind: stage.base.kind === 'scratch' && !stage.unknownArgs.has(name) ? 'unset' : 'unknown' };
    };
  }

  private inStage(stage: Stage, instruction: Instruction): void {
    const scope = this.scopeOf(stage);
    const { keyword, text, json } = instruction;
    switch (keyword) {
      case 'ARG':
        this.arg(stage, instruction);
        break;
      case 'ENV':
        this.env(stage, instruction);
        break;
      case 'WORKDIR':
        this.workdir(stage, instruction);
        break;
      case 'COPY':
      case 'ADD':
        this.copy(stage, instruction);
        break;
      case 'RUN': {
        const expanded = (value: string) => {
          const { text: path, unknown } = this.word(instruction, value, scope);
          return unknown.length > 0 ? undefined : path;
        };
        const { kindOf } = this.options;
        const read = run(stage, { instruction, kindOf, stageOf: (name) => this.needed(name), expand: expanded });
        for (const source of read.sources) this.sources.push({ ...source, stage: stage.index });
        for (const name of read.images) this.images.push({ name, stage: stage.index });
        break;
      }
      case 'USER':
        stage.user = this.word(instruction, text, scope).text;
        break;
      case 'EXPOSE':
        for (const port of text.split(/\s+/)) stage.ports.add(this.word(instruction, port, scope).text);
        break;
      case 'SHELL':
        stage.shell = json ?? stage.shell;
        break;
      case 'CMD':
        stage.command = argv(stage, instruction);
        stage.commandIsOwn = true;
        break;
      case 'ENTRYPOINT':
        stage.entrypoint = argv(stage, instruction);
        // An inherited CMD was meant for the inherited ENTRYPOINT.
        if (!stage.commandIsOwn) stage.command = [];
        break;
      case 'ONBUILD': {
        const trigger = split(text, this.parsed.escape);
        stage.onBuild.push({ ...instruction, ...trigger });
        break;
      }
    }
  }

  private arg(stage: Stage, instruction: Instruction): void {
    for (const { name, value } of this.argWords(instruction)) {
      const given = this.options.args[name];
      const known = given ?? (value === undefined ? undefined : this.word(instruction, value, this.scopeOf(stage)).text);
      if (known !== undefined) {
        stage.variables.set(name, known);
      } else {
        const inherited = this.globalScope(name);
        if (inherited.kind === 'set') stage.variables.set(name, inherited.value);
        if (inherited.kind === 'unknown') stage.unknownArgs.add(name);
      }
    }
  }

  private env(stage: Stage, instruction: Instruction): void {
    const words = quotedWords(instruction.text, this.parsed.escape);
    const scope = this.scopeOf(stage);
    // The values of one instruction do not see one another.
    const values: [string, string][] = [];
    if (words[0]?.includes('=') === true) {
      for (const word of words) {
        const at = word.indexOf('=');
        if (at <= 0) this.fail(instruction, `ENV needs name=value, not ${word}`);
        else values.push([word.slice(0, at), this.word(instruction, word.slice(at + 1), scope).text]);
      }
    } else {
      const [, name, value] = /^(\S+)\s+([^]+)$/.exec(instruction.text) ?? [];
      if (name === undefined || value === undefined) this.fail(instruction, 'ENV needs name=value');
      else values.push([name, this.word(instruction, value, scope).text]);
    }
    for (const [name, value] of values) stage.variables.set(name, value);
  }

  private workdir(stage: Stage, instruction: Instruction): void {
    const { text, unknown } = this.word(instruction, instruction.text, this.scopeOf(stage));
    const absolute = text.startsWith('/');
    const path = posix.normalize(posix.join(absolute ? '/' : stage.workdir.path, text)).replace(/(?<=.)\/$/, '');
    stage.workdir = { path, known: unknown.length === 0 && (absolute || stage.workdir.known) };
    if (stage.workdir.known) addDirectory(stage, path);
  }

  private copy(stage: Stage, instruction: Instruction): void {
    const words = instruction.json ?? instruction.text.split(/\s+/);
    if (words.length < 2) {
      this.fail(instruction, `${instruction.keyword} needs a source and a destination`);
      return;
    }
    const heredocs = new Set(instruction.heredocs.map((heredoc) => heredoc.word));
    const expanded = words.map((word) =>
      heredocs.has(word) ? { text: word, unknown: [] } : this.word(instruction, word, this.scopeOf(stage)),
    );
    const destination = destinationOf(stage, expanded.at(-1) ?? { text: '', unknown: [] });
    const unknown = [...new Set(expanded.flatMap((word) => word.unknown))];
    const sources = expanded.slice(0, -1).map((word) => word.text);
    const { line } = instruction;
    for (const word of heredocs) {
      const name = word.replace(/^\d*<<-?/, '').replace(/['"]/g, '');
      coverWith(stage, destination, {
        name,
        isLinked: isOn(instruction, 'link'),
        because: `hidden by the here-document ${name}`,
        line,
      });
    }
    const local = sources.filter((source) => !heredocs.has(source));
    if (local.length === 0) return;
    const { kindOf, namesIn = () => [] } = this.options;
    const fromName = instruction.flags.find((flag) => flag.name === 'from')?.value;
    const from = fromName === undefined ? undefined : this.word(instruction, fromName, this.scopeOf(stage)).text;
    const parent = from === undefined ? undefined : this.needed(from);
    if (parent) {
      copyFromStage(stage, { instruction, from: parent, sources: local, destination, certain: unknown.length === 0, kindOf });
    } else if (from !== undefined) {
      this.images.push({ name: from, stage: stage.index });
      coverWith(stage, destination, { name: undefined, isLinked: false, because: `hidden by COPY --from=${from}`, line });
    } else {
      const named = copyFromContext(stage, { instruction, sources: local, unknown, destination, kindOf, namesIn });
      for (const source of named) this.sources.push({ ...source, stage: stage.index });
    }
  }
}

function argv(stage: Stage, { json, text }: Instruction): readonly string[] {
  if (json) return json;
  return text === '' ? [] : [...stage.shell, text];
}

/** Declared by the builder itself, values that are not known as undefined: https://docs.docker.com/reference/dockerfile/#automatic-platform-args-in-the-global-scope */
export function platformArgs(platform: string | undefined): [string, string | undefined][] {
  const [os, arch, variant] = platform?.split('/') ?? [];
  const target: [string, string | undefined][] = [
    ['TARGETPLATFORM', platform],
    ['TARGETOS', os],
    ['TARGETARCH', arch],
    ['TARGETVARIANT', platform === undefined ? undefined : (variant ?? '')],
  ];
  const own = ['BUILDPLATFORM', 'BUILDOS', 'BUILDARCH', 'BUILDVARIANT'].map((name): [string, undefined] => [name, undefined]);
  return [...target, ...own];
}
