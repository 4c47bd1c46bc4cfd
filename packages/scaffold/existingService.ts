import { readDockerfile } from '../dockerfile';
import { joinPath, type WorkspaceFiles } from '../graph';
import { failed, succeeded, withoutScope, type Result, type WorkspacePath } from '../model';
import { knownUsers } from './baseImages';
import { objectName } from './objectName';
import { workloadManifest, type Workload } from './workload';

export interface ExistingService {
  readonly project: string;
  readonly root: WorkspacePath;
  /** When the user says it, 0 for none; else the Dockerfile is asked. */
  readonly port: number | undefined;
}

/** The manifests of a project that has only a Dockerfile. */
export interface Guessed {
  readonly path: WorkspacePath;
  readonly manifest: string;
  /** What was taken from where, and what is a guess: a sentence each. */
  readonly because: readonly string[];
}

/** Guesses manifests from a Dockerfile and the sources beside it, and says what is a guess. */
export function manifestsFor({ project, root, port }: ExistingService, files: WorkspaceFiles): Result<Guessed> {
  const dockerfile = joinPath(root, 'Dockerfile');
  const text = files.textOf(dockerfile);
  if (text === undefined) {
    return failed({
      code: 'dockerfileNotFound',
      message: `${project}: there is no ${dockerfile} to write manifests for`,
      hint: 'write one, or make a new service with the generator service',
      retry: 'whenInputChanges',
      exitCode: 2,
      project,
    });
  }
  const { facts, problems } = readDockerfile(text, { file: dockerfile, args: {}, kindOf: (path) => files.kindOf(joinPath(root, path)) });
  const [problem] = problems;
  if (!facts) return failed({ ...(problem ?? notReadable(dockerfile)), project });

  const exposed = facts.ports.map((each) => Number.parseInt(each, 10)).find((each) => !Number.isNaN(each));
  const wanted = port ?? exposed;
  if (wanted === undefined) {
    return failed({
      code: 'portNotKnown',
      message: `${project}: ${dockerfile} says no port (EXPOSE)`,
      hint: 'say it with --port (--port 0: it listens on none), or add EXPOSE to the Dockerfile',
      retry: 'whenInputChanges',
      exitCode: 2,
      project,
      location: { file: dockerfile },
    });
  }
  const image = withoutScope(project);
  const name = objectName(image);
  const user = userOf(facts.user);
  const origin = port === undefined ? `${dockerfile} exposes it` : 'as you said';
  const { listens, because } =
    wanted === 0
      ? { listens: undefined, because: ['no port, no Service and no probes: as you said'] }
      : listensOn(wanted, origin, healthPath(root, files));
  return succeeded({
    path: joinPath(root, `k8s/${name}.yaml`),
    manifest: workloadManifest({ name, image, ...(listens && { listens }), user, memory: { request: '64Mi', limit: '512Mi' } }),
    because: [
      ...because,
      user === 'unknown'
        ? `it may run as root: ${facts.user === undefined ? `${dockerfile} has no USER` : `the number of USER ${facts.user} is not known`}`
        : `it runs as user ${user}: USER ${facts.user ?? ''} in ${dockerfile}`,
      'memory up to 512Mi: a guess',
    ],
  });
}

/** Where it answers, and what of that is a guess. */
function listensOn(
  port: number,
  origin: string,
  health: ReturnType<typeof healthPath>,
): { readonly listens: Workload['listens']; readonly because: readonly string[] } {
  const known = `port ${port}: ${origin}`;
  return health
    ? {
        listens: { port, probe: { kind: 'http', path: health.path }, probeRemark: `A guess: ${health.file} has ${health.path} in it.` },
        because: [known, `probes ask for ${health.path}: a guess, because ${health.file} has it`],
      }
    : {
        listens: {
          port,
          probe: { kind: 'tcp' },
          probeRemark: 'A guess: a connection to the port. A path that answers only when the service can work says more.',
        },
        because: [known, 'probes connect to the port: a guess, because no source has a path that looks like one for health'],
      };
}

function notReadable(dockerfile: WorkspacePath) {
  return { code: 'dockerfileInvalid', message: `${dockerfile} cannot be read`, retry: 'whenInputChanges', exitCode: 2 } as const;
}

function userOf(user: string | undefined): number | 'unknown' {
  const [name = ''] = (user ?? '').split(':');
  const uid = /^\d+$/.test(name) ? Number(name) : knownUsers[name];
  return uid === undefined || uid === 0 ? 'unknown' : uid;
}

/** The usual paths, the most telling first. */
const healthPaths = ['/readyz', '/healthz', '/livez', '/health/ready', '/api/health', '/health', '/actuator/health', '/ping'];
const sourceFiles = /\.([cm]?[jt]sx?|py|go|rs|java|kt|rb|php|cs|ya?ml|conf)$/;
const looksAtMost = 400;

/** A path for health that a source file of the project names. */
function healthPath(root: WorkspacePath, files: WorkspaceFiles): { readonly path: string; readonly file: WorkspacePath } | undefined {
  const texts = sourcesBelow(root, files).map((file) => ({ file, text: files.textOf(file) ?? '' }));
  for (const path of healthPaths) {
    const written = new RegExp(`['"\`\\s]${path}['"\`\\s]`);
    const found = texts.find(({ text }) => written.test(text));
    if (found) return { path, file: found.file };
  }
  return undefined;
}

function sourcesBelow(root: WorkspacePath, files: WorkspaceFiles): readonly WorkspacePath[] {
  const found: WorkspacePath[] = [];
  const folders = [root];
  for (const folder of folders) {
    for (const name of files.namesIn(folder)) {
      if (/^(node_modules|dist|k8s|test|tests|\..*)$|[.-](spec|test)\./.test(name)) continue;
      const path = joinPath(folder, name);
      if (found.length >= looksAtMost) return found;
      if (sourceFiles.test(name)) found.push(path);
      else if (files.kindOf(path) === 'dir') folders.push(path);
    }
  }
  return found;
}
