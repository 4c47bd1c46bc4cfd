import { baseImages } from '../baseImages';
import type { Service, ServiceSources } from '../serviceKind';

/** Files and a server that reads each of them when it is asked for. */
export function staticSite(service: Service): ServiceSources {
  return {
    files: { Dockerfile: dockerfile(service), 'site/index.html': page(service), 'site/style.css': style },
    entry: 'site/index.html',
    memory: { request: '8Mi', limit: '64Mi' },
    gracePeriod: { seconds: 1, because: 'httpd does not know SIGTERM, which the first process of a container then ignores.' },
    healthPath: '/',
    npm: 'no',
    scripts: {},
    devDependencies: {},
  };
}

function dockerfile({ port }: Service): string {
  return `FROM ${baseImages.static}
COPY --chown=1000:1000 site /www
USER 1000:1000
EXPOSE ${port}
# It reads each file when it is asked for, so an edit is served at once, and \`dev\` needs no stage of its own.
CMD ["httpd", "-f", "-p", "${port}", "-h", "/www"]
`;
}

function page({ name }: Service): string {
  return `<!doctype html>
<html lang="en">
  <head>
    <meta charset="utf-8" />
    <meta name="viewport" content="width=device-width, initial-scale=1" />
    <title>${name}</title>
    <link rel="stylesheet" href="style.css" />
  </head>
  <body>
    <h1>Hello from ${name}</h1>
  </body>
</html>
`;
}

const style = `body {
  margin: 4rem auto;
  max-width: 40rem;
  font-family: system-ui, sans-serif;
}
`;
