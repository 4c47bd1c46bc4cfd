import { renameSync } from 'node:fs';
import { runCommand } from './runCommand';
import type { RunningDev } from './runningDev';
import { Shop } from './shop';

/** One after another: some reloaders are deaf after the first. */
const edits = process.env['SLIPWAY_FULL'] === undefined ? 3 : 20;

interface Reloader {
  readonly what: string;
  readonly app: string;
  readonly file: string;
  readonly path: string;
  /** The file's text when it is to answer with a word. */
  readonly saying: (text: string, word: string) => string;
}

const replaced = (from: string) => (text: string, word: string) => text.replace(from, () => word);

const reloaders: readonly Reloader[] = [
  { what: 'nodemon', app: 'watched', file: 'services/watched/src/server.js', path: '/', saying: replaced('a word') },
  { what: 'node --watch', app: 'worker', file: 'libs/greeting/src/index.js', path: '/', saying: replaced('Welcome') },
  {
    what: 'a Python watchdog that knows on_modified alone',
    app: 'modified',
    file: 'services/modified/server.py',
    path: '/',
    saying: replaced('a word'),
  },
  {
    what: 'a Go build in the container',
    app: 'pricing',
    file: 'apps/pricing/main.go',
    path: '/prices',
    // Prices are numbers.
    saying: (text, word) => text.replace('1250', () => word.replace(/\D/g, '')),
  },
];

describe('what starts again by itself when its files change', () => {
  const shop = new Shop();
  let dev: RunningDev;
  beforeAll(async () => {
    await shop.open();
    addModified(shop);
    await addWatched(shop);
    const apps = reloaders.map(({ app }) => app);
    dev = shop.dev(...apps);
    await dev.until('ready');
    for (const app of apps) await dev.until('connected', ({ artifact }) => artifact === app);
  });
  afterAll(() => shop.close());

  it.each(reloaders)(`$what answers with each of ${String(edits)} edits`, async ({ app, file, path, saying }) => {
    const before = await shop.onlyOne(app);
    const text = shop.read(file);
    const mark = dev.mark();
    await dev.answer(app, path, '');
    for (let edit = 1; edit <= edits; edit += 1) {
      const word = `edit ${String(77_000 + edit)}`;
      shop.write(file, saying(text, word));
      await dev.answer(app, path, app === 'pricing' ? word.replace(/\D/g, '') : word);
    }
    expect(await shop.onlyOne(app)).toEqual(before);
    expect(dev.since(mark, 'built')).toEqual([]);
  });

  it('node --watch goes on when files that it needs are gone and come back, which it does not notice itself', async () => {
    const [part, started] = ['apps/worker/src/basket.js', 'apps/worker/src/server.js'];
    const back = (path: string): (() => void) => {
      const kept = shop.path('kept');
      renameSync(shop.path(path), kept);
      return () => renameSync(kept, shop.path(path));
    };
    const before = await shop.onlyOne('worker');
    for (const path of [part, started]) {
      const [mark, printed] = [dev.mark(), dev.printed.length];
      const bringBack = back(path);
      await dev.prints('that its process has ended', (all) => all.slice(printed).includes('Failed running'));
      bringBack();
      await dev.until('notice', ({ message }) => message.startsWith('node --watch did not notice'), mark);
      await dev.answer('worker', '/', '"total"');
    }
    expect(await shop.onlyOne('worker')).toMatchObject({ podUid: before.podUid, restarts: before.restarts + 1 });
  });
});

/** A server under nodemon, which is brought by npm. */
async function addWatched(shop: Shop): Promise<void> {
  const folder = 'services/watched';
  shop.write(`${folder}/project.json`, '{ "name": "watched" }\n');
  shop.write(`${folder}/package.json`, '{ "private": true }\n');
  shop.write(
    `${folder}/src/server.js`,
    "require('node:http').createServer((request, response) => response.end('a word')).listen(3000);\nprocess.on('SIGUSR2', () => process.exit());\n",
  );
  shop.write(
    `${folder}/Dockerfile`,
    [
      'FROM node:20-slim',
      'WORKDIR /app',
      'COPY --chown=1000:1000 package.json ./',
      'COPY --chown=1000:1000 node_modules node_modules',
      'COPY --chown=1000:1000 src src',
      'USER 1000:1000',
      'EXPOSE 3000',
      'CMD ["node_modules/.bin/nodemon", "src/server.js"]\n',
    ].join('\n'),
  );
  shop.write(`${folder}/k8s/watched.yaml`, manifests('watched', 3000));
  await runCommand({ command: 'npm', args: ['install', '--silent', '--no-audit', '--no-fund', 'nodemon@3'], cwd: shop.path(folder) });
}

/** A server in Python that somebody starts again when a file of it was modified; one that was created or moved there is none of his business. */
function addModified(shop: Shop): void {
  const folder = 'services/modified';
  shop.write(`${folder}/project.json`, '{ "name": "modified" }\n');
  shop.write(`${folder}/requirements.txt`, shop.read('apps/reports/requirements-dev.txt'));
  shop.write(`${folder}/slipway.yaml`, 'version: 1\nreload: hot\n');
  shop.write(`${folder}/watch.py`, watchPy);
  shop.write(`${folder}/server.py`, serverPy);
  shop.write(
    `${folder}/Dockerfile`,
    [
      'FROM python:3.11-slim',
      'WORKDIR /app',
      'ENV PYTHONUNBUFFERED=1 PYTHONDONTWRITEBYTECODE=1',
      'COPY requirements.txt ./',
      'RUN pip install --no-cache-dir -r requirements.txt && chown 1000:1000 .',
      'USER 1000:1000',
      'COPY --chown=1000:1000 *.py ./',
      'EXPOSE 8000',
      'CMD ["python", "watch.py"]\n',
    ].join('\n'),
  );
  shop.write(`${folder}/k8s/modified.yaml`, manifests('modified', 8000));
}

const watchPy = `import subprocess
import sys
import time

from watchdog.events import FileSystemEventHandler
from watchdog.observers import Observer


class OnModified(FileSystemEventHandler):
    def __init__(self):
        self.start()

    def start(self):
        self.server = subprocess.Popen([sys.executable, "server.py"])

    def on_modified(self, event):
        if not event.src_path.endswith("server.py"):
            return
        self.server.kill()
        self.server.wait()
        self.start()


observer = Observer()
observer.schedule(OnModified(), ".")
observer.start()
while True:
    time.sleep(1)
`;

const serverPy = `from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class Answer(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"a word")


ThreadingHTTPServer(("", 8000), Answer).serve_forever()
`;

function manifests(name: string, port: number): string {
  const labels = `{ app: ${name} }`;
  return `apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name} }
spec:
  selector: { matchLabels: ${labels} }
  template:
    metadata: { labels: ${labels} }
    spec:
      terminationGracePeriodSeconds: 1
      containers: [{ name: ${name}, image: ${name}, ports: [{ containerPort: ${String(port)} }] }]
---
apiVersion: v1
kind: Service
metadata: { name: ${name} }
spec:
  selector: ${labels}
  ports: [{ port: 80, targetPort: ${String(port)} }]
`;
}
