import { StringDecoder } from 'node:string_decoder';
import { bytesIn, decodeFields, isTrue, messagesIn, stringIn } from './protobuf';

/** The instruction that a build failed at, in BuildKit's words. */
export interface FailedStep {
  /** `RUN npm ci`, without its number. */
  readonly instruction: string;
  readonly error: string;
  /** The last lines it printed. */
  readonly printed: readonly string[];
}

interface Vertex {
  name: string;
  error: string;
  announced: boolean;
  readonly decoder: StringDecoder;
  partial: string;
  readonly printed: string[];
}

const keptLines = 40;

/**
 * BuildKit's status messages (`moby.buildkit.v1.StatusResponse`) as lines: each step's name once, and what it prints. Fields by
 * api/services/control/control.proto of BuildKit: 1 vertexes, 3 logs; of a vertex 1 digest, 3 name, 4 cached, 5 started, 7 error;
 * of a log 1 vertex, 4 bytes.
 */
export function buildTrace(onLine: (line: string) => void): { add(message: Buffer): void; end(): FailedStep | undefined } {
  const vertexes = new Map<string, Vertex>();
  const vertexOf = (digest: string): Vertex => {
    const known = vertexes.get(digest);
    if (known) return known;
    const vertex: Vertex = { name: '', error: '', announced: false, decoder: new StringDecoder('utf8'), partial: '', printed: [] };
    vertexes.set(digest, vertex);
    return vertex;
  };
  const print = (vertex: Vertex, line: string): void => {
    // A progress bar draws over its line; what it drew last is what remains on a terminal.
    const last = line.replace(/\r+$/, '').split('\r').at(-1) ?? '';
    vertex.printed.push(last);
    if (vertex.printed.length > keptLines) vertex.printed.shift();
    onLine(last);
  };
  return {
    add(message) {
      const status = decodeFields(message);
      for (const fields of messagesIn(status, 1)) {
        const vertex = vertexOf(stringIn(fields, 1));
        vertex.name = stringIn(fields, 3) || vertex.name;
        vertex.error = stringIn(fields, 7) || vertex.error;
        const cached = isTrue(fields, 4);
        if (vertex.announced || !(cached || fields.has(5)) || isInternal(vertex.name)) continue;
        vertex.announced = true;
        onLine(cached ? `${vertex.name} (cached)` : vertex.name);
      }
      for (const fields of messagesIn(status, 3)) {
        const vertex = vertexOf(stringIn(fields, 1));
        for (const bytes of bytesIn(fields, 4)) vertex.partial += vertex.decoder.write(bytes);
        const lines = vertex.partial.split('\n');
        vertex.partial = lines.pop() ?? '';
        for (const line of lines) print(vertex, line);
      }
    },
    end() {
      for (const vertex of vertexes.values()) if (vertex.partial !== '') print(vertex, vertex.partial);
      // Steps that ran beside the failing one end as cancelled.
      const failing = [...vertexes.values()].filter((vertex) => vertex.error !== '');
      const vertex = failing.find((each) => !/context canceled/.test(each.error)) ?? failing[0];
      return vertex && { instruction: vertex.name.replace(/^\[[^\]]*\] /, ''), error: vertex.error, printed: vertex.printed };
    },
  };
}

/** Steps of BuildKit's own that say nothing about the Dockerfile. */
function isInternal(name: string): boolean {
  return name.startsWith('[internal]') || name === 'copy /context /';
}
