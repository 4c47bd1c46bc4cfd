import type { Fact, Plan, World } from '../../model';
import { plan, record } from '../../plan';

/** The pure core as the simulator drives it. A deliberate fault is another pair of these. */
export interface Rules {
  readonly plan: (world: World) => Plan;
  readonly record: (world: World, fact: Fact) => World;
}

export const trueRules: Rules = { plan, record };
