'use strict';

const { createServer } = require('node:http');
const { basket } = require('./basket');
const { greeting } = require('@shop/greeting');
const { formatPrice } = require('@shop/money');

const port = Number(process.env.PORT ?? 3000);
const shopName = process.env.SHOP_NAME ?? 'the shop';
const currency = process.env.CURRENCY ?? 'EUR';
const webUrl = process.env.WEB_URL ?? 'http://web';

/** Each path's answer: a value is sent as JSON. */
const routes = {
  '/': () => ({ message: greeting(shopName), total: formatPrice(basket.total(), currency) }),
  '/healthz': () => ({ ok: true }),
  // What a pod sees of another service, by the cluster's own DNS.
  '/through': async () => {
    const answer = await fetch(webUrl, { signal: AbortSignal.timeout(2000) });
    return { from: webUrl, status: answer.status, title: /<title>(.*?)<\/title>/.exec(await answer.text())?.[1] };
  },
};

const server = createServer(async (request, response) => {
  const { pathname } = new URL(request.url ?? '/', 'http://worker');
  const route = Object.hasOwn(routes, pathname) ? routes[pathname] : undefined;
  const send = (status, body) => {
    response.writeHead(status, { 'content-type': 'application/json' });
    response.end(`${JSON.stringify(body)}\n`);
  };
  if (pathname !== '/healthz') console.log(`${request.method} ${pathname}`);
  if (!route) return send(404, { error: `nothing at ${pathname}` });
  try {
    send(200, await route());
  } catch (error) {
    send(502, { error: error.cause?.message ?? error.message });
  }
});

server.listen(port, () => console.log(`worker listens on ${port}`));

// A container's first process gets no default signal handling, so without this a pod would take its whole grace period to end.
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => {
    server.close(() => process.exit(0));
    server.closeAllConnections();
  });
}
