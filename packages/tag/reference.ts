import { failed, succeeded, type Problem, type Result } from '../model';

/** An image reference in its parts: `[registry/]repository[:tag][@digest]`. */
export interface ImageReference {
  /** `registry.example:5000`; undefined when the reference does not name one. */
  readonly registry: string | undefined;
  /** The path without registry, tag and digest: `shop/worker`. */
  readonly repository: string;
  readonly tag: string | undefined;
  readonly digest: string | undefined;
}

const component = /^[a-z0-9]+((\.|_|__|-+)[a-z0-9]+)*$/;
const registryForm = /^(\[[0-9a-fA-F:]+\]|[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?(\.[a-zA-Z0-9]([a-zA-Z0-9-]*[a-zA-Z0-9])?)*)(:[0-9]+)?$/;
const tagForm = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const digestForm = /^[a-z0-9]+([+._-][a-z0-9]+)*:[0-9a-fA-F]{32,}$/;
const longestName = 255;

/** Reads a reference by the grammar of https://github.com/distribution/reference. Failure: `imageNameInvalid` (exit 2). */
export function parseReference(text: string): Result<ImageReference> {
  const [beforeDigest = '', digest, ...more] = text.split('@');
  if (more.length > 0 || (digest !== undefined && !digestForm.test(digest))) {
    return failed(nameInvalid(text, 'its digest is not of the form sha256:… with 64 hexadecimal digits'));
  }
  const slash = beforeDigest.lastIndexOf('/');
  const colon = beforeDigest.indexOf(':', slash + 1);
  const tag = colon < 0 ? undefined : beforeDigest.slice(colon + 1);
  const name = colon < 0 ? beforeDigest : beforeDigest.slice(0, colon);
  if (tag !== undefined && !tagForm.test(tag)) {
    return failed(
      nameInvalid(text, 'a tag has at most 128 letters, digits, dots, dashes and underscores, and begins with none of the first two signs'),
    );
  }
  const parts = name.split('/');
  const [first = ''] = parts;
  const namesRegistry = parts.length > 1 && (/[.:]/.test(first) || first === 'localhost' || first !== first.toLowerCase());
  const registry = namesRegistry ? first : undefined;
  const path = namesRegistry ? parts.slice(1) : parts;
  const reason =
    registry !== undefined && !registryForm.test(registry) ? `${registry} is not a registry's address` : pathMistake(path, name);
  if (reason !== undefined) return failed(nameInvalid(text, reason));
  return succeeded({ registry, repository: path.join('/'), tag, digest });
}

function pathMistake(path: readonly string[], name: string): string | undefined {
  if (name === '') return 'it has no name';
  if (name.length > longestName) return `it is longer than ${longestName} characters`;
  const wrong = path.find((part) => !component.test(part));
  if (wrong === undefined) return undefined;
  if (wrong === '') return 'it has two slashes in a row, or one at an end';
  if (wrong !== wrong.toLowerCase()) return `${wrong} has upper-case letters`;
  return `${wrong} may only have lower-case letters and digits, with single dots, underscores or dashes between them`;
}

function nameInvalid(text: string, reason: string): Problem {
  return {
    code: 'imageNameInvalid',
    message: `${text === '' ? 'an empty text' : text} is not an image name: ${reason}`,
    hint: 'write it like registry.example/team/name:tag',
    retry: 'whenInputChanges',
    exitCode: 2,
  };
}

/** The name of an image with registry, without tag and digest. */
export function nameOf(reference: ImageReference): string {
  return reference.registry === undefined ? reference.repository : `${reference.registry}/${reference.repository}`;
}

export interface ImageRefParts {
  /** Registry and path that images are put under: `registry.example/team`. Absent: the image's own name is used as it is. */
  readonly repo?: string;
  readonly image: string;
  readonly tag: string;
}

/** The reference an image is pushed and pulled by. */
export function imageRef({ repo, image, tag }: ImageRefParts): string {
  const prefix = repo?.replace(/\/+$/, '') ?? '';
  const under = prefix === '' || image.startsWith(`${prefix}/`) ? image : `${prefix}/${image}`;
  return `${under}:${tag}`;
}

/** Whether a reference of a manifest or a FROM means an image of the workspace: with any tag, with or without the default repository before it. */
export function isImage(reference: string, { image, repo }: { readonly image: string; readonly repo: string | undefined }): boolean {
  const name = withoutDockerHub(reference.replace(/@.*$/s, '').replace(/:[^:/]*$/, ''));
  const own = withoutDockerHub(image);
  if (name === own) return true;
  return repo !== undefined && repo !== '' && name === withoutDockerHub(imageRef({ repo, image, tag: '' }).slice(0, -1));
}

/** What may be left out of a name on Docker Hub. */
function withoutDockerHub(name: string): string {
  return name.replace(/^(index\.)?docker\.io\//, '').replace(/^library\//, '');
}
