import type { ContainerStatus, Pod } from './shapes';
import { fieldOf, nameOfContainer, sentence, specOf, trouble, type PodTrouble } from './trouble';

/** A container that cannot be made as its manifest says: `couldn't find key TOKEN in ConfigMap shop/settings`, `secret "login" not found`. */
export function configTrouble(pod: Pod, status: ContainerStatus, said: string): PodTrouble {
  const where = nameOfContainer(pod, status);
  const [, key, kindOfKey, holder] = /couldn't find key (\S+) in (ConfigMap|Secret) (?:[^/\s]+\/)?(\S+)/i.exec(said) ?? [];
  if (key !== undefined && kindOfKey !== undefined && holder !== undefined) {
    return trouble(
      {
        code: 'configKeyMissing',
        message: `${where} reads the key ${key} of the ${kindOfKey} ${holder}, which does not have it`,
        hint: `add ${key} to it, or correct the name`,
      },
      {
        field: fieldOf(
          pod,
          status,
          readingOf(pod, status, (of) => of.key === key && of.name === holder),
        ),
      },
    );
  }
  const [, kind, name] = /(configmap|secret) "([^"]+)" not found/i.exec(said) ?? [];
  if (kind !== undefined && name !== undefined) {
    const told = kind.toLowerCase() === 'secret' ? 'Secret' : 'ConfigMap';
    return trouble(
      {
        code: 'configMissing',
        message: `${where} reads the ${told} ${name}, which is not there`,
        hint: `apply the ${told}, or correct the name`,
      },
      {
        field: fieldOf(
          pod,
          status,
          readingOf(pod, status, (of) => of.name === name),
        ),
      },
    );
  }
  return trouble(
    {
      code: 'containerConfigInvalid',
      message: `${where} cannot be made: ${sentence(said.replace(/ \(pod: "[^"]*", container: [^)]*\)$/, ''))}`,
      hint: 'correct in the manifest what the sentence names',
    },
    { field: fieldOf(pod, status, 'securityContext') },
  );
}

interface Reading {
  readonly name?: string;
  readonly key?: string;
}

/** Where a container reads a ConfigMap or a Secret, or a key of one. */
function readingOf(pod: Pod, status: ContainerStatus, isIt: (reading: Reading) => boolean): string {
  const spec = specOf(pod, status);
  const variable = spec?.env?.find(({ valueFrom }) => isIt(valueFrom?.configMapKeyRef ?? valueFrom?.secretKeyRef ?? {}));
  if (variable) return `env[name="${variable.name}"]`;
  const from = spec?.envFrom?.findIndex(({ configMapRef, secretRef }) => isIt(configMapRef ?? secretRef ?? {})) ?? -1;
  return from < 0 ? 'env' : `envFrom[${from}]`;
}
