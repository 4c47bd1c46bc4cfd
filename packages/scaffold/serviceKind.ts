import type { Workload } from './workload';

/** The kinds of services that can be made from nothing, in the order in which they are offered. */
export const serviceKinds = ['node', 'node-bundle', 'static', 'go', 'python'] as const;
export type ServiceKind = (typeof serviceKinds)[number];

/** What each is, for whoever has to choose. */
export const kindDescriptions: Readonly<Record<ServiceKind, string>> = {
  node: 'JavaScript, its sources copied as they are; node --watch takes up edits',
  'node-bundle': 'TypeScript, bundled by esbuild with the libraries of the workspace that it uses',
  static: 'HTML and CSS, served as files',
  go: 'Go, compiled in the image; an edit is compiled in the running container',
  python: 'Python, its sources copied as they are; an edit starts the program again',
};

/** Where a service of a kind listens when nobody says. */
export const defaultPorts: Readonly<Record<ServiceKind, number>> = {
  node: 3000,
  'node-bundle': 3000,
  static: 8080,
  go: 8080,
  python: 8000,
};

/** Files by path, relative to the folder of the service. */
export type Files = Readonly<Record<string, string>>;

/** What a kind is told of the service that it makes. */
export interface Service {
  readonly name: string;
  readonly port: number;
  /** The nearest tsconfig.base.json of the workspace, relative to the service. */
  readonly baseTsconfig: string | undefined;
}

/** A command that makes files which the image takes. */
export interface BuildCommand {
  /** To be run in the folder of the service. */
  readonly command: string;
  /** Relative to the folder of the service. */
  readonly outputs: readonly string[];
}

/** What a service consists of, before it is known how the workspace declares its projects. */
export interface ServiceSources {
  readonly files: Files;
  /** The file to begin with. */
  readonly entry: string;
  readonly memory: Workload['memory'];
  readonly gracePeriod?: Workload['gracePeriod'];
  readonly healthPath: string;
  /** What its package.json is for: its image takes it, only its build needs it, or it needs none. */
  readonly npm: 'inImage' | 'forBuild' | 'no';
  readonly build?: BuildCommand;
  /** Other scripts for its package.json. */
  readonly scripts: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
}
