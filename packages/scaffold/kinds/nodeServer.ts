import type { Service } from '../serviceKind';

/** A small HTTP server; the same in both languages but for what TypeScript needs to be told. */
export function nodeServer({ name, port }: Service, language: 'javascript' | 'typescript'): string {
  const env = language === 'typescript' ? `process.env['PORT']` : 'process.env.PORT';
  return `import { createServer } from 'node:http';

const port = Number(${env} ?? ${port});

const server = createServer((request, response) => {
  const { pathname } = new URL(request.url ?? '/', 'http://localhost');
  const send = (status${language === 'typescript' ? ': number' : ''}, text${language === 'typescript' ? ': string' : ''}) => {
    response.writeHead(status, { 'content-type': 'text/plain; charset=utf-8' });
    response.end(\`\${text}\\n\`);
  };
  if (pathname === '/healthz') return send(200, 'ok');
  if (pathname === '/') return send(200, 'Hello from ${name}');
  send(404, \`there is nothing at \${pathname}\`);
});

server.listen(port, () => console.log(\`${name} listens on \${port}\`));

// The first process of a container gets no default signal handling: without this a pod takes its whole grace period to end.
for (const signal of ['SIGTERM', 'SIGINT']) {
  process.on(signal, () => server.close(() => process.exit(0)));
}
`;
}
