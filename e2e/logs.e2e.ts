import { Shop } from './shop';

/** Says a numbered line again and again, each with the pod and the process it is of, and a last one when it is asked to end. */
const counting = `
const life = Date.now();
let count = 0;
setInterval(() => console.log('count', process.env.HOSTNAME, life, count++), 25);
process.on('SIGTERM', () => { console.log('last words', process.env.HOSTNAME, life); process.exit(1); });
`;

const init = `      initContainers:
        - name: prepare
          image: worker
          command: [sh, -c, 'for line in 1 2 3; do echo prepare $HOSTNAME $line; done']
      containers:`;

/** What each process has counted, by pod and process, in the order of the lines. */
function counted(printed: string): ReadonlyMap<string, readonly number[]> {
  const byLife = new Map<string, number[]>();
  for (const [, pod = '', life = '', count] of printed.matchAll(/│ count (\S+) (\d+) (\d+)/g)) {
    const key = `${pod} ${life}`;
    byLife.set(key, [...(byLife.get(key) ?? []), Number(count)]);
  }
  return byLife;
}

describe('the logs that dev shows', () => {
  const shop = new Shop();
  beforeAll(() => shop.open());
  afterAll(() => shop.close());

  it('have every line of every container once, over a restart and a rollout, with the last words of the one that died', async () => {
    shop.write('apps/worker/src/server.js', shop.read('apps/worker/src/server.js') + counting);
    shop.edit('apps/worker/k8s/worker.yaml', '      containers:', init);
    shop.edit('apps/worker/Dockerfile', 'CMD ["node", "--watch",', 'CMD ["node",');
    const dev = shop.dev('worker');
    const counts = (lives: number, lines: number) =>
      dev.prints(`${lines} lines of ${lives} processes`, (printed) => {
        const all = [...counted(printed).values()];
        return all.length === lives && all.every((each) => each.length >= lines);
      });
    await dev.until('ready');
    await counts(1, 40);
    const first = await shop.onlyOne('worker');
    await shop.endInside('worker', first.pod);
    await counts(2, 40);
    const mark = dev.mark();
    shop.edit('apps/worker/Dockerfile', 'EXPOSE 3000', 'ENV WORD=new\nEXPOSE 3000');
    await dev.until('built', undefined, mark);
    await counts(3, 40);
    await dev.prints('the last words of both pods', (printed) => (printed.match(/│ last words /g) ?? []).length >= 2);
    expect(await dev.interrupt()).toBe(0);

    const lives = counted(dev.printed);
    for (const counts of lives.values()) expect(counts).toEqual(counts.map((_, index) => index));
    const pods = [...new Set([...lives.keys()].map((life) => life.split(' ')[0]))];
    expect(pods).toHaveLength(2);
    const prepared = [...dev.printed.matchAll(/│ prepare (\S+) (\d)/g)].map(([, pod, line]) => `${pod} ${line}`);
    expect(prepared).toEqual(pods.flatMap((pod) => ['1', '2', '3'].map((line) => `${pod} ${line}`)));
    expect(dev.printed).not.toContain('unable to retrieve');
  });
});
