import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { type Pack, pack } from 'tar-stream';
import { parseImageRef, type ImageConfig, type Registry } from '../clients';
import { succeeded, type Result } from '../model';

/** An image as it is moved: its description, and its files in one layer. */
export interface ImageParts {
  readonly file: Buffer;
  readonly layer: Buffer;
}

export async function imageParts(config: ImageConfig, files: ReadonlyMap<string, string>): Promise<ImageParts> {
  const layer = await tarOf([...files]);
  const settings = {
    Env: config.env,
    Entrypoint: config.entrypoint,
    Cmd: config.command,
    WorkingDir: config.workingDir,
    User: config.user,
    Labels: config.labels,
    OnBuild: config.onBuild,
  };
  const file = { architecture: 'amd64', os: 'linux', config: settings, rootfs: { type: 'layers', diff_ids: [sha256(layer)] } };
  return { file: Buffer.from(JSON.stringify(file)), layer };
}

/** An image as `docker save` writes it. */
export function savedImage(config: ImageConfig, files: ReadonlyMap<string, string>): Readable {
  return Readable.from(archive(config, files), { objectMode: false });
}

async function* archive(config: ImageConfig, files: ReadonlyMap<string, string>): AsyncGenerator<Buffer> {
  const { file, layer } = await imageParts(config, files);
  const name = config.id.replace(/^sha256:/, '');
  yield await tarOf([
    ['one/layer.tar', layer],
    [`${name}.json`, file],
    ['manifest.json', JSON.stringify([{ Config: `${name}.json`, RepoTags: [], Layers: ['one/layer.tar'] }])],
  ]);
}

/** Puts an image into a registry as `docker push` does. */
export async function pushImage(
  registry: Registry,
  ref: string,
  { file, layer }: ImageParts,
): Promise<Result<{ readonly digest: string }>> {
  const { registry: host, repository } = parseImageRef(ref);
  const described = (content: Buffer, mediaType: string) => ({ mediaType, digest: sha256(content), size: content.length });
  for (const content of [file, layer]) {
    const open = () => Readable.from([content], { objectMode: false });
    const blob = { repository: `${host}/${repository}`, digest: sha256(content), size: content.length, open };
    const written = await registry.writeBlob(blob);
    if (!written.ok) return written;
  }
  const mediaType = 'application/vnd.docker.distribution.manifest.v2+json';
  const config = described(file, 'application/vnd.docker.container.image.v1+json');
  const layers = [described(layer, 'application/vnd.docker.image.rootfs.diff.tar')];
  const content = Buffer.from(JSON.stringify({ schemaVersion: 2, mediaType, config, layers }));
  const put = await registry.putManifest(ref, { mediaType, content });
  return put.ok ? succeeded({ digest: sha256(content) }) : put;
}

async function tarOf(files: readonly (readonly [string, string | Buffer])[]): Promise<Buffer> {
  const entries: Pack = pack();
  for (const [name, content] of files) entries.entry({ name, mtime: new Date(0) }, content);
  entries.finalize();
  const pieces: Buffer[] = [];
  for await (const piece of entries) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}

function sha256(content: Buffer): string {
  return `sha256:${createHash('sha256').update(content).digest('hex')}`;
}
