import { posix } from 'node:path';
import { readBy } from './copyFromStage';
import type { LocalSource } from './copy';
import { parseInstructions, type Instruction } from './instructions';
import type { Landing, PathKind, Stage } from './stage';

export interface RunRequest {
  readonly instruction: Instruction;
  readonly kindOf: (path: string) => PathKind | undefined;
  readonly stageOf: (name: string) => Stage | undefined;
  /** Variables replaced; undefined when one is not known. */
  readonly expand: (text: string) => string | undefined;
}

/** A RUN may read all that was copied before it. Returns the paths of the context that it mounts, and the images. */
export function run(stage: Stage, request: RunRequest): { readonly sources: readonly LocalSource[]; readonly images: readonly string[] } {
  const { instruction } = request;
  const { line } = instruction;
  const name = nameOfRun(instruction);
  stage.landings = stage.landings.map((landing) =>
    landing.rebuild ? landing : { ...landing, rebuild: { because: `read by ${name}`, line } },
  );
  const sources: LocalSource[] = [];
  const images: string[] = [];
  for (const flag of instruction.flags) {
    if (flag.name !== 'mount' || flag.value === undefined) continue;
    const mount = mountOf(flag.value);
    if (mount.type === 'cache' && mount.from === undefined) continue;
    if (mount.type !== 'bind' && mount.type !== 'cache') continue;
    const because = `mounted by ${name}`;
    const from = mount.from === undefined ? undefined : request.stageOf(mount.from);
    if (from) {
      const files = from.landings.map((landing) => ({
        ...landing,
        containerPath: undefined,
        rebuild: landing.rebuild ?? { because, line },
      }));
      stage.consumed.push(...readBy(from, line), ...files);
    } else if (mount.from !== undefined) {
      images.push(mount.from);
    } else {
      const expanded = request.expand(mount.source ?? '');
      const path = expanded === undefined ? '' : posix.normalize(`/${expanded}`).replace(/\/$/, '').slice(1);
      if (path !== '') sources.push({ path, wildcard: false, line });
      stage.consumed.push(mountedFrom(request.kindOf(path) === 'link' ? '' : path, { because, line }));
    }
  }
  stage.runs.push([instruction.text, ...instruction.heredocs.map((heredoc) => heredoc.content)].join('\n'));
  return { sources, images };
}

/**
 * What the RUN at a line mounts from the context and from stages, as instructions that would bring it there: for who asks which file
 * lies where while it runs.
 */
export function mountsAsCopies(text: string, line: number): readonly string[] {
  const instruction = parseInstructions(text).instructions.find((each) => each.keyword === 'RUN' && each.line === line);
  return (instruction?.flags ?? []).flatMap(({ name, value }) => {
    if (name !== 'mount' || value === undefined) return [];
    const { type, source = '.', target, from } = mountOf(value);
    if (type !== 'bind' || target === undefined) return [];
    return [`COPY ${from === undefined ? '' : `--from=${from} `}${source} ${target}`];
  });
}

function mountedFrom(source: string, rebuild: NonNullable<Landing['rebuild']>): Landing {
  return { source, containerPath: undefined, filter: undefined, mode: undefined, line: rebuild.line, rebuild };
}

interface Mount {
  readonly type: string;
  readonly source: string | undefined;
  readonly target: string | undefined;
  readonly from: string | undefined;
}

function mountOf(value: string): Mount {
  const fields = new Map(
    value.split(',').map((field): [string, string] => {
      const at = field.indexOf('=');
      return at < 0 ? [field, ''] : [field.slice(0, at), field.slice(at + 1)];
    }),
  );
  return {
    type: fields.get('type') ?? 'bind',
    source: fields.get('source') ?? fields.get('src'),
    target: fields.get('target') ?? fields.get('dst') ?? fields.get('destination'),
    from: fields.get('from'),
  };
}

const longestName = 40;

/** `RUN npm ci`, short enough for a sentence. */
function nameOfRun(instruction: Instruction): string {
  const script = instruction.heredocs[0]?.content.split('\n').find((line) => line.trim() !== '' && !line.startsWith('#!'));
  const text = (instruction.json?.join(' ') ?? script ?? instruction.text).replace(/\s+/g, ' ').trim();
  return `RUN ${text.length > longestName ? `${text.slice(0, longestName - 1).trimEnd()}…` : text}`;
}
