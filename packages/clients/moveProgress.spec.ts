import type { EngineMessage } from './engineMessages';
import { moveProgress } from './moveProgress';

const told = (messages: readonly EngineMessage[]): readonly string[] => {
  const progress = moveProgress();
  return messages.flatMap((message) => progress(message) ?? []);
};

describe('what an engine says while it moves an image', () => {
  it('is silent of layers that are there already, and of small ones', () => {
    const layer = (status: string) => ({ id: '4aa1f5fc3196', status });
    expect(
      told([
        { status: 'The push refers to repository [localhost:5000/api]' },
        ...['Preparing', 'Waiting', 'Mounted from web', 'Layer already exists', 'Pushed', 'Pull complete'].map(layer),
        { ...layer('Pushing'), progressDetail: { current: 100, total: 2000 } },
        { status: 'v1: digest: sha256:1234 size: 1356' },
      ]),
    ).toEqual([]);
  });

  it('tells how far a large layer is, by quarters', () => {
    const at = (current: number) => ({
      id: 'b3e78781fdd3',
      status: 'Pushing',
      progressDetail: { current: current * 1024 * 1024, total: 104857600 },
    });
    expect(told([1, 2, 24, 26, 27, 80, 100, 101].map(at))).toEqual([
      'b3e78781fdd3: pushing, 1 of 100 MB',
      'b3e78781fdd3: pushing, 26 of 100 MB',
      'b3e78781fdd3: pushing, 80 of 100 MB',
      'b3e78781fdd3: pushing, 100 of 100 MB',
    ]);
  });

  it('tells of the seconds to its next try only the first number of each try', () => {
    const seconds = [5, 5, 4, 5, 1, 10, 10, 9];
    const said = seconds.map((count) => ({ id: '1', status: `Retrying in ${count} second${count === 1 ? '' : 's'}` }));
    expect(told(said)).toEqual(['Retrying in 5 seconds', 'Retrying in 10 seconds']);
  });
});
