import { createServer } from 'node:http';
import { catalog } from '@shop/catalog';
import { formatPrice } from '@shop/money';
import { counter } from './counter';
import { pricesIn } from './prices';

const port = Number(process.env['PORT'] ?? 3000);
const prices = pricesIn(process.env['PRICING_URL'] ?? 'http://pricing');
const visits = counter(process.env['CACHE_URL'] ?? 'redis://cache:6379', 'visits');

/** What the shop sells, with as much as the other services tell: one that does not answer is no reason not to show the rest. */
async function shopWindow(): Promise<object> {
  const [cents, count] = await Promise.all([prices().catch(unknown('pricing')), visits.add().catch(unknown('the cache'))]);
  const items = catalog.map(({ name, description }) => {
    const price = cents?.[name];
    return { name, description, price: price === undefined ? 'on request' : formatPrice(price, 'EUR') };
  });
  return { items, visits: count ?? 'not counted' };
}

function unknown(service: string): (error: Error) => undefined {
  return (error) => {
    console.error(`${service} does not answer: ${error.message}`);
  };
}

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url ?? '/', 'http://api');
  const send = (status: number, body: object) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(`${JSON.stringify(body)}\n`);
  };
  if (pathname === '/healthz') return send(200, { ok: true });
  if (pathname !== '/') return send(404, { error: `nothing at ${pathname}` });
  send(200, await shopWindow());
});

server.listen(port, () => console.log(`api listens on ${port}`));

// A container's first process gets no default signal handling, so without this a pod would take its whole grace period to end.
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => {
    server.close(() => process.exit(0));
    server.closeAllConnections();
  });
}
