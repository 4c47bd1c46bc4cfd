export { openForward, type Forward, type ForwardRequest, type ForwardState } from './openForward';
