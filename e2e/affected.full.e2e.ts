import { wholeHistory } from './ciHistory';
import { coldNx, slipway, warmNx } from './ciMachine';
import { playHistory } from './playHistory';

describe.each(['22.7.12', '23.3.2'])('in a workspace of Nx %s, after each commit', (nx) => {
  describe.each([warmNx, coldNx])('$name builds and deploys what the commit reaches', (machine) => {
    playHistory(wholeHistory, machine, { nx });
  });
});

describe.each([warmNx, coldNx, slipway])(
  'in the whole shop, after each commit $name builds and deploys what the commit reaches',
  (machine) => {
    playHistory(wholeHistory, machine);
  },
);
