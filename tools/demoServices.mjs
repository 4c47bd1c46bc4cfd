// All services of examples/shop in one `slipway dev`, an edit of each kind, and the time until it is answered: `npm run demo -- --all`.
// `--turbo`: the same sources as a Turborepo.
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { expect, openShop, same, save, say, until } from './demoShop.mjs';
import { bold, dim, green, root, run, seconds, step } from './steps.mjs';

const turbo = process.argv.includes('--turbo');
const keep = process.argv.includes('--keep');

/**
 * An edit of each kind, made some `times`: `from` becomes what `to` makes of the number of the edit, and then the service answers `path` with
 * what is `wanted`.
 */
const edits = [
  {
    what: 'static page',
    file: 'apps/web/site/index.html',
    service: 'web',
    from: 'Ropes, anchors',
    to: (n) => `Ropes (${n}), anchors`,
    action: 'sync',
  },
  {
    what: 'Node, hot reload',
    file: 'apps/worker/src/server.js',
    service: 'worker',
    from: 'total: formatPrice',
    to: (n) => `edit: 'of worker ${n}', total: formatPrice`,
    wanted: (n) => `of worker ${n}`,
    action: 'sync',
  },
  {
    what: 'a library it copies',
    file: 'libs/greeting/src/index.js',
    service: 'worker',
    from: 'Welcome',
    to: (n) => `Welcome ${n} times`,
    action: 'sync',
  },
  {
    what: 'TypeScript, bundled',
    file: 'apps/api/src/main.ts',
    service: 'api',
    from: 'price: price ===',
    to: (n) => `edit: 'of api ${n}', price: price ===`,
    wanted: (n) => `of api ${n}`,
    action: 'target-then-sync',
  },
  {
    what: 'a library it bundles',
    file: 'libs/catalog/src/index.ts',
    service: 'api',
    from: 'Thirty metres',
    to: (n) => `Thirty-${n} metres`,
    action: 'target-then-sync',
  },
  {
    what: 'Go, compiled there',
    file: 'apps/pricing/main.go',
    service: 'pricing',
    path: '/prices',
    from: '9900',
    to: (n) => `${9900 + n}`,
    action: 'sync',
  },
  {
    what: 'Python, hot reload',
    file: 'apps/reports/src/server.py',
    service: 'reports',
    from: 'visits so far',
    to: (n) => `visits in ${n} days`,
    action: 'sync',
  },
  {
    what: 'a ConfigMap',
    file: 'apps/worker/k8s/worker.yaml',
    service: 'worker',
    from: 'SHOP_NAME: the harbour shop',
    to: (n) => `SHOP_NAME: the harbour shop no. ${n}`,
    wanted: (n) => `the harbour shop no. ${n}`,
    action: 'redeploy',
    times: 1,
  },
  {
    what: 'a Dockerfile',
    file: 'apps/web/Dockerfile',
    service: 'web',
    path: '/made.txt',
    from: 'EXPOSE 8080',
    to: (n) => `RUN echo image ${n} > /www/made.txt\nEXPOSE 8080`,
    wanted: (n) => `image ${n}`,
    action: 'rebuild',
    times: 1,
  },
];
const usualTimes = 3;

const startedAt = performance.now();
const shop = await openShop(turbo ? becomeTurborepo : undefined);
const dev = shop.dev();
const rows = [];
try {
  const ready = await dev.ready();
  const services = ['web', 'worker', 'api', 'pricing', 'reports', 'cache'];
  const addresses = await dev.addresses(services.length);
  const connected = () => new Set(dev.events().flatMap(({ kind, artifact }) => (kind === 'connected' ? [artifact] : [])));
  await until('every container is connected', () => connected().size >= services.length - 1);
  say();
  say(`All services run and are in step with the disk, ${seconds(ready.ms)} after the start.`);
  for (const edit of edits) rows.push(await measured(edit, addresses.get(edit.service)));

  if (keep) {
    say();
    say(`It stays as it is until you press Ctrl+C. Edit files below ${shop.root}, and look at ${[...addresses.values()].join(', ')}.`);
    await dev.finished;
  } else {
    say();
    say(`${bold('▸')} Ctrl+C`);
    expect((await dev.interrupt()) === 0, 'dev ended with exit code 0');
    const left = await shop.left();
    expect(left.length === 0, `nothing is left in the namespace${left.length > 0 ? `: ${left.join(', ')}` : ''}`);
  }
} finally {
  await dev.interrupt();
  await shop.close();
}

