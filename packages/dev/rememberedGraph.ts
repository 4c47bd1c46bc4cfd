import type { GraphSource } from '../graph';

/** A graph that is read once: half a second of Nx is not spent because a manifest changed, or because it is needed twice. */
export function rememberedGraph(graph: GraphSource): GraphSource {
  let facts: ReturnType<GraphSource['read']> | undefined;
  return {
    ...graph,
    read: () => {
      facts ??= graph.read();
      return facts;
    },
  };
}
