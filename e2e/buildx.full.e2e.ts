import { randomUUID } from 'node:crypto';
import { chmodSync, cpSync, mkdirSync } from 'node:fs';
import { processes } from '../clients';
import type { Program } from '../cluster/gobuild';
import { buildkitPrograms, firstBuildMs, startBuildkitd, type BuildkitDaemon } from './buildkitDaemon';
import { builtPrograms } from './deployTools';
import { imagesOfIndex, localRegistry, valueOf } from './localRegistry';
import { Shop } from './shop';

const buildx: Program = { name: 'buildx', package: 'github.com/docker/buildx/cmd/buildx', ldflags: '-s -w', firstTime: 'about 4 min' };

describe('images that docker buildx makes', () => {
  const shop = new Shop();
  let registry: string;
  let daemon: BuildkitDaemon | undefined;
  let env: Readonly<Record<string, string>>;

  /** A builder of its own, as `docker buildx create` makes it: a buildkitd on this machine. */
  beforeAll(async () => {
    await shop.open();
    registry = await localRegistry(shop.kube);
    const programs = await builtPrograms([...buildkitPrograms, buildx], shop.path('out/go'));
    const config = shop.path('out/docker');
    mkdirSync(`${config}/cli-plugins`, { recursive: true });
    cpSync(programs.find(({ name }) => name === buildx.name)?.path ?? '', `${config}/cli-plugins/docker-buildx`);
    chmodSync(`${config}/cli-plugins/docker-buildx`, 0o755);
    env = { DOCKER_CONFIG: config, BUILDX_BUILDER: 'e2e' };
    daemon = await startBuildkitd(programs, { folder: shop.path('out'), config: `[registry."${registry}"]\n  http = true\n` });
    const docker = (...told: readonly string[]) => processes.run({ command: 'docker', args: ['buildx', ...told], cwd: shop.root, env });
    valueOf(await docker('create', '--name', 'e2e', '--driver', 'remote', daemon.address));
  }, firstBuildMs);
  afterAll(async () => {
    await daemon?.stop();
    await shop.close();
  });

  it('are indexes with an image for each platform, and keep their steps in the registry', async () => {
    const word = randomUUID();
    shop.write('apps/ground/package.json', '{"name": "ground", "version": "1.0.0", "private": true}');
    shop.write('apps/ground/Dockerfile', 'FROM busybox:1.36\nLABEL of=e2e\n');
    shop.write('apps/many/package.json', '{"name": "many", "version": "1.0.0", "private": true}');
    shop.write(
      'apps/many/Dockerfile',
      `FROM --platform=$BUILDPLATFORM ground AS make\nARG TARGETARCH\nRUN echo ${word} for $TARGETARCH > /word\nFROM scratch\nCOPY --from=make /word /word\nCOPY file /file\n`,
    );
    shop.write('apps/many/file', 'one');
    const steps = `${registry}/${shop.namespace}:steps`;
    shop.write(
      'apps/many/slipway.yaml',
      `version: 1\nimage: {platforms: [linux/arm64, linux/amd64], docker: {cacheTo: ["${steps}"], cacheFrom: ["${steps}"]}}\n`,
    );
    const { stdout } = await shop.slipway(['build', 'many', '--json', ...shop.where], { env });
    const { images } = JSON.parse(stdout) as { readonly images: readonly { readonly ref: string }[] };
    expect((await imagesOfIndex(images[0]?.ref ?? '')).map(({ platform }) => platform.architecture)).toEqual(['amd64', 'arm64']);

    shop.write('apps/many/file', 'two');
    const again = await shop.slipway(['build', 'many', '--verbosity=debug', ...shop.where], { env });
    expect(again.stdout).toMatch(/RUN echo .* \(cached\)/);
    expect(again.stdout).toMatch(/many .*built .* with buildx/);
  });
});
