import picomatch from 'picomatch';
import { variablesOf, type ImageConfig } from '../config';
import { acceptsDefinedBy, below, type Accepts } from '../dockerfile';
import type { Input, WorkspacePath } from '../model';
import { joinPath } from './workspaceFiles';

/** A package of the workspace that Go compiles into a program. */
export interface GoPackage {
  /** As an import names it. */
  readonly name: string;
  readonly folder: WorkspacePath;
  /** As `//go:embed` has them. */
  readonly embeds: readonly string[];
}

/** What Go says of packages and those that they import, as far as they are in the workspace. */
export interface GoPackages {
  /** Also those that are imported and not there yet: they may come. */
  readonly packages: readonly GoPackage[];
  /** Folders of the modules that they are in. */
  readonly modules: readonly WorkspacePath[];
}

export interface GoQuestion {
  readonly kind: 'go';
  readonly packages: readonly string[];
  /** What decides with them which files Go compiles. */
  readonly env: Readonly<Record<string, string>>;
}

/** Images are made for Linux, on whatever they are built. What the build command gets that needs no template is said to Go too: tags, for one. */
export function goQuestionOf(go: string | readonly string[], image: ImageConfig): GoQuestion {
  const [platform] = image.platforms ?? [image.platform];
  const architecture = platform?.split('/')[1];
  const env = Object.entries(image.custom?.env ?? {}).map(([name, value]) => [name, String(value)] as const);
  return {
    kind: 'go',
    packages: [go].flat(),
    env: {
      GOOS: 'linux',
      // With or without a compiler for C on this machine, the same packages.
      CGO_ENABLED: '1',
      ...(architecture !== undefined && { GOARCH: architecture }),
      ...Object.fromEntries(env.filter(([, value]) => variablesOf(value).length === 0)),
    },
  };
}

/** What the compilers of Go and cgo read; the rest of a folder is no part of its package. */
const source = /\.(go|c|cc|cpp|cxx|m|h|hh|hpp|hxx|f|F|for|f90|s|S|sx|swig|swigcxx|syso)$/;

/** Whether a file may say by its imports what a program is made of. */
export function isGoSource(path: WorkspacePath): boolean {
  return path.endsWith('.go') && !path.endsWith('_test.go');
}

/**
 * The files of these packages, for any platform and with any build tag: which of them are compiled is told by how the build command
 * calls Go. A file that is new in a folder is among them.
 */
export function inputsOfGo({ packages, modules }: GoPackages, { says, works }: GoPlaces): readonly Input[] {
  const named = (path: WorkspacePath): Input => ({ path, onChange: 'rebuild', because: `the build finds packages by it (${says})` });
  return [
    ...packages.map(({ name, folder, embeds }): Input => ({
      path: folder,
      onChange: 'rebuild',
      because: `the build compiles the package ${name} (${says})`,
      accepts: acceptsDefinedBy(JSON.stringify(['go', folder, embeds]), takenBy({ folder, embeds })),
    })),
    ...modules.flatMap((folder) => moduleFiles.map((file) => named(joinPath(folder, file)))),
    ...works.map(named),
  ];
}

interface GoPlaces {
  /** Where the packages are asked for, for people. */
  readonly says: string;
  /** `go.work` and what belongs to it. */
  readonly works: readonly WorkspacePath[];
}

const moduleFiles = ['go.mod', 'go.sum', 'vendor/modules.txt'];

function takenBy({ folder, embeds }: Omit<GoPackage, 'name'>): Accepts {
  const embedded = embeds.map(embeddedBy);
  return (path, kind) => {
    const inside = below(folder, path)?.split('/') ?? [''];
    const [name = ''] = inside;
    if (name === '') return kind === 'dir';
    const isSource = kind === 'file' && inside.length === 1 && source.test(name) && !name.endsWith('_test.go');
    return isSource || embedded.some((takes) => takes(inside, kind));
  };
}

/** As Go reads a pattern of `//go:embed`: a directory stands for all in it but what begins with `.` or `_`, which `all:` takes too. */
function embeddedBy(pattern: string): (inside: readonly string[], kind: 'file' | 'dir') => boolean {
  const takesHidden = pattern.startsWith('all:');
  const names = pattern
    .replace(/^all:/, '')
    .split('/')
    .map((name) => picomatch(name, { dot: true, nobrace: true, noextglob: true, nonegate: true, noglobstar: true }));
  return (inside, kind) => {
    if (!names.every((isName, index) => inside[index] === undefined || isName(inside[index]))) return false;
    if (inside.length < names.length) return kind === 'dir';
    return takesHidden || inside.slice(names.length).every((name) => !/^[._]/.test(name));
  };
}
