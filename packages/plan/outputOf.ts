import type { Artifact, Input, Target, WorkspacePath } from '../model';
import { landingOf } from './snapshot';
import { hasOutputsOf } from './targets';

/** What an image does with what a target makes of a file: it is copied into containers, or asks for a new image. */
type MadeOutput = { readonly onChange: 'sync' } | { readonly onChange: 'rebuild'; readonly because: string };

/**
 * What a target makes of a file is known only when it has run. So the inputs are asked about the names that it is likely to have: one of them that is copied is enough, as a
 * build that writes more than code (a package.json that a `RUN` reads) seldom changes that. Where no input takes any of them, what the inputs are says it.
 */
export function outputOf(artifact: Artifact, target: Target, path: WorkspacePath): MadeOutput {
  const taking = artifact.inputs.filter(({ path: taken }) => hasOutputsOf(target, taken));
  const asking = likelyOutputs(target, path).flatMap((made) => takenBy(taking, made) ?? []);
  const answers = asking.length > 0 ? asking : taking;
  const [first] = answers;
  if (!first || answers.some(({ onChange, containerPath }) => onChange === 'sync' && containerPath !== undefined))
    return { onChange: 'sync' };
  return { onChange: 'rebuild', because: (answers.find(({ onChange }) => onChange === 'rebuild') ?? first).because };
}

/** The input that says what a change of a file asks for: one that wants a new image before those that copy it. */
function takenBy(inputs: readonly Input[], path: WorkspacePath): Input | undefined {
  const taking = inputs.filter((input) => landingOf(input, path) !== undefined);
  return taking.find(({ onChange }) => onChange === 'rebuild') ?? taking.find(({ containerPath }) => containerPath !== undefined);
}

/** The output itself where it is a file, what bundlers call theirs, and a file for a file as compilers write them. */
function likelyOutputs({ outputs }: Target, path: WorkspacePath): readonly WorkspacePath[] {
  const names = path.split('/');
  const below = names.map((_, index) => names.slice(index).join('/'));
  const files = ['main.js', 'index.js', ...below.flatMap(compiledNames)];
  return outputs.flatMap((output) => [output, ...files.map((file) => `${output}/${file}`)]);
}

function compiledNames(name: string): readonly string[] {
  const stem = name.replace(/\.[^./]+$/, '');
  if (/\.[cm]?[jt]sx?$/.test(name)) return ['js', 'mjs', 'cjs'].map((ending) => `${stem}.${ending}`);
  return /\.(scss|sass|less)$/.test(name) ? [`${stem}.css`] : [name];
}
