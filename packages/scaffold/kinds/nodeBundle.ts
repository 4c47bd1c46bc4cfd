import { baseImages } from '../baseImages';
import { nodeServer } from './nodeServer';
import type { Service, ServiceSources } from '../serviceKind';

/** TypeScript whose bundle is all that the image needs: neither node_modules nor the workspace's lock file go into it. */
export function nodeBundle(service: Service): ServiceSources {
  return {
    files: {
      Dockerfile: dockerfile(service),
      'src/server.ts': nodeServer(service, 'typescript'),
      'tsconfig.json': tsconfig(service),
    },
    entry: 'src/server.ts',
    memory: { request: '64Mi', limit: '256Mi' },
    healthPath: '/healthz',
    npm: 'forBuild',
    build: {
      command: 'esbuild src/server.ts --bundle --platform=node --target=node20 --sourcemap --log-level=warning --outfile=dist/server.js',
      outputs: ['dist'],
    },
    scripts: { typecheck: 'tsc --noEmit' },
    devDependencies: { '@types/node': '^20.19.0', esbuild: '^0.28.0', typescript: '^6.0.0' },
  };
}

function dockerfile({ port }: Service): string {
  return `FROM ${baseImages.node} AS base
WORKDIR /app
# The folder belongs to the user who runs, so that files can also be added to it while it runs.
RUN chown node:node /app
USER node
# What the target \`build\` makes. Slipway runs it before the image is made, and again after an edit of anything it is made from.
COPY --chown=node:node dist dist
ENV PORT=${port}
EXPOSE ${port}

# What \`dev\` runs: it starts again when a file changes.
FROM base AS dev
CMD ["node", "--watch", "--enable-source-maps", "dist/server.js"]

FROM base
ENV NODE_ENV=production
CMD ["node", "--enable-source-maps", "dist/server.js"]
`;
}

/** It only checks: esbuild writes. What a base for libraries says of declarations must not get in its way. */
function tsconfig({ baseTsconfig }: Service): string {
  const config = {
    ...(baseTsconfig !== undefined && { extends: baseTsconfig }),
    compilerOptions: {
      target: 'es2022',
      module: 'esnext',
      moduleResolution: 'bundler',
      lib: ['es2022'],
      types: ['node'],
      strict: true,
      skipLibCheck: true,
      noEmit: true,
      ...(baseTsconfig !== undefined && { composite: false, declaration: false, declarationMap: false, emitDeclarationOnly: false }),
    },
    include: ['src'],
  };
  return `${JSON.stringify(config, undefined, 2)}\n`;
}
