export { followLogs, type FollowLogsRequest, type LogFollower, type LogLine } from './followLogs';
