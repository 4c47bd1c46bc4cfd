import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';

export const numbers = (count) => Array.from({ length: count }, (_, index) => index);

/** Writes files below a folder: a text as it is, else JSON. */
export function writer(folder) {
  return (path, content) => {
    mkdirSync(dirname(join(folder, path)), { recursive: true });
    writeFileSync(join(folder, path), typeof content === 'string' ? content : `${JSON.stringify(content, null, 2)}\n`);
  };
}

const filesEach = 20;

/**
 * The projects of a workspace: services `s0`, `s1`, … and libraries `l0`, `l1`, …, of twenty files each. Each service uses two of the libraries.
 * @param name keeps its images apart from those of other runs.
 * @param more what else a service's package.json has.
 * @returns which libraries a service uses.
 */
export function generateServices(folder, { name, services, libraries, more = () => ({}) }) {
  const write = writer(folder);
  const librariesOf = (service) => [...new Set([service % libraries, (service + 7) % libraries])];
  const sources = (at, what) => {
    for (const file of numbers(filesEach)) write(`${at}/src/f${file}.js`, `exports.value = '${what} ${file}';\n`.repeat(40));
  };
  for (const lib of numbers(libraries)) {
    write(`libs/l${lib}/package.json`, { name: `@bench/l${lib}`, version: '0.0.0' });
    sources(`libs/l${lib}`, `library ${lib}`);
  }
  for (const service of numbers(services)) {
    const at = `services/s${service}`;
    const used = librariesOf(service);
    write(`${at}/package.json`, {
      name: `s${service}`,
      version: '0.0.0',
      dependencies: Object.fromEntries(used.map((lib) => [`@bench/l${lib}`, '*'])),
      ...more(service),
    });
    sources(at, `service ${service}`);
    write(`${at}/slipway.yaml`, `version: 1\nimage: {name: ${name}/s${service}, context: workspace}\n`);
    write(
      `${at}/Dockerfile`,
      [
        'FROM busybox:1.36',
        'WORKDIR /app',
        ...used.map((lib) => `COPY --chown=1000:1000 libs/l${lib}/src node_modules/@bench/l${lib}/src`),
        `COPY --chown=1000:1000 ${at}/src src`,
        'USER 1000:1000',
        'CMD ["httpd", "-f", "-p", "8080", "-h", "/app"]',
        '',
      ].join('\n'),
    );
  }
  return librariesOf;
}
