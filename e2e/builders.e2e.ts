import { randomUUID } from 'node:crypto';
import { spawnSync } from 'node:child_process';
import { createServer, type Server } from 'node:net';
import { Shop } from './shop';

describe('what a build is told', () => {
  const shop = new Shop();
  let agent: Server;
  beforeAll(async () => {
    await shop.open();
    shop.write('apps/deep/package.json', '{"name": "deep", "version": "1.0.0", "private": true}');
    // It answers every request with the same bytes.
    agent = createServer((socket) => socket.on('error', () => undefined).on('data', () => socket.write('from the agent')));
    await new Promise<void>((resolve) => agent.listen(shop.path('agent.sock'), resolve));
  });
  afterAll(async () => {
    agent.close();
    await shop.close();
  });

  it('reaches its commands: secrets, agents, names of hosts and arguments; a secret that is missing is told with its place', async () => {
    const secret = randomUUID();
    const asks = `require("net").connect(process.env.SSH_AUTH_SOCK).on("data", (d) => process.exit(d == "from the agent" ? 0 : 1)).write("?")`;
    shop.write(
      'apps/deep/Dockerfile',
      [
        'FROM node:20-slim',
        'ARG WANTED',
        'RUN --mount=type=secret,id=token test "$(cat /run/secrets/token)" = "$WANTED"',
        'RUN --mount=type=secret,id=file grep -q in-a-file /run/secrets/file',
        'RUN grep -q "10.9.8.7.*registry.test" /etc/hosts',
        `RUN --mount=type=ssh node -e '${asks}'`,
        '',
      ].join('\n'),
    );
    shop.write('secret.txt', 'in-a-file');
    shop.write(
      'apps/deep/slipway.yaml',
      `version: 1
image:
  docker:
    args: {WANTED: ${secret}}
    addHosts: {registry.test: 10.9.8.7}
    secrets:
      - {id: token, env: DEEP_TOKEN}
      - {id: file, src: ../../secret.txt}
    ssh: [{id: default, socket: '${shop.path('agent.sock')}'}]
`,
    );
    const missing = await shop.slipway(['build', 'deep', ...shop.where], { exitCode: 2 });
    expect(missing.stdout).toMatch(/the build secret token .* DEEP_TOKEN, which is not set[^]*apps\/deep\/slipway\.yaml:7:26/);
    const { stdout } = await shop.slipway(['build', 'deep', ...shop.where], { env: { DEEP_TOKEN: secret } });
    expect(stdout).toMatch(/deep {2,}.* built/);
  });

  it('fails for one image alone, with the line of the Dockerfile and the workspace’s own path of what a compiler names', async () => {
    shop.write('apps/broken/package.json', '{"name": "broken", "version": "1.0.0", "private": true}');
    shop.write('apps/broken/src/typo.js', 'const = 1;\n');
    shop.write('apps/broken/Dockerfile', 'FROM node:20-slim\nWORKDIR /app\nCOPY src code\nRUN node --check code/typo.js\n');
    shop.write('apps/sound/package.json', '{"name": "sound", "version": "1.0.0", "private": true}');
    shop.write('apps/sound/Dockerfile', `FROM node:20-slim\nRUN echo ${randomUUID()}\n`);
    const { stdout } = await shop.slipway(['build', 'broken', 'sound', ...shop.where], { exitCode: 1 });
    expect(stdout).toMatch(/broken .*failed: the build failed at RUN node --check code\/typo\.js: exit code 1/);
    expect(stdout).toMatch(/at apps\/broken\/Dockerfile:4\n[^]*apps\/broken\/src\/typo\.js:1/);
    expect(stdout).toMatch(/sound .*built /);
  });

  it('that is impossible is told with its place, whatever else is wrong, and nothing has been begun', async () => {
    const wrong: Readonly<Record<string, string>> = {
      odd: 'image: {builder: kaniko}',
      less: 'image: {docker: {file: None}}',
      unset: 'image: {docker: {args: {A: }}}',
      self: 'image: {requires: [round]}',
      round: 'image: {requires: [self]}',
    };
    for (const [name, config] of Object.entries(wrong)) {
      shop.write(`apps/${name}/package.json`, `{"name": "${name}", "version": "1.0.0", "private": true}`);
      shop.write(`apps/${name}/Dockerfile`, 'FROM node:20-slim\nARG A\n');
      shop.write(`apps/${name}/slipway.yaml`, `version: 1\n${config}\n`);
    }
    const { stderr } = await shop.slipway(['build', ...Object.keys(wrong), ...shop.where], { exitCode: 2 });
    expect(stderr).toMatch(/apps\/odd\/slipway\.yaml:2: image\.builder must be one of/);
    expect(stderr).toMatch(/less: there is no apps\/less\/None[^]*apps\/less\/slipway\.yaml:2/);
    expect(stderr).toMatch(/apps\/unset\/slipway\.yaml:2: image\.docker\.args\.A must be/);
    expect(stderr).toMatch(/self: its image stands on itself: self → round → self[^]*apps\/self\/slipway\.yaml:2/);
    for (const name of Object.keys(wrong)) shop.write(`apps/${name}/slipway.yaml`, 'version: 1\n');
    expect((await shop.slipway(['build', ...Object.keys(wrong), ...shop.where])).stderr).not.toContain('failed');
  });

  it('is a command’s own business when the config has one: its image is deployed like any other, and changes with what it reads', async () => {
    shop.write('apps/own/tag.js', tagging());
    shop.write('apps/own/package.json', '{"name": "own", "version": "1.0.0", "private": true}');
    shop.write('apps/own/slipway.yaml', 'version: 1\nimage: {custom: {command: node tag.js, dependencies: {command: echo tag.js}}}\n');
    const build = async (): Promise<unknown> =>
      (JSON.parse((await shop.slipway(['build', 'own', '--json', ...shop.where])).stdout) as { readonly images: readonly unknown[] })
        .images[0];
    const first = await build();
    expect(first).toMatchObject({ built: true, delivered: true });
    shop.write('apps/own/unread.txt', 'nothing reads it');
    expect(await build()).toMatchObject({ built: false, digest: (first as { readonly digest: string }).digest });
    shop.edit('apps/own/tag.js', 'node:http', 'http');
    expect(await build()).toMatchObject({ built: true });
  });

  // A cluster made by another program needs no Go here.
  const withGo = spawnSync('go', ['version']).status === 0 ? it : it.skip;
  withGo('of Go packages it is done again for a library that the program imports, and for no other', async () => {
    shop.write('apps/gopher/package.json', '{"name": "gopher", "version": "1.0.0", "private": true}');
    shop.write('apps/gopher/tag.js', tagging());
    shop.write('apps/gopher/slipway.yaml', 'version: 1\nimage: {custom: {command: node tag.js, dependencies: {go: ./cmd/gopher}}}\n');
    shop.write('go.work', 'go 1.21\n\nuse ./apps/gopher\nuse ./libs/gokit\n');
    shop.write('apps/gopher/go.mod', 'module shop.test/gopher\n\ngo 1.21\n');
    shop.write('apps/gopher/cmd/gopher/main.go', 'package main\n\nimport "shop.test/kit/used"\n\nfunc main() { println(used.Word) }\n');
    shop.write('libs/gokit/go.mod', 'module shop.test/kit\n\ngo 1.21\n');
    shop.write('libs/gokit/used/used.go', `package used\n\nconst Word = "${randomUUID()}"\n`);
    shop.write('libs/gokit/unused/unused.go', 'package unused\n');
    const build = async (): Promise<unknown> => {
      const { stdout } = await shop.slipway(['build', 'gopher', '--json', ...shop.where]);
      return (JSON.parse(stdout) as { readonly images: readonly unknown[] }).images[0];
    };
    expect(await build()).toMatchObject({ built: true });
    shop.write('libs/gokit/unused/unused.go', 'package unused\n\nconst Word = 1\n');
    expect(await build()).toMatchObject({ built: false });
    shop.edit('libs/gokit/used/used.go', 'Word = "', 'Word = "other ');
    expect(await build()).toMatchObject({ built: true });
    const { stdout } = await shop.slipway(['explain', 'libs/gokit/used/used.go', 'libs/gokit/unused/unused.go', '--json']);
    expect(JSON.parse(stdout)).toMatchObject({
      files: [
        {
          artifacts: [
            {
              name: 'gopher',
              action: 'rebuild',
              because: expect.stringContaining('the build compiles the package shop.test/kit/used') as unknown,
            },
          ],
        },
        { artifacts: [] },
      ],
    });
    shop.write('apps/gopher/slipway.yaml', 'version: 1\nimage: {custom: {command: node tag.js, dependencies: {go: ./cmd/gofer}}}\n');
    const { stderr } = await shop.slipway(['build', 'gopher', ...shop.where], { exitCode: 2 });
    expect(stderr).toMatch(/gopher: go list finds no package \.\/cmd\/gofer: .*not found[^]*apps\/gopher\/slipway\.yaml:2/);
  });
});

/** Leaves the image that is wanted as `docker tag` would, on a machine that need not have it. */
function tagging(): string {
  return `// ${randomUUID()}
    const path = '/images/busybox:1.36/tag?' + new URLSearchParams({ repo: process.env.IMAGE_REPO, tag: process.env.IMAGE_TAG });
    const socketPath = process.env.DOCKER_HOST?.replace('unix://', '') ?? '/var/run/docker.sock';
    require('node:http').request({ socketPath, path, method: 'POST' }, (answer) => process.exit(answer.statusCode === 201 ? 0 : 1)).end();`;
}
