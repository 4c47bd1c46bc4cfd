// Replaces the compiled doors in dist/clients/bundled with bundles that carry their packages inside: those that are ES modules
// only (a CommonJS plugin and jest could not load them) and dockerode, whose optional native parts must not be built at install.
// tsc overwrites a bundle when its door changed; a door says whether it is bundled, and clients/doors.ts refuses one that is not.
import { build } from 'esbuild';
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { join } from 'node:path';
import { forNode } from './bundling.mjs';

const path = (relative) => fileURLToPath(new URL(relative, import.meta.url));
const doors = path('../packages/clients/bundled/');
const out = path('../dist/clients/bundled/');

// Other versions of packages, another door or other settings here make another bundle.
const common = createHash('sha256')
  .update(readFileSync(path('../package-lock.json')))
  .update(readFileSync(path('bundling.mjs')))
  .update(readFileSync(fileURLToPath(import.meta.url)));
const markerOf = (name) =>
  `// bundled by tools/bundle.mjs: ${common
    .copy()
    .update(readFileSync(join(doors, name)))
    .digest('hex')}`;

const stale = readdirSync(doors)
  .filter((name) => name.endsWith('.ts'))
  .filter((name) => {
    try {
      return !readFileSync(join(out, name.replace(/\.ts$/, '.js')), 'utf8').startsWith(markerOf(name));
    } catch {
      return true;
    }
  });

// An old node-fetch brings URLs of its own, which need a module that newer versions of Node warn of. Those of Node are the same.
const builtin = {
  name: 'builtin',
  setup(bundle) {
    bundle.onResolve({ filter: /^whatwg-url$/ }, ({ path }) => ({ path, namespace: 'builtin' }));
    bundle.onLoad({ filter: /.*/, namespace: 'builtin' }, () => ({ contents: 'module.exports = { URL, URLSearchParams };', loader: 'js' }));
  },
};

// Parts that the packages load and Slipway never calls: the generated API classes of the Kubernetes client (13 MB of memory, 15 ms),
// and the gRPC and protobuf of dockerode's own BuildKit session, which reads .proto files that a bundle does not have.
const unused = {
  name: 'unused',
  setup(bundle) {
    bundle.onResolve({ filter: /^(@grpc\/|protobufjs$)/ }, ({ path }) => ({ path, namespace: 'unused' }));
    bundle.onResolve({ filter: /\/gen\/index\.js$/ }, ({ path, importer }) =>
      /client-node[\\/]dist[\\/]config\.js$/.test(importer) ? { path, namespace: 'unused' } : undefined,
    );
    bundle.onLoad({ filter: /.*/, namespace: 'unused' }, () => ({ contents: 'module.exports = {};', loader: 'js' }));
  },
};

// What few need and many modules are: it is loaded when it is first used.
const late = {
  name: 'late',
  setup(bundle) {
    bundle.onResolve({ filter: /^socks-proxy-agent$/ }, ({ path, namespace, resolveDir }) =>
      namespace === 'late' ? undefined : { path, namespace: 'late', pluginData: resolveDir },
    );
    bundle.onLoad({ filter: /.*/, namespace: 'late' }, ({ pluginData }) => ({
      contents: `exports.SocksProxyAgent = function (...options) {
        return new (require('socks-proxy-agent').SocksProxyAgent)(...options);
      };`,
      loader: 'js',
      resolveDir: pluginData,
    }));
  },
};

const temporary = join(out, `../bundled.${process.pid}.tmp`);
for (const name of stale) {
  const file = name.replace(/\.ts$/, '.js');
  await build({
    entryPoints: [join(doors, name)],
    outfile: join(temporary, file),
    ...forNode,
    banner: { js: markerOf(name) },
    define: { 'process.env.SLIPWAY_BUNDLED': '"yes"' },
    external: ['cpu-features', '*.node'],
    plugins: [unused, builtin, late],
  });
  renameSync(join(temporary, file), join(out, file));
  rmSync(join(out, `${file}.map`), { force: true });
}
rmSync(temporary, { recursive: true, force: true });
