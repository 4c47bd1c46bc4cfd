import { createRequire } from 'node:module';

const require = createRequire(import.meta.url);

/** Removes what was built in a run: the images of projects in the engine, and all of their repositories in the registry. */
export async function forgetImages(env, { registry: host, images }) {
  const { connectEngine, openRegistry } = require('../dist/clients');
  const registry = openRegistry({ env });
  const engine = connectEngine({ env });
  const made = await engine.list({ name: 'dev.slipway.project' });
  for (const image of images) {
    const repository = `${host}/${image}`;
    const refs = made.ok ? made.value.flatMap(({ refs }) => refs) : [];
    for (const ref of refs) if (ref.startsWith(`${repository}:`)) await engine.remove(ref);
    const tags = host === undefined ? { ok: false } : await registry.tags(repository);
    for (const tag of tags.ok ? tags.value : []) await registry.remove(`${repository}:${tag}`);
  }
}