say();
say(
  bold(
    `Milliseconds from the save of a file to the new HTTP answer, ${turbo ? 'in a Turborepo' : 'in an Nx workspace'} (medians of ${usualTimes})`,
  ),
);
say();
for (const line of table(['edit', 'decision', 'of it', 'save → answer'], rows)) say(line);
say();
say(`${green('Done')} in ${seconds(performance.now() - startedAt)}. The cluster still runs: npm run cluster:down ends it.`);

async function measured(edit, url) {
  const { what, file, service, path = '/', from, to, wanted = to, action, times = usualTimes } = edit;
  say();
  say(`${bold(`▸ ${what}`)}: ${file}`);
  const text = readFileSync(join(shop.root, file), 'utf8');
  if (!text.includes(from)) throw new Error(`${file} has no ${JSON.stringify(from)}`);
  const before = await shop.running(service);
  const saves = [];
  for (let n = 1; n <= times; n++) {
    const marker = dev.events().length;
    const { ms } = await save({
      file: join(shop.root, file),
      text: text.replace(from, () => to(n)),
      url: `${url}${path}`,
      wanted: wanted(n),
    });
    saves.push({ ms, events: dev.events().slice(marker) });
    // What is still going on, such as a reloader that waits for more, must not count for the next save.
    await pause(1000);
  }
  const { ms, events } = saves.sort((a, b) => a.ms - b.ms)[Math.floor(times / 2)];
  const decision = events.find((event) => event.kind === 'decision' && event.files.includes(file));
  say(`  ${decision.action}: ${decision.because}`);
  say(`  save → new HTTP answer: ${bold(`${ms} ms`)}${times > 1 ? dim(`  (${saves.map((each) => each.ms).join(', ')})`) : ''}`);
  expect(decision.action === action, `the decision is ${action}`);
  if (action === 'sync' || action === 'target-then-sync') expect(same(before, await shop.running(service)), 'same pod, same container');
  return [what, action, partsOf(events), `${ms}`];
}

/** What the time went into that is not Slipway's own. */
function partsOf(events) {
  return events
    .flatMap((event) => {
      switch (event.kind) {
        case 'targetRan':
          return [`${event.target.replace(/^.*\//, '')} ${event.ms}`];
        case 'synced':
          return event.replay ? [] : [`copy ${Math.round(event.ms.total)}`];
        case 'reloaded':
          return [`compile ${event.ms}`];
        case 'built':
          return [`build ${event.ms}`];
        case 'rollout':
          return event.state === 'ready' ? [`rollout ${Math.round(event.ms ?? 0)}`] : [];
        default:
          return [];
      }
    })
    .filter((part, index, all) => all.indexOf(part) === index)
    .join(', ');
}

function table(head, lines) {
  const widths = head.map((title, column) => Math.max(title.length, ...lines.map((line) => line[column].length)));
  const row = (cells) => `| ${cells.map((cell, column) => cell.padEnd(widths[column])).join(' | ')} |`;
  return [row(head), row(widths.map((width) => '-'.repeat(width))), ...lines.map(row)];
}

async function becomeTurborepo(folder) {
  const { addTurboConfig, turboVersion, turnIntoPackages } = createRequire(import.meta.url)(join(root, 'dist', 'e2e', 'packageShop.js'));
  await step('make a Turborepo of it, and let `slipway init` write its tasks', async () => {
    const quietly = (command, args) => run(command, args, { cwd: folder, quiet: true });
    turnIntoPackages(folder);
    addTurboConfig(folder);
    await quietly('npm', ['install', '--silent', '--no-audit', '--no-fund', '-D', `turbo@${turboVersion}`]);
    // turbo asks git what belongs to a package.
    await quietly('git', ['init', '--quiet']);
    await quietly('git', ['add', '.']);
    await quietly('git', ['-c', 'user.name=demo', '-c', 'user.email=demo@localhost', 'commit', '--quiet', '--message=The shop']);
    await quietly('npx', ['slipway', 'init']);
  });
}
