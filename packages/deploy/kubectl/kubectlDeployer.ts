import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fillTemplate } from '../../config';
import { failed, messageOf, succeeded, type KubectlSource } from '../../model';
import type { Deployer } from '../deployer';
import type { ManifestText } from './manifest';

/** Manifests as they stand in files. Failure: `manifestUnreadable`. */
export const kubectlDeployer: Deployer<KubectlSource> = {
  async manifests({ manifests, hydrated }, { root }) {
    const texts: ManifestText[] = [];
    for (const path of manifests) {
      try {
        const text = await readFile(join(root, path), 'utf8');
        const isTemplate = hydrated?.manifests.includes(path) === true;
        texts.push({ path, text: isTemplate ? fillTemplate(text, { value: (name) => hydrated.variables[name] }).text : text });
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
