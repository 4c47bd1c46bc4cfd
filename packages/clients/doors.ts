import type * as http2 from 'node:http2';
import { createRequire } from 'node:module';
import type * as docker from './bundled/docker';
import type * as kubernetes from './bundled/kubernetes';
import type * as processes from './bundled/processes';
import type * as ws from 'ws';

const load = createRequire(__filename);

function door(name: string, loaded: unknown = load(`./bundled/${name}`)): unknown {
  if (!(loaded as { readonly bundled: boolean }).bundled)
    throw new Error(`clients/bundled/${name} was compiled but not bundled: run node tools/bundle.mjs`);
  return loaded;
}

/** Packages that take long to load, loaded at their first use: a command that never asks the cluster does not pay for its client. */
export const doors = {
  docker: () => door('docker') as typeof docker,
  http2: () => load('node:http2') as typeof http2,
  kubernetes: () => door('kubernetes', load('./bundled/kubernetes')) as typeof kubernetes,
  processes: () => door('processes') as typeof processes,
  ws: () => load('ws') as typeof ws,
};
