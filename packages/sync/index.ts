export type { Agent, AgentName, Applied, SyncBatch } from './agent';
export type { LedgerEntry } from './ledger';
export { openAgent, type OpenAgentOptions } from './openAgent';
export { sourceReader, wholeFileBytes, type Content, type ReadSource } from './sourceReader';
