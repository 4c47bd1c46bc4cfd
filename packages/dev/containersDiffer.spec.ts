import { containersDiffer } from './containersDiffer';

describe('containers that hold something else', () => {
  const hint = (ofFolder: boolean, once: boolean) =>
    containersDiffer({ files: 1, containers: 1 }, { ofFolder, once, namespaces: ['shop'] }).hint;

  it('are told with what brings them into step', () => {
    expect(hint(false, false)).toMatch(/^sync --once brings/);
    expect(hint(true, false)).toMatch(/^sync --once brings/);
  });

  it('are told with something else where sync --once has brought what it can', () => {
    expect(hint(false, true)).toMatch(/kubectl delete pod POD --namespace shop/);
    expect(hint(true, true)).toMatch(/something in the container changes it/);
  });

  it('are counted', () => {
    const { message } = containersDiffer({ files: 2, containers: 3 }, { ofFolder: false, once: false, namespaces: [] });
    expect(message).toBe('2 files in 3 containers are not what they should be');
  });
});
