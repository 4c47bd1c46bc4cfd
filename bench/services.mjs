// A hundred generated services and twenty libraries in an Nx workspace: what the plugin adds to each command of Nx, CI when nothing changed, and
// `slipway build` for the first time, when nothing changed, and after an edit of a library.
import { spawn } from 'node:child_process';
import { appendFileSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { root, run } from '../tools/steps.mjs';
import { benchDeploys } from './deploys.mjs';
import { forgetImages } from './forgetImages.mjs';
import { generateServices, numbers, writer } from './manyServices.mjs';
import { measure } from './measure.mjs';
import { defaultRepo, isOnPath, writeSkaffold } from './otherTools.mjs';

const services = 100;
const libraries = 20;

/** A workspace of npm's, with Nx in it. `name` also keeps its images apart from those of other runs. */
function generate(folder, { name, tarball, plugins = ['nx-slipway'] }) {
  const shop = JSON.parse(readFileSync(join(root, 'examples', 'shop', 'package.json'), 'utf8')).devDependencies;
  const write = writer(folder);
  write('package.json', {
    name,
    version: '0.0.0',
    private: true,
    workspaces: ['services/*', 'libs/*'],
    devDependencies: { '@nx/devkit': shop['@nx/devkit'], nx: shop.nx, 'nx-slipway': `file:${tarball}` },
  });
  write('nx.json', {
    analytics: false,
    neverConnectToCloud: true,
    plugins,
    targetDefaults: { stamp: { cache: true, inputs: ['{projectRoot}/**/*'], outputs: [] } },
  });
  write('.gitignore', 'node_modules\n.nx\n.slipway\n');
  // As many tasks as a deployment, each in a process that Nx makes, and nothing in them.
  write('tools/nothing/package.json', { name: 'nothing', executors: './executors.json' });
  write('tools/nothing/executors.json', { executors: { nothing: { implementation: './nothing.js', schema: './schema.json' } } });
  write('tools/nothing/schema.json', { version: 2, type: 'object', properties: {} });
  write('tools/nothing/nothing.js', 'exports.default = async () => ({ success: true });\n');
  const nothing = { executor: './tools/nothing:nothing' };
  const targets = { 'nothing-build': nothing, nothing: { ...nothing, dependsOn: ['nothing-build'] } };
  const more = (service) => ({ scripts: { stamp: 'node -e ""' }, ...(service === 0 && { nx: { targets } }) });
  return generateServices(folder, { name, services, libraries, more });
}

/** Runs a command and gives its output, its time, and the most memory that it had, in megabytes (Linux). */
function timed(command, args, options) {
  const startedAt = performance.now();
  const child = spawn(command, args, { ...options, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  let errors = '';
  let mostKb = 0;
  const looking = setInterval(() => {
    try {
      const [, kb = '0'] = /VmHWM:\s*(\d+)/.exec(readFileSync(`/proc/${child.pid}/status`, 'utf8')) ?? [];
      mostKb = Math.max(mostKb, Number(kb));
    } catch {
      // It has just ended, or this is not Linux.
    }
  }, 20);
  child.stdout.on('data', (data) => (output += data));
  child.stderr.on('data', (data) => (errors += data));
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => {
      clearInterval(looking);
      const ms = performance.now() - startedAt;
      if (code === 0) resolve({ output, ms, mb: Math.round(mostKb / 1024) });
      else reject(new Error(`${command} ${args.join(' ')} ended with exit code ${code}\n${output}${errors}`));
    });
  });
}

