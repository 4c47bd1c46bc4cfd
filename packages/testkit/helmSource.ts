import type { HelmSource } from '../model';

/** A chart of the workspace, of which a config says no more. */
export const helmSource: HelmSource = {
  kind: 'helm',
  name: 'api',
  chart: { kind: 'local', path: 'apps/api/chart', hasDependencies: false },
  createNamespace: false,
  valuesFiles: [],
  values: {},
  setValues: {},
  setValueTemplates: {},
  setFiles: {},
  images: {},
  imageStrategy: 'fqn',
  wait: false,
  inputs: [],
};
