import { decidePull, type PullDecision, type PullFacts } from './decidePull';

describe('a file that a container holds', () => {
  const facts = { here: undefined, pulled: undefined, brought: [], before: undefined, synced: undefined };

  it.each<readonly [string, Omit<PullFacts, keyof typeof facts> & Partial<PullFacts>, PullDecision]>([
    ['that is nowhere else is pulled', { there: 'a' }, 'pull'],
    ['that is the same here is kept', { there: 'a', here: 'a' }, 'keep'],
    ['that the image brought is kept, whatever is here', { there: 'a', brought: ['a'], here: 'b' }, 'keep'],
    ['that a sync has just brought is kept', { there: 'b', synced: 'b', before: 'a', here: 'c' }, 'keep'],
    ['that it changed since the image is pulled over what the image was made from', { there: 'b', brought: ['a'], here: 'a' }, 'pull'],
    ['that it changed since it was pulled is pulled again', { there: 'b', pulled: 'a', here: 'a' }, 'pull'],
    ['that was pulled and then changed here is kept', { there: 'a', pulled: 'a', here: 'b' }, 'keep'],
    ['that was pulled and then removed here is not brought back', { there: 'a', pulled: 'a' }, 'keep'],
    ['that it made anew after it was removed here is pulled', { there: 'b', pulled: 'a' }, 'pull'],
    ['that both have changed is a conflict', { there: 'b', pulled: 'a', here: 'c' }, 'conflict'],
    ['that both have, and nobody knows since when, is a conflict', { there: 'b', here: 'c' }, 'conflict'],
    [
      'that it changed back to what the image brought is pulled',
      { there: 'a', brought: ['a'], before: 'b', pulled: 'b', here: 'b' },
      'pull',
    ],
    ['that was in conflict, and is as it was, is not told again', { there: 'b', before: 'b', pulled: 'a', here: 'c' }, 'keep'],
    [
      'that another container holds otherwise is kept while it does not change',
      { there: 'a', before: 'a', pulled: 'b', here: 'b' },
      'keep',
    ],
  ])('%s', (_, known, decision) => expect(decidePull({ ...facts, ...known })).toBe(decision));
});