export async function benchServices(env, { rounds, registry }) {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-bench-'));
  const workspace = join(folder, 'workspace');
  // The same without Slipway in it.
  const bare = join(folder, 'bare');
  const name = `bench-${process.pid}`;
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  try {
    await run('npm', ['pack', '--silent', '--pack-destination', folder], { quiet: true });
    const librariesOf = generate(workspace, { name, tarball: join(folder, `nx-slipway-${version}.tgz`) });
    await run('npm', ['install', '--silent', '--no-audit', '--no-fund'], { cwd: workspace, quiet: true });
    generate(bare, { name, tarball: '', plugins: [] });
    symlinkSync(join(workspace, 'node_modules'), join(bare, 'node_modules'), 'junction');
    const git = (...args) =>
      run('git', ['-c', 'user.name=bench', '-c', 'user.email=bench@example.com', ...args], { cwd: workspace, quiet: true });
    await git('init', '--quiet');
    await git('add', '--all');
    await git('commit', '--quiet', '--no-gpg-sign', '--message=all');
    const options = { cwd: workspace, env: { ...env, NX_DAEMON: 'false' } };
    const bin = (tool) => join(workspace, 'node_modules', '.bin', tool);
    const built = ({ output }) =>
      JSON.parse(output)
        .images.filter((image) => image.built)
        .map(({ project }) => project);
    const build = () => timed(process.execPath, [bin('slipway'), 'build', '--json'], options);
    const expect = (what, actual, wanted) => {
      if (JSON.stringify([...actual].sort()) !== JSON.stringify([...wanted].sort()))
        throw new Error(`${what}: built ${actual.join(', ') || 'nothing'}, instead of ${wanted.join(', ') || 'nothing'}`);
    };
    const graphs = { bare: [], whole: [] };
    const affected = { nx: [], slipway: [] };
    const show = (cwd) => timed(process.execPath, [bin('nx'), 'show', 'projects'], { ...options, cwd });
    const base = '--base=HEAD';
    await show(bare);
    await show(workspace);
    // In turns, so that a busy machine is busy for all of them.
    for (let round = 0; round < rounds; round += 1) {
      graphs.bare.push((await show(bare)).ms);
      graphs.whole.push((await show(workspace)).ms);
      affected.nx.push((await timed(process.execPath, [bin('nx'), 'affected', '-t', 'k8s-build', base], options)).ms);
      affected.slipway.push((await timed(process.execPath, [bin('slipway'), 'deploy', '--affected', base], options)).ms);
    }

    const all = numbers(services).map((service) => `s${service}`);

    // Nx keeps what it knows of a workspace; that it learns it is not what is measured.
    const noop = () => timed(process.execPath, [bin('nx'), 'run-many', '-t', 'stamp'], options);
    await noop();
    const first = await build();
    expect('the first build', built(first), all);

    const unchanged = [];
    const cached = [];
    for (let round = 0; round < rounds; round += 1) {
      const again = await build();
      expect('nothing changed', built(again), []);
      unchanged.push(again.ms);
      cached.push((await noop()).ms);
    }

    const edited = [];
    for (let round = 0; round < rounds; round += 1) {
      const lib = round % libraries;
      appendFileSync(join(workspace, `libs/l${lib}/src/f0.js`), `// ${round}\n`);
      const rebuilt = await build();
      expect(
        `an edit of l${lib}`,
        built(rebuilt),
        all.filter((_, service) => librariesOf(service).includes(lib)),
      );
      edited.push(rebuilt.ms);
    }
    const deploys = await benchDeploys({
      env,
      workspace,
      services: all,
      imageOf: (service) => `${name}/${service}`,
      rounds,
      slipway: (...args) => timed(process.execPath, [bin('slipway'), ...args], options),
      nx: (variables, ...args) => timed(process.execPath, [bin('nx'), ...args], { ...options, env: { ...options.env, ...variables } }),
    });
    const beside = isOnPath('skaffold') ? await skaffoldBuilds({ name, workspace, registry, options, librariesOf, rounds }) : [];
    const median = measure('', cached).p50;
    return [
      measure('100 services: nx show projects, with Slipway', graphs.whole),
      measure('  beside it: without Slipway', graphs.bare),
      measure('100 services, no commit since: slipway deploy --affected', affected.slipway, { p50: 1500 }),
      measure('  beside it: nx affected -t k8s-build', affected.nx),
      measure('100 services, first build (no RUN)', [first.ms], { p50: 15_000 }),
      measure('  memory, MB', [first.mb], { p50: 400 }),
      measure('100 services, nothing changed: slipway build', unchanged, { p50: Math.round(median + 300) }),
      measure('  beside it: nx run-many of 100 cached tasks', cached),
      measure('100 services, a library file changed: exactly its 10 are built', edited),
      ...beside,
      ...deploys,
    ];
  } finally {
    await forgetImages(env, { registry, images: numbers(services).map((service) => `${name}/s${service}`) });
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The same images by Skaffold, under names of their own. */
async function skaffoldBuilds({ name, workspace, registry, options, librariesOf, rounds }) {
  const artifacts = numbers(services).map((service) => ({
    image: `${name}-skaffold/s${service}`,
    context: '.',
    dockerfile: `services/s${service}/Dockerfile`,
  }));
  writeSkaffold(workspace, { registry, artifacts });
  const file = join(workspace, 'skaffold-images.json');
  const build = () => timed('skaffold', ['build', ...defaultRepo(registry), '--file-output', file], options);
  try {
    const first = await build();
    const [unchanged, edited] = [[], []];
    for (let round = 0; round < rounds; round += 1) unchanged.push((await build()).ms);
    for (let round = 0; round < rounds; round += 1) {
      const lib = round % libraries;
      appendFileSync(join(workspace, `libs/l${lib}/src/f1.js`), `// ${round}\n`);
      edited.push((await build()).ms);
    }
    const affected = numbers(services).filter((service) => librariesOf(service).includes(0)).length;
    return [
      measure('  beside it: skaffold, first build', [first.ms]),
      measure('  beside it: skaffold, nothing changed', unchanged),
      measure(`  beside it: skaffold, a library file of ${affected} changed`, edited),
    ];
  } finally {
    rmSync(join(workspace, 'skaffold.yaml'), { force: true });
    await forgetImages(options.env, { registry, images: artifacts.map(({ image }) => image) });
  }
}
