export { openForward, type Forward, type ForwardRequest, type ForwardState } from './openForward';
export { workloadSelector } from './resource';
export { type RunInPod } from './restartWatch';
