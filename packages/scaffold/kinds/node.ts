import { baseImages } from '../baseImages';
import { nodeServer } from './nodeServer';
import type { Service, ServiceSources } from '../serviceKind';

/** JavaScript that runs as it is written. */
export function node(service: Service): ServiceSources {
  return {
    files: { Dockerfile: dockerfile(service), 'src/server.js': nodeServer(service, 'javascript') },
    entry: 'src/server.js',
    memory: { request: '64Mi', limit: '256Mi' },
    healthPath: '/healthz',
    npm: 'inImage',
    scripts: { start: 'node src/server.js' },
    devDependencies: {},
  };
}

function dockerfile({ port }: Service): string {
  return `FROM ${baseImages.node} AS base
WORKDIR /app
# The folder belongs to the user who runs, so that files can also be added to it while it runs.
RUN chown node:node /app
USER node
# A change of package.json makes a new image; everything below is copied into running containers.
COPY --chown=node:node package.json ./
RUN npm install --omit=dev --no-audit --no-fund --no-package-lock
COPY --chown=node:node src src
ENV PORT=${port}
EXPOSE ${port}

# What \`dev\` runs: it starts again when a file changes.
FROM base AS dev
CMD ["node", "--watch", "src/server.js"]

FROM base
ENV NODE_ENV=production
CMD ["node", "src/server.js"]
`;
}
