import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { failed, messageOf, succeeded, type KubectlSource } from '../../model';
import type { Deployer } from '../deployer';
import type { ManifestText } from './manifest';

/** Manifests as they stand in files. Failure: `manifestUnreadable`. */
export const kubectlDeployer: Deployer<KubectlSource> = {
  async manifests({ manifests }, { root }) {
    const texts: ManifestText[] = [];
    for (const path of manifests) {
      try {
        texts.push({ path, text: await readFile(join(root, path), 'utf8') });
      } catch (error) {
        return failed({
          code: 'manifestUnreadable',
          message: `${path} cannot be read`,
          retry: 'afterDelay',
          exitCode: 1,
          location: { file: path },
          detail: messageOf(error),
        });
      }
    }
    return succeeded(texts);
  },
};
