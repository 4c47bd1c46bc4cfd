export { deliberateFaults, type DeliberateFault } from './deliberateFaults';
export { trueRules, type Rules } from './rules';
export { simulate, type HistoryEnd } from './simulate';
