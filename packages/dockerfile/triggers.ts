import { split } from './instructions';
import { splitStages } from './splitStages';

/** What the image of a Dockerfile leaves to those that stand on it: `COPY . /app`. */
export function triggersIn(text: string, target: string | undefined): readonly string[] {
  const stages = splitStages(text, { args: {}, ...(target !== undefined && { target }) });
  return stages?.final.instructions.flatMap((instruction) => (instruction.keyword === 'ONBUILD' ? [instruction.text] : [])) ?? [];
}

/** Whether what is left so takes files of the context of whoever stands on it. */
export function takesFiles(trigger: string): boolean {
  const { keyword, flags } = split(trigger, '\\');
  if (keyword === 'COPY' || keyword === 'ADD') return !flags.some(({ name }) => name === 'from');
  const mounts = flags.flatMap(({ name, value = '' }) => (keyword === 'RUN' && name === 'mount' ? [value.split(',')] : []));
  return mounts.some((mount) => !mount.some((word) => /^from=|^type=(?!bind$)/.test(word)));
}
