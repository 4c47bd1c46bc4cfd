import { contentDigest, emptyDir, fileEntry, withEntries, type Artifact, type Input } from '../model';
import { contextWarnings } from './contextWarnings';

const million = 1_000_000;

interface Wanted {
  /** What is on disk and not followed. */
  readonly there?: string;
  /** What the ignore file leaves out. */
  readonly ignored?: string;
  readonly paths?: readonly string[];
  readonly command?: boolean;
}

function told(files: Readonly<Record<string, number>>, { there = '', ignored = '', paths = ['apps/api'], command = false }: Wanted = {}) {
  const sources = withEntries(
    emptyDir,
    Object.entries(files).map(([path, size]) => [path, fileEntry({ digest: contentDigest(path), size, mode: 0o644 })] as const),
  );
  const inputs = paths.map((path): Input => ({
    path,
    containerPath: '/app',
    onChange: 'sync',
    because: 'copied',
    accepts: (at) => at !== ignored,
  }));
  const artifact: Artifact = {
    name: 'api',
    project: 'api',
    image: 'api',
    recipe: {
      builder: 'docker/1',
      context: 'apps/api',
      dockerfile: 'apps/api/Dockerfile',
      args: {},
      ...(command && { command: { run: 'make', folder: 'apps/api', config: 'apps/api/slipway.yaml', env: {} } }),
    },
    inputs,
    requires: [],
    targets: [],
    after: [],
    reload: { kind: 'hot', because: 'it is a test' },
  };
  return contextWarnings({ artifact, sources, limit: 100 * million, isThere: (path) => path === there });
}

describe('a build context', () => {
  it('with what an image needs is not talked about', () => {
    expect(told({ 'apps/api/src/main.js': 1000, 'libs/big.bin': 200 * million })).toEqual([]);
  });

  it.each(['apps/api/node_modules', 'apps/api/.git'])('that an engine would be sent %s with is told about', (there) => {
    const folder = there.replace(/^.*\//, '');
    expect(told({ 'apps/api/main.js': 1000 }, { there })).toEqual([
      {
        message: `${there} is left out of the image, though an instruction copies what is around it`,
        hint: `write **/${folder} to apps/api/.dockerignore; an image that needs it has a COPY that names it`,
      },
    ]);
  });

  it.each<[string, Wanted]>([
    ['leaves out what its ignore file names', { ignored: 'apps/api/node_modules' }],
    ['may have what an instruction names itself', { paths: ['apps/api', 'apps/api/node_modules'] }],
    ['of a command is that command’s own affair', { command: true }],
  ])('%s', (_, wanted) => {
    expect(told({ 'apps/api/main.js': 1000 }, { there: 'apps/api/node_modules', ...wanted })).toEqual([]);
  });

  it('that is large is told with its biggest folders, and with the ignore file that counts', () => {
    const files = { 'public/video/a.mp4': 150 * million, 'public/b.png': million, 'data/c.csv': 60 * million, 'src/d.js': 10 };
    const inContext = Object.fromEntries(Object.entries(files).map(([path, size]) => [`apps/api/${path}`, size]));
    expect(told({ ...inContext, 'apps/api/Dockerfile.dockerignore': 10 })).toEqual([
      {
        message: 'its build context has 211 MB: apps/api/public/video 150 MB, apps/api/data 60 MB',
        hint: 'what the image does not need is left out by apps/api/Dockerfile.dockerignore: public/video, data',
      },
    ]);
  });
});
