export { openForward, type Forward, type ForwardRequest, type ForwardState } from './openForward';
export { type RunInPod } from './restartWatch';
