import { createHash } from 'node:crypto';
import type { Readable } from 'node:stream';
import { buffer } from 'node:stream/consumers';
import { extract } from 'tar-stream';
import type { ContainerCommandEnd } from '../clients';
import type { FakeContainer } from './fakeEngine';

/** A node of a local cluster as a container of the engine: it answers `ctr`, and keeps the images that it is sent. */
export interface FakeNode extends FakeContainer {
  /** Names of its images, and the digests of what each is made of. */
  readonly images: ReadonlyMap<string, readonly string[]>;
  /** How many blobs each import brought. */
  readonly imports: readonly number[];
  /** Loses content that images are made of, as a node that cleans up does; what is asked for once more is told all the same. */
  forget(digest: string): void;
}

interface Descriptor {
  readonly digest: string;
  readonly annotations?: Readonly<Record<string, string>>;
}

export function fakeNode(name: string, labels: Readonly<Record<string, string>>): FakeNode {
  const images = new Map<string, readonly string[]>();
  const imports: number[] = [];
  const told = new Set<string>();
  const blobs = new Map<string, Buffer>();

  const importImage = async (input: Readable): Promise<ContainerCommandEnd> => {
    const files = await filesIn(input);
    const sent = [...files].filter(([path]) => path.startsWith('blobs/'));
    imports.push(sent.length);
    for (const [path, content] of sent) {
      const digest = path.replace('blobs/', '').replace('/', ':');
      if (digest !== sha256(content)) return refusal(`unexpected digest of ${path}`);
      blobs.set(digest, content);
      told.add(digest);
    }
    const index = JSON.parse(files.get('index.json')?.toString() ?? '{"manifests":[]}') as { readonly manifests: readonly Descriptor[] };
    for (const { digest, annotations = {} } of index.manifests) {
      const manifest = JSON.parse(blobs.get(digest)?.toString() ?? '{}') as { config: Descriptor; layers: readonly Descriptor[] };
      const parts = [manifest.config, ...manifest.layers].map((part) => part.digest);
      const missing = parts.find((part) => !blobs.has(part));
      if (missing !== undefined) return refusal(`content digest ${missing}: not found`);
      images.set(annotations['io.containerd.image.name'] ?? digest, parts);
    }
    return done('');
  };

  return {
    name,
    labels,
    images,
    imports,
    forget: (digest) => void blobs.delete(digest),
    run([program, namespace, ...args], input) {
      if (program !== 'ctr' || namespace !== '--namespace=k8s.io') return Promise.resolve(refusal(`${program ?? ''}: not found`));
      const [what = '', verb = '', ...rest] = args;
      switch (`${what} ${verb}`) {
        case 'images ls':
          return Promise.resolve(done([...images.keys()].join('\n')));
        case 'content ls':
          return Promise.resolve(done([...told].join('\n')));
        case 'images import':
          return importImage(input);
        case 'images tag': {
          const [source = '', target = ''] = rest.filter((each) => !each.startsWith('--'));
          const parts = images.get(source);
          if (!parts) return Promise.resolve(refusal(`image "${source}": not found`));
          images.set(target, parts);
          return Promise.resolve(done(target));
        }
        default:
          return Promise.resolve(refusal(`no such command: ${args.join(' ')}`));
      }
    },
  };
}

function done(stdout: string): ContainerCommandEnd {
  return { exitCode: 0, stdout: `${stdout}\n`, stderr: '' };
}

function refusal(stderr: string): ContainerCommandEnd {
  return { exitCode: 1, stdout: '', stderr: `ctr: ${stderr}\n` };
}

async function filesIn(archive: Readable): Promise<ReadonlyMap<string, Buffer>> {
  const files = new Map<string, Buffer>();
  for await (const entry of archive.pipe(extract())) files.set(entry.header.name, await buffer(entry));
  return files;
}

function sha256(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}
