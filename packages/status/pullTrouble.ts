import { passesOnPull, passing } from './passing';
import { waitsSince, type ContainerStatus, type Pod } from './shapes';
import { describeCommand, fieldOf, nameOfContainer, sentence, specOf, trouble, type PodTrouble } from './trouble';

/** The codes of images that cannot be pulled, with what the runtime says and the next thing to do. The first that fits is it. */
const kinds: readonly { readonly code: string; readonly said: RegExp; readonly hint: string }[] = [
  { code: 'imageNameInvalid', said: /InvalidImageName|couldn't parse image/, hint: 'correct the name of the image' },
  {
    code: 'imagePullUnauthorized',
    said: /unauthorized|denied|forbidden|\b40[13]\b|no basic auth/i,
    hint: 'give the cluster access to the registry (imagePullSecrets), or check the name: some registries say so of what they do not have',
  },
  {
    code: 'imagePullNotFound',
    said: /not found|manifest unknown|\b404\b/i,
    hint: 'check the name and tag of the image, and that it was pushed',
  },
  {
    code: 'imagePullForbidden',
    said: /ErrImageNeverPull/,
    hint: 'load the image into the cluster, or let it be pulled (imagePullPolicy)',
  },
  {
    code: 'imagePullUnreachable',
    said: /server gave HTTP response to HTTPS client/,
    hint: 'the registry speaks plain http: the nodes must be told that it may',
  },
  {
    code: 'imagePullUnreachable',
    said: /no such host|connection refused|no route to host|network is unreachable|timeout|timed out|x509/i,
    hint: 'check that the nodes reach the registry, by the name that the image has',
  },
];

/** Why the image of a container cannot be pulled. */
export function pullTrouble(pod: Pod, status: ContainerStatus): PodTrouble | undefined {
  const { reason = '', message = '' } = status.state?.waiting ?? {};
  const said = message === '' ? reason : `${reason}: ${message}`;
  // The reason follows.
  if (reason === 'ErrImagePull' && message === '') return undefined;
  const kind = kinds.find((each) => each.said.test(said));
  const image = specOf(pod, status)?.image ?? status.image ?? '';
  const reasonText = reasonOf(message === '' ? reason : message);
  const told = reasonText.includes(image) ? reasonText : `${image}: ${reasonText}`;
  return trouble(
    {
      code: kind?.code ?? 'imagePullFailed',
      message: `${nameOfContainer(pod, status)}: its image cannot be pulled, ${told}`,
      hint: kind?.hint ?? `see the events: ${describeCommand(pod)}`,
    },
    { field: fieldOf(pod, status, 'image'), ...(passesOnPull(said) && passing(waitsSince(pod, status))) },
  );
}

/** The runtime's words without what wraps them; both states of a failed pull say the same of it. */
function reasonOf(said: string): string {
  return sentence(
    said
      .replace(/^Back-off pulling image "[^"]*":?\s*/, '')
      .replace(/^ErrImagePull:\s*/, '')
      .replace(/^rpc error: (code = \w+ desc = )?/, '')
      .replace(/^(failed to pull and unpack image|failed to resolve reference) "[^"]*": /, '')
      .replace(/^failed to resolve reference "[^"]*": /, '')
      .replace(/^failed to do request: \w+ "[^"]*": /, '')
      .replace(/^Failed to apply default image tag "[^"]*": /, '')
      .replace(/^couldn't parse image name "[^"]*": /, '')
      .replace(
        /^Container image "([^"]*)" is not present with pull policy of Never$/,
        '$1: imagePullPolicy is Never, and the node does not have it',
      ),
  );
}
