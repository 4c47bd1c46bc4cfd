import { createHash } from 'node:crypto';
import { Readable } from 'node:stream';
import { type Pack, pack } from 'tar-stream';
import type { ImageConfig } from '../clients';

/** An image as `docker save` writes it: its files in one layer. */
export function savedImage(config: ImageConfig, files: ReadonlyMap<string, string>): Readable {
  return Readable.from(archive(config, files), { objectMode: false });
}

async function* archive(config: ImageConfig, files: ReadonlyMap<string, string>): AsyncGenerator<Buffer> {
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
  const diffId = `sha256:${createHash('sha256').update(layer).digest('hex')}`;
  const file = { architecture: 'amd64', os: 'linux', config: settings, rootfs: { type: 'layers', diff_ids: [diffId] } };
  const name = config.id.replace(/^sha256:/, '');
  yield await tarOf([
    ['one/layer.tar', layer],
    [`${name}.json`, JSON.stringify(file)],
    ['manifest.json', JSON.stringify([{ Config: `${name}.json`, RepoTags: [], Layers: ['one/layer.tar'] }])],
  ]);
}

async function tarOf(files: readonly (readonly [string, string | Buffer])[]): Promise<Buffer> {
  const entries: Pack = pack();
  for (const [name, content] of files) entries.entry({ name, mtime: new Date(0) }, content);
  entries.finalize();
  const pieces: Buffer[] = [];
  for await (const piece of entries) pieces.push(piece as Buffer);
  return Buffer.concat(pieces);
}
