import { createHash } from 'node:crypto';
import type { Kube } from '../clients';
import { failed, succeeded, type ContainerId, type ContainerPath, type Problem, type Result } from '../model';
import type { Agent, AgentName } from './agent';
import { AgentStream } from './agentStream';
import { ledgerFrame, sourceFrame } from './frames';
import { compactedLedger, ledgerHeader, replayLedger, type Ledger } from './ledger';
import { nodeAgentSource } from './nodeAgent';
import { ledgerFolders, nodeCommand, shellCommand, type AgentArguments } from './probe';
import { agentLost, agentSilent, noAgentPossible, notWritable } from './problems';
import { RunningAgent } from './runningAgent';
import { shAgentSource } from './shAgent';
import { unlessSilent } from './silence';

export interface OpenAgentOptions {
  readonly kube: Pick<Kube, 'exec'>;
  readonly container: { readonly namespace: string; readonly pod: string; readonly container: string; readonly id: ContainerId };
  /** Where files may go: directories, or single files. Links inside the container that lead out of them are not followed. */
  readonly roots: readonly ContainerPath[];
  readonly signal?: AbortSignal;
  /** The stream ended without `close`. Called once, and only for an agent that was opened. */
  readonly onLost: (problem: Problem) => void;
  /**
   * What is brought, where that is not all that the container's image says: it has a ledger and an agent of its own, beside others. Whoever
   * brings the same takes its agent over.
   */
  readonly part?: string;
  /** Where the ledger may live, with colons between. */
  readonly ledgerFolders?: string;
  /** How long it may say nothing before it has said hello: see `silenceMs`. Milliseconds. */
  readonly silenceMs?: number;
  /** How long it may leave unanswered what it was sent. Milliseconds. */
  readonly unansweredMs?: number;
}

const sources: Readonly<Record<AgentName, string>> = { node: nodeAgentSource, sh: shAgentSource };
/** A ledger is rewritten at hello when it is longer than this and mostly repeats itself. */
const longLedgerBytes = 256 * 1024;

/** What became of one try to start an agent; `instead` says that another way may do. */
type Start =
  | { readonly kind: 'opened'; readonly agent: Agent }
  | { readonly kind: 'failed'; readonly problem: Problem; readonly instead: 'node' | 'sh' | 'nothing' };

/**
 * Starts the agent that suits a container: Node's where there is one, else the shell's. Failures: `noAgentPossible`,
 * `containerNotWritable`, `agentFailed`, and those of an exec.
 */
export async function openAgent(options: OpenAgentOptions): Promise<Result<Agent>> {
  const { namespace, pod, container, id } = options.container;
  const about: AgentArguments = {
    ledgerName: `.slipway-${createHash('sha256')
      .update([namespace, pod, container, ...(options.part === undefined ? [] : [options.part])].join('/'))
      .digest('hex')
      .slice(0, 16)}`,
    ledgerHeader: ledgerHeader(id),
    ledgerFolders: options.ledgerFolders ?? ledgerFolders,
    roots: options.roots,
  };
  let start = await startAgent(options, shellCommand('any', about), undefined, about);
  // There is no shell: images made of an app alone have Node somewhere.
  for (const node of ['node', '/nodejs/bin/node']) {
    if (start.kind === 'failed' && start.instead === 'node') start = await startAgent(options, nodeCommand(node, about), 'node', about);
  }
  if (start.kind === 'failed' && start.instead === 'node') return failed(noAgentPossible(nameOf(options), ''));
  // Its Node is too old, or does not start.
  if (start.kind === 'failed' && start.instead === 'sh') start = await startAgent(options, shellCommand('sh', about), undefined, about);
  return start.kind === 'opened' ? succeeded(start.agent) : failed(start.problem);
}

function nameOf({ container: { pod, container } }: OpenAgentOptions): string {
  return `container ${container} of pod ${pod}`;
}

