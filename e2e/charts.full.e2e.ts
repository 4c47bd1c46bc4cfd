import { deployTools } from './deployTools';
import { playCharts } from './playCharts';

describe('charts, by helm 4', () => {
  playCharts(deployTools.helm4);
});
