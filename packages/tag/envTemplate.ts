import { fillTemplate } from '../config';
import { failed, succeeded, type Problem, type Result } from '../model';

export interface EnvSubject {
  readonly env: Readonly<Record<string, string | undefined>>;
  /** The image's name as manifests have it. */
  readonly image: string;
}

/** From variables of the environment, and `IMAGE_NAME`, which the environment cannot change. */
export function envTemplateTag(template: string, { env, image }: EnvSubject): Result<string> {
  const filled = fillTemplate(template, { value: (name) => (name === 'IMAGE_NAME' ? image : env[name]) });
  const [missing] = filled.missing;
  return missing ? failed(variableNotSet(missing.name)) : succeeded(filled.text);
}

function variableNotSet(name: string): Problem {
  return {
    code: 'variableNotSet',
    message: `image.tag.envTemplate needs the variable ${name}, which is not set`,
    hint: `set ${name}, or give it a default: \${${name}:-…}`,
    retry: 'whenInputChanges',
    exitCode: 2,
  };
}
