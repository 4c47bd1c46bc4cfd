import type { Artifact, Workspace } from '../model';
import { scopeFor } from './scope';

describe('what is followed of an image', () => {
  const artifact: Artifact = {
    name: 'api',
    project: 'api',
    image: 'api',
    recipe: { builder: 'docker/1', context: 'api', dockerfile: 'api/Dockerfile', args: {} },
    inputs: [{ path: 'api/src', onChange: 'rebuild', because: 'read by RUN make', accepts: (path) => !path.endsWith('.log') }],
    requires: [],
    targets: [],
    reload: { kind: 'hot', because: '' },
    after: [],
  };
  const acceptedOf = (of: Artifact, name: string): boolean | undefined => {
    const rest = { projects: new Map(), releases: new Map(), targets: new Map(), forwards: [], problems: [] };
    const workspace: Workspace = { root: '/', artifacts: new Map([['api', of]]), ...rest };
    return scopeFor(workspace, { kind: 'built', artifacts: new Set(['api']), releases: new Set() }, undefined).accepts?.(
      `api/src/${name}`,
      'file',
    );
  };

  it.each(['.main.go.swp', 'deep/.main.go.swo', '.#main.go', '#main.go#', 'main.go~', 'x.log'])('is not %s', (name) => {
    expect(acceptedOf(artifact, name)).toBe(false);
  });

  it.each(['main.go', '.env', 'sw', 'a.swp', '#1', 'a~b', 'deep/main.go'])('is %s', (name) => {
    expect(acceptedOf(artifact, name)).toBe(true);
  });

  it('is all of a folder that is copied as it is', () => {
    const folder: Artifact = { ...artifact, recipe: { ...artifact.recipe, builder: 'none' } };
    expect(['.main.go.swp', 'main.go~'].map((name) => acceptedOf(folder, name))).toEqual([true, true]);
  });
});
