import type { Problem, Release } from '../model';

/** Nothing of the releases runs where it should. */
export function nothingDeployed(releases: readonly { readonly release: Release; readonly namespace: string }[]): Problem {
  const names = releases.map(({ release }) => release.name);
  const namespaces = [...new Set(releases.map(({ namespace }) => namespace))];
  const where = `${namespaces.length === 1 ? 'namespace' : 'the namespaces'} ${namespaces.join(', ')}`;
  return {
    code: 'nothingDeployed',
    message: `nothing of ${names.join(', ')} runs in ${where}`,
    hint: `slipway deploy ${names.join(' ')} deploys it; --namespace and --context say where to look`,
    retry: 'never',
    exitCode: 1,
  };
}
