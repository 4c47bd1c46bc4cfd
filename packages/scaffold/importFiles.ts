import type { Problem } from '../model';
import { importCompose, isCompose, type ComposeRequest } from './compose/importCompose';
import { readSheets, type Imported } from './imports/imported';
import { importSkaffold } from './skaffold/importSkaffold';

/** Makes files of Slipway of those of Skaffold or of Compose, whichever they are. */
export function importFiles(request: ComposeRequest): Imported {
  const { files, from } = request;
  const sheets = from.map((file) => readSheets(file, files));
  const ofCompose = sheets.filter(({ roots }) => roots.some(isCompose));
  if (ofCompose.length === 0) return importSkaffold(request, sheets);
  if (ofCompose.length === sheets.length) return importCompose(request, sheets);
  return { files: [], projects: [], notes: [], problems: [bothAtOnce(ofCompose.map(({ file }) => file))] };
}

function bothAtOnce(ofCompose: readonly string[]): Problem {
  return {
    code: 'importsDiffer',
    message: `${ofCompose.join(', ')}: of Compose, and others are of Skaffold`,
    hint: 'import those of one tool at a time',
    retry: 'never',
    exitCode: 2,
  };
}
