import type { Readable } from 'node:stream';
import { eachLine } from './lines';

/** What an engine answers to a build, a push or a pull, one of these a line: `jsonmessage.JSONMessage` of its own code. */
export interface EngineMessage {
  readonly id?: string;
  readonly stream?: string;
  readonly status?: string;
  readonly progressDetail?: { readonly current?: number; readonly total?: number };
  /** A trace of BuildKit, or what came of it. */
  readonly aux?: string | { readonly ID?: string; readonly Digest?: string };
  readonly error?: string;
  readonly errorDetail?: { readonly message?: string };
}

/** Resolves, when the answer ends or is cut, to the first error that it told. */
export function readMessages(answer: Readable, onMessage: (message: EngineMessage) => void): Promise<string | undefined> {
  let error: string | undefined;
  answer.on('error', () => undefined);
  eachLine(answer, (line) => {
    const message = messageOn(line);
    error ??= message.errorDetail?.message ?? message.error;
    onMessage(message);
  });
  return new Promise((resolve) => answer.once('close', () => resolve(error)));
}

/** The last line of an answer that was cut is no JSON. */
function messageOn(line: string): EngineMessage {
  try {
    return JSON.parse(line) as EngineMessage;
  } catch {
    return {};
  }
}
