import type { RunningDev } from './runningDev';
import { Shop } from './shop';

interface Awkward extends Service {
  readonly what: string;
  /** What is said of it, and what to do. */
  readonly said: { readonly code: string; readonly message: RegExp; readonly hint: RegExp };
}

const httpd = 'CMD ["httpd", "-f", "-p", "8080", "-h", "/www"]';

const awkward: readonly Awkward[] = [
  {
    app: 'theirs',
    what: 'runs as a user who may not write over what belongs to root',
    dockerfile: ['FROM busybox:1.36', 'COPY site /www', 'USER 1000:1000', httpd],
    said: {
      code: 'containerNotWritable',
      message: /^\/www cannot be written in container theirs of pod .* by user 1000$/,
      hint: /COPY --chown/,
    },
  },
  {
    app: 'scratch',
    what: 'has nothing but its program',
    dockerfile: ['FROM scratch', 'COPY --from=busybox:1.36 /bin/busybox /busybox', 'COPY site /www', httpd.replace('["', '["/busybox", "')],
    said: { code: 'noAgentPossible', message: /has neither node nor a shell/, hint: /reload: rebuild/ },
  },
  {
    app: 'read-only',
    what: 'has a root file system that is only read',
    dockerfile: ['FROM busybox:1.36', 'COPY site /www', httpd],
    securityContext: { readOnlyRootFilesystem: true },
    said: { code: 'containerNotWritable', message: /its file system is read-only$/, hint: /readOnlyRootFilesystem/ },
  },
  {
    app: 'read-only-file',
    what: 'has a single file of ours on a root file system that is only read',
    dockerfile: ['FROM busybox:1.36', 'COPY site/index.html /www/index.html', httpd],
    securityContext: { readOnlyRootFilesystem: true },
    said: { code: 'containerNotWritable', message: /its file system is read-only$/, hint: /readOnlyRootFilesystem/ },
  },
  {
    app: 'read-only-own',
    what: 'has files of its own user on a root file system that is only read',
    dockerfile: ['FROM busybox:1.36', 'COPY --chown=1000:1000 site /www', 'USER 1000:1000', httpd],
    securityContext: { readOnlyRootFilesystem: true },
    said: { code: 'containerNotWritable', message: /its file system is read-only$/, hint: /readOnlyRootFilesystem/ },
  },
];

const server = `require('node:http').createServer((request, response) => require('node:fs').createReadStream('/www/index.html').pipe(response)).listen(8080)`;
/** Node writes files by itself. */
const noTar = {
  app: 'no-tar',
  dockerfile: ['FROM node:20-slim', 'RUN rm -f /bin/tar /usr/bin/tar', 'COPY site /www', `CMD ["node", "-e", "${server}"]`],
};

/** Its shell, dd and tar are all that can write files. */
const small = {
  app: 'small',
  dockerfile: ['FROM busybox:1.36', 'COPY site /www', httpd],
  volume: { mountPath: '/www/small', emptyDir: { medium: 'Memory', sizeLimit: '1Mi' } },
};

describe('a container that', () => {
  const shop = new Shop();
  let dev: RunningDev;
  beforeAll(async () => {
    await shop.open();
    const all: readonly Service[] = [...awkward, noTar, small];
    for (const each of all) add(shop, each);
    shop.write(`services/${noTar.app}/slipway.yaml`, 'version: 1\nreload: hot\n');
    dev = shop.dev(...all.map(({ app }) => app));
    await dev.until('ready');
  });
  afterAll(() => shop.close());

  it.each(awkward)('$what is told with what to do, and gets a new image for an edit', async ({ app, said }) => {
    await dev.answer(app, '/', 'before');
    const mark = dev.mark();
    shop.write(`services/${app}/site/index.html`, 'after\n');
    await dev.answer(app, '/', 'after');
    expect(dev.since(mark, 'built').map(({ artifact }) => artifact)).toEqual([app]);
    const [told, ...more] = dev
      .since(0, 'failed')
      .filter(({ problem }) => problem.code === said.code && problem.message.includes(`container ${app} of`));
    expect(told?.message).toMatch(said.message);
    expect(told?.hint).toMatch(said.hint);
    expect(more).toEqual([]);
  });

  it('has no tar, but Node, takes an edit as others do', async () => {
    await dev.answer(noTar.app, '/', 'before');
    const before = await shop.onlyOne(noTar.app);
    shop.write(`services/${noTar.app}/site/index.html`, 'after\n');
    await dev.answer(noTar.app, '/', 'after');
    expect(await shop.onlyOne(noTar.app)).toEqual(before);
  });

  it('has no room for a file is told with what to do, takes what there is room for, and is in step when there is room', async () => {
    const { app } = small;
    const mark = dev.mark();
    shop.write(`services/${app}/site/small/large`, 'large'.repeat(600_000));
    const refused = await dev.until('failed', ({ problem }) => problem.code === 'syncRefused', mark);
    expect(refused.message).toMatch(
      /^\/www\/small\/large cannot be changed in container small of .*: no space is left on its file system$/,
    );
    expect(refused.problem.hint).toContain('sizeLimit');
    shop.write(`services/${app}/site/small/later`, 'later');
    await dev.answer(app, '/small/later', 'later');
    shop.write(`services/${app}/site/small/large`, 'no longer');
    await dev.answer(app, '/small/large', 'no longer');
    expect(dev.since(mark, 'failed').filter(({ problem }) => problem.code !== 'syncRefused')).toEqual([]);
  });
});

interface Service {
  readonly app: string;
  readonly dockerfile: readonly string[];
  readonly securityContext?: object;
  /** As a mount of the container, and what it is. */
  readonly volume?: { readonly mountPath: string; readonly emptyDir: object };
}

function add(shop: Shop, { app, dockerfile, securityContext = {}, volume }: Service): void {
  const folder = `services/${app}`;
  shop.write(`${folder}/project.json`, `{ "name": "${app}" }\n`);
  shop.write(`${folder}/site/index.html`, 'before\n');
  // An image that an earlier run has left in the registry would be taken instead of a new one.
  shop.write(`${folder}/Dockerfile`, `${dockerfile.join('\n')}\nLABEL run=${Date.now()}\n`);
  const labels = { app };
  const name = 'volume';
  const mounted = volume && { volumeMounts: [{ name, mountPath: volume.mountPath }] };
  const container = { name: app, image: app, ports: [{ containerPort: 8080 }], securityContext, ...mounted };
  const volumes = volume && { volumes: [{ name, emptyDir: volume.emptyDir }] };
  const template = { metadata: { labels }, spec: { terminationGracePeriodSeconds: 1, containers: [container], ...volumes } };
  const objects = [
    { apiVersion: 'apps/v1', kind: 'Deployment', metadata: { name: app }, spec: { selector: { matchLabels: labels }, template } },
    { apiVersion: 'v1', kind: 'Service', metadata: { name: app }, spec: { selector: labels, ports: [{ port: 80, targetPort: 8080 }] } },
  ];
  shop.write(`${folder}/k8s/${app}.yaml`, objects.map((object) => JSON.stringify(object)).join('\n---\n'));
}
