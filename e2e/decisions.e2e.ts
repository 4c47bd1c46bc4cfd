import { Shop } from './shop';

/** What an edit leads to, by artifact; a service that is not named does nothing. */
type Decision = Readonly<Record<string, 'sync' | 'target-then-sync' | 'rebuild' | 'redeploy'>>;

/** The shop as it is: an edit of each file. */
const decisions: Readonly<Record<string, Decision>> = {
  // Bundled: what goes into the image is what its build makes.
  'apps/api/src/main.ts': { api: 'target-then-sync' },
  'apps/api/src/not/there/yet.ts': { api: 'target-then-sync' },
  'apps/api/package.json': { api: 'target-then-sync' },
  'apps/api/dist/main.js': { api: 'sync' },
  'apps/api/Dockerfile': { api: 'rebuild' },
  'apps/api/k8s/api.yaml': { api: 'redeploy' },
  // Compiled in the container by a rule of its config, whose compiler comes with the image.
  'apps/pricing/main.go': { pricing: 'sync' },
  'apps/pricing/go.mod': { pricing: 'rebuild' },
  // Copied, and read by a process that starts again.
  'apps/reports/src/server.py': { reports: 'sync' },
  'apps/reports/requirements-dev.txt': { reports: 'rebuild' },
  'apps/worker/src/server.js': { worker: 'sync' },
  'apps/worker/src/server.test.js': {},
  'apps/worker/Dockerfile': { worker: 'rebuild' },
  // Copied, and read at every request.
  'apps/web/site/index.html': { web: 'sync' },
  'apps/web/README.md': {},
  // A database, which has manifests only.
  'infra/cache/k8s/cache.yaml': { cache: 'redeploy' },
  // Libraries: copied by one, bundled by another, or both.
  'libs/theme/theme.css': { web: 'sync' },
  'libs/greeting/src/index.js': { worker: 'sync' },
  'libs/catalog/src/index.ts': { api: 'target-then-sync' },
  'libs/money/src/index.js': { api: 'target-then-sync', worker: 'sync' },
  // The workspace's own.
  '.dockerignore': { web: 'rebuild', worker: 'rebuild' },
  'package-lock.json': { api: 'target-then-sync' },
  'README.md': {},
};

/** What a library has beside its code. No package.json can say that a script does not read it. */
const besideCode: Readonly<Record<string, Decision>> = { 'libs/catalog/README.md': {}, 'libs/money/src/index.test.js': {} };
const besideCodeForNpm: typeof besideCode = {
  'libs/catalog/README.md': { api: 'target-then-sync' },
  'libs/money/src/index.test.js': { api: 'target-then-sync' },
};

/** The workspace becomes another one: what is copied, what depends on what, how changes take effect, which projects there are. */
function changeTheGraph(shop: Shop): void {
  shop.edit('apps/web/Dockerfile', 'USER', 'COPY --chown=1000:1000 libs/catalog/src /www/catalog\nUSER');
  const money = JSON.parse(shop.read('libs/money/package.json')) as object;
  shop.write('libs/money/package.json', JSON.stringify({ ...money, dependencies: { '@shop/greeting': '*' } }));
  shop.write('apps/worker/slipway.yaml', 'version: 1\nreload: rebuild\n');
  shop.write('apps/help/package.json', JSON.stringify({ name: '@shop/help', version: '0.0.0', private: true, nx: { name: 'help' } }));
  shop.write('apps/help/Dockerfile', 'FROM busybox:1.36\nCOPY apps/help/pages libs/theme /www/\nCMD ["httpd", "-f", "-h", "/www"]\n');
  shop.write('apps/help/pages/index.html', 'How to pay\n');
}

/** After that: an edit of each file. */
const decisionsThen: Readonly<Record<string, Decision>> = {
  'libs/catalog/src/index.ts': { api: 'target-then-sync', web: 'sync' },
  // By way of money, which api bundles.
  'libs/greeting/src/index.js': { api: 'target-then-sync', worker: 'rebuild' },
  'apps/worker/src/server.js': { worker: 'rebuild' },
  'apps/help/pages/index.html': { help: 'sync' },
  'libs/theme/theme.css': { help: 'sync', web: 'sync' },
  'apps/web/site/index.html': { web: 'sync' },
};

interface Explained {
  readonly files: readonly { readonly path: string; readonly artifacts: readonly { readonly name: string; readonly action: string }[] }[];
}

/** Projects are called by their packages' names elsewhere. */
const asInNx = (json: string): unknown => JSON.parse(json.replaceAll('@shop/', ''));

async function decided(shop: Shop, paths: readonly string[]): Promise<Readonly<Record<string, unknown>>> {
  const { stdout } = await shop.slipway(['explain', ...paths, '--json']);
  const { files } = asInNx(stdout) as Explained;
  return Object.fromEntries(
    files.map(({ path, artifacts }) => [path, Object.fromEntries(artifacts.map(({ name, action }) => [name, action]))]),
  );
}

/** What each image is made from, file by file. A package.json is larger where Nx is told something in it. */
async function made(shop: Shop): Promise<readonly unknown[]> {
  const { stdout } = await shop.slipway(['inputs', '--json']);
  const images = asInNx(stdout) as readonly { readonly image: string; readonly contextBytes: number }[];
  expect(images.map(({ image }) => image).sort()).toEqual(['api', 'pricing', 'reports', 'web', 'worker']);
  return images.map((image) => ({ ...image, contextBytes: undefined }));
}

const kinds: readonly { readonly kind: string; readonly open: (shop: Shop) => void | Promise<void>; readonly beside: typeof besideCode }[] =
  [
    { kind: 'an Nx workspace', open: () => undefined, beside: besideCode },
    { kind: 'a Turborepo', open: (shop) => shop.becomeTurborepo(), beside: besideCode },
    { kind: "a workspace of npm's", open: (shop) => shop.becomePackages(), beside: besideCodeForNpm },
  ];

const madeInNx = new Shop();
let wanted: readonly unknown[];
beforeAll(async () => {
  madeInNx.unpack();
  wanted = await made(madeInNx);
});
afterAll(() => madeInNx.close());

describe.each(kinds)('the shop as $kind', ({ open, beside }) => {
  const shop = new Shop();
  beforeAll(async () => {
    shop.unpack();
    await open(shop);
  });
  afterAll(() => shop.close());

  it('decides by its graph what an edit leads to, as in all the others', async () => {
    const all = { ...decisions, ...beside };
    expect(await decided(shop, Object.keys(all))).toEqual(all);
  });

  it('makes its images from the same files, and they land in the same places', async () => {
    expect(await made(shop)).toEqual(wanted);
  });

  it('decides anew when the graph is another one', async () => {
    changeTheGraph(shop);
    expect(await decided(shop, Object.keys(decisionsThen))).toEqual(decisionsThen);
  });
});
