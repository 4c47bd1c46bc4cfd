export type { Agent, AgentName, Applied, SyncBatch } from './agent';
export { inspect, sameContent, type Inspected, type InspectRequest } from './inspect';
export type { LedgerEntry } from './ledger';
export { listBelow, type Listed } from './listBelow';
export { openAgent, type OpenAgentOptions } from './openAgent';
export { silenceMs } from './silence';
export { sourceReader, wholeFileBytes, type Content, type ReadSource } from './sourceReader';
export { readWatched, watchFiles, type WatchedFile, type WatchedFiles } from './watchFiles';
