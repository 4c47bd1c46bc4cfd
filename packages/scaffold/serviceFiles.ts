import { go } from './kinds/go';
import { node } from './kinds/node';
import { nodeBundle } from './kinds/nodeBundle';
import { python } from './kinds/python';
import { staticSite } from './kinds/static';
import type { Service, ServiceKind, ServiceSources } from './serviceKind';
import { workloadManifest } from './workload';

/** The files of a new service, relative to its folder, without those that declare it as a project of the workspace. */
export function serviceFiles(kind: ServiceKind, service: Service): ServiceSources {
  const sources = sourcesOf(kind, service);
  const manifest = workloadManifest({
    name: service.name,
    image: service.name,
    listens: { port: service.port, probe: { kind: 'http', path: sources.healthPath } },
    user: 1000,
    memory: sources.memory,
    ...(sources.gracePeriod && { gracePeriod: sources.gracePeriod }),
  });
  return { ...sources, files: { ...sources.files, '.dockerignore': dockerignore, [`k8s/${service.name}.yaml`]: manifest } };
}

function sourcesOf(kind: ServiceKind, service: Service): ServiceSources {
  switch (kind) {
    case 'node':
      return node(service);
    case 'node-bundle':
      return nodeBundle(service);
    case 'static':
      return staticSite(service);
    case 'go':
      return go(service);
    case 'python':
      return python(service);
  }
}

/** What no image of the service takes, whatever its Dockerfile copies one day; `dist` may well be taken. */
const dockerignore = `**/node_modules
**/__pycache__
k8s
*.md
project.json
slipway.yaml
`;

export interface PackageRequest {
  readonly packageName: string;
  readonly sources: ServiceSources;
  /** Whether the dependencies for development stand here, or at the root of the workspace. */
  readonly withDevDependencies: boolean;
  /** Fields beside npm's, for other tools. */
  readonly more?: Readonly<Record<string, unknown>>;
}

/** The package.json of a new service. */
export function packageJson({ packageName, sources, withDevDependencies, more }: PackageRequest): string {
  const { build, devDependencies } = sources;
  const scripts = { ...(build && { build: build.command }), ...sources.scripts };
  const json = {
    name: packageName,
    version: '0.0.0',
    private: true,
    // What is bundled needs none: the bundle is CommonJS, whatever its sources are.
    ...(sources.npm === 'inImage' && { type: 'module' }),
    ...(Object.keys(scripts).length > 0 && { scripts }),
    ...(withDevDependencies && Object.keys(devDependencies).length > 0 && { devDependencies }),
    ...more,
  };
  return `${JSON.stringify(json, undefined, 2)}\n`;
}
