export { followLogs, type FollowLogsRequest, type LogFollower } from './followLogs';
export { replicasOf, type LoggedContainer, type LogLine } from './loggedContainer';
export { readLogs, type ReadLogsRequest } from './readLogs';
