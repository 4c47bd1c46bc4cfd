import { mkdirSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { GraphSource } from '../graph';
import { succeeded, type Event } from '../model';
import { buildCommand } from './oneShot';

const root = realpathSync(mkdtempSync(join(tmpdir(), 'slipway-one-shot-')));
afterAll(() => rmSync(root, { recursive: true, force: true }));

const graph: GraphSource = {
  kind: 'nx',
  root,
  watch: [],
  read: () =>
    Promise.resolve(succeeded({ projects: ['web', 'api'].map((name) => ({ name, root: name, dependencies: [], targets: new Map() })) })),
  runTarget: () => ({ command: 'none', args: [] }),
};

/** A registry that has nothing, and where nobody may look at what is below "locked". */
const registry = createServer(({ url }, response) => response.writeHead(url?.includes('/locked/') ? 403 : 404).end());
beforeAll(() => new Promise<void>((resolve) => registry.listen(0, '127.0.0.1', resolve)));
afterAll(() => registry.close());

mkdirSync(join(root, 'web'));
writeFileSync(join(root, 'web/Dockerfile'), 'FROM scratch\nCOPY index.html /\n');
writeFileSync(join(root, 'web/index.html'), '');

async function dryBuild(config: string) {
  writeFileSync(join(root, 'slipway.yaml'), `version: 1\n${config}\n`);
  const told: Event[] = [];
  const { problems, document } = await buildCommand({
    root,
    graph,
    projects: ['web'],
    kubeconfig: join(root, 'no-kubeconfig'),
    env: {},
    dryRun: true,
    report: (event) => told.push(event),
    signal: new AbortController().signal,
  });
  return { codes: problems.map(({ code }) => code), images: document.images, told };
}

/** The registry's address with a path. */
function repo(): string {
  return `127.0.0.1:${(registry.address() as AddressInfo).port}/team`;
}

test('a build for a registry that only slipway.yaml names works where there is no kubeconfig', async () => {
  expect(await dryBuild('')).toMatchObject({ codes: ['kubeconfigNotFound'], images: [] });
  const { codes, images } = await dryBuild(`defaultRepo: ${repo()}`);
  expect(codes).toEqual([]);
  expect(images).toMatchObject([{ ref: expect.stringContaining(`${repo()}/web:`) as string, built: true }]);
});

test('what the root says for nobody is told, and is no failure', async () => {
  const { codes, told } = await dryBuild(`defaultRepo: ${repo()}\nhooks: {build: {before: [{run: ./licence.sh}]}}`);
  expect(codes).toEqual([]);
  const said = expect.stringMatching(/^slipway\.yaml:3: hooks counts for nobody/) as string;
  expect(told).toContainEqual(expect.objectContaining({ kind: 'notice', message: said }));
});

test('what fails while it is tried a few times is told as of a command that gives up', async () => {
  const { codes, told } = await dryBuild(`defaultRepo: ${repo()}/locked`);
  expect(codes).toEqual(['registryRefused']);
  const failures = told.filter(({ kind }) => kind === 'failed');
  expect(failures).toMatchObject([{ code: 'registryRefused', problem: { retry: 'afterDelay' }, givesUp: true }]);
}, 20_000);

test('an image is built though manifests beside it run one of another project that cannot be made', async () => {
  const container = (name: string) => `{name: ${name}, image: ${name}}`;
  const pod = `{apiVersion: v1, kind: Pod, metadata: {name: web}, spec: {containers: [${['web', 'api'].map(container).join(', ')}]}}`;
  for (const folder of ['api', 'web/k8s']) mkdirSync(join(root, folder));
  writeFileSync(join(root, 'api/Dockerfile'), 'FORM scratch\n');
  writeFileSync(join(root, 'web/k8s/web.yaml'), `${pod}\n`);
  const { codes, images } = await dryBuild(`defaultRepo: ${repo()}`);
  expect(codes).toEqual([]);
  expect(images).toMatchObject([{ artifact: 'web' }]);
});