async function startAgent(
  options: OpenAgentOptions,
  command: readonly string[],
  chosen: AgentName | undefined,
  about: AgentArguments,
): Promise<Start> {
  const { namespace, pod, container } = options.container;
  const { signal } = options;
  const exec = await options.kube.exec({ namespace, pod, container, command, ...(signal ? { signal } : {}) });
  if (!exec.ok) return { kind: 'failed', problem: exec.problem, instead: isMissing(exec.problem) ? 'node' : 'nothing' };
  const stream = new AgentStream(exec.value, options.unansweredMs);
  const { answer: start } = await unlessSilent(exec.value, options.silenceMs, () => hear(options, stream, chosen, about));
  if (start.kind === 'failed') exec.value.close();
  return start;
}

async function hear(options: OpenAgentOptions, stream: AgentStream, given: AgentName | undefined, about: AgentArguments): Promise<Start> {
  const where = nameOf(options);
  let name = given;
  let user = '';
  let ledgerFile: string | undefined;
  let reading = false;
  const lines: string[] = [];
  const notWritten: { readonly path: ContainerPath; readonly onlyRead: boolean }[] = [];
  if (name) await stream.write(sourceFrame(sources[name]));
  for (;;) {
    const answer = await stream.nextAnswer();
    if (!answer) return unheard(where, stream, given, name);
    switch (answer.kind) {
      case 'chosen':
        name = answer.agent;
        await stream.write(sourceFrame(sources[name]));
        break;
      case 'impossible':
        return { kind: 'failed', problem: noAgentPossible(where, answer.missing), instead: 'nothing' };
      case 'user':
        user = answer.user;
        break;
      case 'root': {
        const root = options.roots[answer.index];
        if (!answer.writable && root !== undefined) notWritten.push({ path: root, onlyRead: answer.onlyRead });
        break;
      }
      case 'ledger':
        ledgerFile = answer.path === '' ? undefined : answer.path;
        reading = true;
        break;
      case 'refused':
      case 'done':
        break;
      case 'other':
        if (reading) lines.push(answer.line);
        break;
      case 'ready': {
        if (notWritten.length > 0) return { kind: 'failed', problem: notWritable(where, notWritten, user), instead: 'nothing' };
        const ledger = replayLedger(lines);
        const bytes = lines.reduce((sum, line) => sum + line.length + 1, 0);
        if (name)
          return {
            kind: 'opened',
            agent: await open(
              options,
              stream,
              name,
              { user, ledger: ledger.entries, perhaps: ledger.perhaps, ledgerFile },
              { ledger, bytes },
              about,
            ),
          };
      }
    }
  }
}

async function open(
  options: OpenAgentOptions,
  stream: AgentStream,
  name: AgentName,
  hello: Agent['hello'],
  kept: { readonly ledger: Ledger; readonly bytes: number },
  about: AgentArguments,
): Promise<Agent> {
  const where = nameOf(options);
  const compacted = kept.bytes > longLedgerBytes ? compactedLedger(about.ledgerHeader, kept.ledger) : undefined;
  if (compacted !== undefined && compacted.length < kept.bytes / 2) await stream.write(ledgerFrame(compacted));
  void stream.ended.then(() => {
    if (!stream.isClosing) options.onLost(agentLost(where, stream.ending));
  });
  return new RunningAgent(name, hello, stream, where, kept.ledger);
}

/** The stream ended before hello: what that means depends on how far it had come. */
function unheard(where: string, stream: AgentStream, given: AgentName | undefined, name: AgentName | undefined): Start {
  const { exitCode, problem } = stream.ending;
  const missing = exitCode === 126 || exitCode === 127 || (problem !== undefined && isMissing(problem));
  const endedByItself = exitCode !== undefined && name === 'node' && given === undefined;
  const instead = missing && name === given ? 'node' : endedByItself ? 'sh' : 'nothing';
  return { kind: 'failed', problem: agentSilent(where, stream.ending), instead };
}

/** Whether a container's runtime found no such program; each says so in its own words. */
function isMissing({ message, detail }: Problem): boolean {
  return /executable file not found|no such file or directory|exit code 12[67]\b/i.test(`${message} ${detail ?? ''}`);
}
