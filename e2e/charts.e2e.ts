import { deployTools } from './deployTools';
import { playCharts } from './playCharts';

describe('charts', () => {
  playCharts(deployTools.helm);
});
