import { type AfterCommand, type Artifact, type ArtifactName, type Input, type Release, type Target, type Workspace } from '../../model';

/** A small workspace with every kind of input in it: shared, overlaid, built by a target, standing on an image of its own. */
export interface ShopArtifact {
  readonly name: ArtifactName;
  /** Workspace folder → container folder, later ones over earlier ones. */
  readonly copies: readonly (readonly [string, string])[];
  /** Folders whose change needs a new image. */
  readonly recipes: readonly string[];
  readonly base?: ArtifactName;
  readonly target?: string;
  /** Folders that are only copied into running containers, and no part of the image. */
  readonly onlySynced?: readonly (readonly [string, string])[];
  readonly reload: 'hot' | 'command';
  /** What runs is made from these in the container: a compile that fails on a bad file, then the restart. */
  readonly compiled?: readonly string[];
  readonly replicas: number;
}

export const shopArtifacts: readonly ShopArtifact[] = [
  {
    name: 'a',
    copies: [
      ['libs/x', '/app/lib'],
      ['apps/a/over', '/app/lib'],
      ['apps/a/src', '/app/src'],
    ],
    recipes: ['apps/a/recipe'],
    reload: 'hot',
    replicas: 2,
  },
  {
    name: 'b',
    copies: [
      ['apps/b/src', '/b'],
      ['libs/x', '/b/x'],
    ],
    recipes: ['apps/b/recipe'],
    reload: 'command',
    replicas: 1,
  },
  { name: 'c', copies: [['apps/c/dist', '/c']], recipes: ['apps/c/recipe'], target: 'c:build', reload: 'hot', replicas: 1 },
  {
    name: 'e',
    copies: [
      ['apps/e/src', '/e/src'],
      ['apps/e/conf', '/e/conf'],
    ],
    onlySynced: [['apps/e/extra', '/e/extra']],
    recipes: ['apps/e/recipe'],
    reload: 'command',
    compiled: ['apps/e/src'],
    replicas: 1,
  },
  { name: 'd', copies: [['apps/d/src', '/d']], recipes: ['apps/d/recipe'], base: 'z', reload: 'hot', replicas: 1 },
];

export const shopBase = { name: 'z', recipes: ['base/z'] } as const;

/** The one target: it reads these, and writes a file for each of theirs into its output. */
export const shopTarget = { id: 'c:build', inputs: ['apps/c/src', 'libs/y'], output: 'apps/c/dist' } as const;

export const editableFolders: readonly string[] = [
  'libs/x',
  'libs/y',
  'apps/a/over',
  'apps/a/src',
  'apps/a/recipe',
  'apps/b/src',
  'apps/b/recipe',
  'apps/c/src',
  'apps/c/recipe',
  'apps/e/src',
  'apps/e/conf',
  'apps/e/extra',
  'apps/e/recipe',
  'apps/d/src',
  'apps/d/recipe',
  'base/z',
];

function artifactOf(shop: ShopArtifact): Artifact {
  const inputs: Input[] = [
    ...shop.recipes.map((path): Input => ({ path, onChange: 'rebuild', because: 'read by RUN' })),
    ...shop.copies.map(([path, containerPath]): Input => ({ path, containerPath, onChange: 'sync', because: 'copied' })),
    ...(shop.onlySynced ?? []).map(([path, containerPath]): Input => ({
      path,
      containerPath,
      onChange: 'sync',
      because: 'a rule',
      onlySynced: true,
    })),
  ];
  return {
    name: shop.name,
    project: shop.name,
    image: shop.name,
    recipe: { builder: 'sim/1', context: '', dockerfile: 'Dockerfile', args: {} },
    inputs,
    requires: shop.base === undefined ? [] : [shop.base],
    targets: shop.target === undefined ? [] : [shop.target],
    reload: shop.reload === 'hot' ? { kind: 'hot', because: 'watches' } : { kind: 'command', because: 'configured' },
    after: commandsOf(shop),
  };
}

/** Where nothing is compiled, one command takes up every file. */
function commandsOf({ reload, compiled }: ShopArtifact): readonly AfterCommand[] {
  if (reload === 'hot') return [];
  const timeoutMs = 10_000;
  if (!compiled) return [{ run: ['reload'], timeoutMs }];
  const isSource = (path: string): boolean => compiled.some((folder) => path.startsWith(`${folder}/`));
  return [
    { run: ['compile'], accepts: isSource, timeoutMs },
    { run: ['restart'], accepts: isSource, timeoutMs },
    { run: ['reload'], accepts: (path) => !isSource(path), timeoutMs },
  ];
}

export function shopWorkspace(): Workspace {
  const base: Artifact = {
    name: shopBase.name,
    project: shopBase.name,
    image: shopBase.name,
    recipe: { builder: 'sim/1', context: '', dockerfile: 'Dockerfile', args: {} },
    inputs: shopBase.recipes.map((path): Input => ({ path, onChange: 'rebuild', because: 'read by RUN' })),
    requires: [],
    targets: [],
    reload: { kind: 'rebuild', because: 'it does not run' },
    after: [],
  };
  const artifacts = [base, ...shopArtifacts.map(artifactOf)];
  const releases = shopArtifacts.map(({ name }): Release => ({
    name,
    project: name,
    sources: [{ kind: 'kubectl', manifests: [`apps/${name}/k8s.yaml`] }],
    inputs: [{ path: `apps/${name}/k8s.yaml`, because: `a manifest of ${name}` }],
    artifacts: [name],
  }));
  const target: Target = {
    id: shopTarget.id,
    project: 'c',
    inputs: shopTarget.inputs.map((path) => ({ path })),
    outputs: [shopTarget.output],
    dependsOn: [],
    runsDependencies: true,
  };
  return {
    root: '/shop',
    projects: new Map(artifacts.map(({ name }) => [name, { name, root: `apps/${name}`, dependencies: [] }])),
    artifacts: new Map(artifacts.map((artifact) => [artifact.name, artifact])),
    releases: new Map(releases.map((release) => [release.name, release])),
    targets: new Map([[target.id, target]]),
    forwards: [],
    problems: [],
  };
}
