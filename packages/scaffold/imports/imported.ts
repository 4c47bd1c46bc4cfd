import { Document, LineCounter, parseAllDocuments } from 'yaml';
import type { Config } from '../../config';
import type { WorkspaceFiles } from '../../graph';
import type { Location, Problem, Project, WorkspacePath } from '../../model';
import { Field, type Sheet } from './field';

export interface ImportRequest {
  readonly files: WorkspaceFiles;
  readonly projects: readonly Project[];
  /** Paths of the other tool's files. */
  readonly from: readonly WorkspacePath[];
}

/** A file that is made. */
export interface ImportedFile {
  readonly path: WorkspacePath;
  readonly text: string;
  /** Where what it says comes from. */
  readonly because: readonly string[];
}

/** What was not taken over, or is otherwise here than in the other tool. */
export interface ImportNote {
  readonly location: Location;
  /** As `build.artifacts[0].jib`; nothing where it is about the whole file. */
  readonly field: string;
  readonly sentence: string;
}

/** Empty where there are problems. */
export interface Imported {
  readonly files: readonly ImportedFile[];
  /** Those that the files make, which were none before. */
  readonly projects: readonly Project[];
  readonly notes: readonly ImportNote[];
  readonly problems: readonly Problem[];
}

export type Configs = Map<WorkspacePath, Config>;

/** The documents of a YAML file, or why it cannot be read. */
export interface Sheets {
  readonly file: WorkspacePath;
  readonly roots: readonly Field[];
  readonly problem?: Problem;
}

export function readSheets(file: WorkspacePath, files: WorkspaceFiles): Sheets {
  const text = files.textOf(file);
  if (text === undefined) return { file, roots: [], problem: notThere(file) };
  const lines = new LineCounter();
  const roots: Field[] = [];
  for (const document of parseAllDocuments(text, { lineCounter: lines }) as readonly Document.Parsed[]) {
    const [error] = document.errors;
    if (error) {
      const { line, col } = lines.linePos(error.pos[0]);
      return { file, roots, problem: notReadable({ file, line, column: col }, error.message) };
    }
    const sheet: Sheet = { file, document, lines, taken: new Set() };
    roots.push(new Field(sheet, document.contents, ''));
  }
  return { file, roots };
}

export interface Made {
  readonly configs: Configs;
  /** Beside them. */
  readonly others?: readonly { readonly path: WorkspacePath; readonly text: string }[];
  readonly projects?: readonly Project[];
  readonly notes: readonly ImportNote[];
  readonly problems: readonly Problem[];
}

/** What was made of files, without what is there already: that is never written over, and what it would be is told. */
export function importedFrom(
  { files, read }: { readonly files: WorkspaceFiles; readonly read: readonly WorkspacePath[] },
  { configs, others = [], projects = [], notes, problems }: Made,
): Imported {
  if (problems.length > 0) return { files: [], projects: [], notes: [], problems };
  const said = [...configs].filter(([, config]) => Object.keys(config).length > 1);
  const made = [...said.map(([path, config]) => ({ path, text: textOf(config, read) })), ...others];
  const isThere = ({ path }: { readonly path: WorkspacePath }): boolean => files.kindOf(path) !== undefined;
  const because = [`from ${read.join(', ')}`];
  const untouched = made.filter(isThere).map(({ path, text }): ImportNote => {
    const sentence = files.textOf(path) === text ? '' : `is there already and stays as it is; what would be written is\n${text}`;
    return { location: { file: path }, field: '', sentence };
  });
  return {
    files: made.filter((each) => !isThere(each)).map((each) => ({ ...each, because })),
    projects,
    notes: [...notes, ...untouched.filter(({ sentence }) => sentence !== '')].sort(byPlace),
    problems: [],
  };
}

function byPlace({ location: one }: ImportNote, { location: other }: ImportNote): number {
  if (one.file !== other.file) return one.file < other.file ? -1 : 1;
  return (one.line ?? 0) - (other.line ?? 0) || (one.column ?? 0) - (other.column ?? 0);
}

function textOf(config: Config, from: readonly WorkspacePath[]): string {
  const document = new Document(config);
  document.commentBefore = ` From ${from.join(', ')}.`;
  return document.toString({ lineWidth: 0 });
}

function notThere(file: WorkspacePath): Problem {
  return {
    code: 'fileNotFound',
    message: `there is no ${file}`,
    hint: 'name a file, relative to the workspace',
    retry: 'never',
    exitCode: 2,
  };
}

function notReadable(location: Location, message: string): Problem {
  return {
    code: 'invalidYaml',
    message: `${placeOf(location)}: not valid YAML: ${message.split('\n')[0] ?? ''}`,
    retry: 'whenInputChanges',
    exitCode: 2,
    location,
  };
}

/** As `skaffold.yaml:3`. */
export function placeOf({ file, line }: Location): string {
  return `${file}:${String(line ?? 1)}`;
}
