import { dirname, relative, sep } from 'node:path';
import type { GraphFacts, GraphSource } from '../graph';
import { fullName, projectOf, type Result } from '../model';
import { expandPatterns, isPattern } from './projectPatterns';

/** What a command is for, and the graph it reads. */
export interface Chosen {
  readonly projects: readonly string[];
  readonly graph: GraphSource;
  readonly notices: NonNullable<GraphFacts['notices']>;
}

export interface Choice {
  /** As the user wrote them. */
  readonly named: readonly string[];
  readonly graph: GraphSource;
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The projects that something is built or deployed of; only asked when a pattern is among the names. */
  readonly deployable: (graph: GraphSource) => Promise<ReadonlySet<string>>;
}

/** The projects that were named; with none named inside of a project's folder or by its script, that project; else none, which means all. */
export async function chosenProjects({ named, graph, cwd, env, deployable }: Choice): Promise<Chosen> {
  const facts = await graph.read();
  // What was just read is what the command reads first: making a graph can take half a second.
  const remembering = { ...graph, read: firstly(facts, () => graph.read()) };
  // Why a graph cannot be made is told by the command, which knows what else is missing.
  if (!facts.ok) return { projects: named, graph: remembering, notices: [] };
  const { projects, notices = [] } = facts.value;
  const names = projects.map(({ name }) => name);
  const written = named.some(isPattern)
    ? expandPatterns(named, { projects, deployable: await deployable({ ...graph, read: () => Promise.resolve(facts) }) })
    : named;
  const chosen = named.length > 0 ? written.map((name) => fullName(name, names)) : projectAround(projects, { graph, cwd, env });
  return { projects: [...new Set(chosen)], graph: remembering, notices };
}

/** All of them, which needs no graph. What is to be known of how it was made is told when somebody reads it. */
export function allProjects(graph: GraphSource, tell: (notice: Chosen['notices'][number]) => void): Chosen {
  let told = false;
  const read: GraphSource['read'] = async () => {
    const facts = await graph.read();
    if (facts.ok && !told) for (const notice of facts.value.notices ?? []) tell(notice);
    told = true;
    return facts;
  };
  return { projects: [], graph: { ...graph, read }, notices: [] };
}

function firstly<T>(known: Result<T>, read: () => Promise<Result<T>>): () => Promise<Result<T>> {
  let first: Result<T> | undefined = known;
  return () => {
    const answer = first === undefined ? read() : Promise.resolve(first);
    first = undefined;
    return answer;
  };
}

function projectAround(projects: GraphFacts['projects'], { graph, cwd, env }: Pick<Choice, 'graph' | 'cwd' | 'env'>): readonly string[] {
  // A script that goes up to the workspace's root first is still its package's: whoever runs scripts says whose it is.
  const ofScript = env['npm_package_json'];
  const folder = cwd === graph.root && ofScript !== undefined ? dirname(ofScript) : cwd;
  const around = projectOf(projects, relative(graph.root, folder).split(sep).join('/'));
  return around && around.root !== '' ? [around.name] : [];
}
