import { playHistory } from './playHistory';
import { shortHistory } from './ciHistory';
import { coldNx, slipway, warmNx } from './ciMachine';

describe.each([warmNx, coldNx, slipway])('after each commit $name builds and deploys what the commit reaches', (machine) => {
  playHistory(shortHistory, machine);
});
