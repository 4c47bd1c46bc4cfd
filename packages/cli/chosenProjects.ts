import { relative, sep } from 'node:path';
import type { GraphSource } from '../graph';
import { projectOf, succeeded, type Result } from '../model';

/** What a command is for, and the graph it reads. */
export interface Chosen {
  readonly projects: readonly string[];
  readonly graph: GraphSource;
}

/** The projects that were named; with none named inside of a project's folder, that project; else none, which means all. */
export async function chosenProjects(named: readonly string[], graph: GraphSource, cwd: string): Promise<Result<Chosen>> {
  if (named.length > 0 || cwd === graph.root) return succeeded({ projects: named, graph });
  const facts = await graph.read();
  if (!facts.ok) return facts;
  const around = projectOf(facts.value.projects, relative(graph.root, cwd).split(sep).join('/'));
  // What was just read is what the command reads first: making a graph can take half a second.
  let known: typeof facts | undefined = facts;
  const remembering: GraphSource = {
    ...graph,
    read: () => {
      const first = known;
      known = undefined;
      return first ? Promise.resolve(first) : graph.read();
    },
  };
  return succeeded({ projects: around && around.root !== '' ? [around.name] : [], graph: remembering });
}
