import { failed, succeeded, type Problem, type Result } from '../model';
import { underRepo } from './underRepo';

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
const longestTag = 128;

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
  const wrongTag = tag === undefined ? undefined : tagMistake(tag);
  if (wrongTag !== undefined) return failed(nameInvalid(text, wrongTag));
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

/** Why a text is not a tag, as a phrase; undefined: it is one. */
export function tagMistake(tag: string): string | undefined {
  if (tagForm.test(tag)) return undefined;
  if (tag === '') return 'it is empty';
  if (tag.length > longestTag) return `a tag has at most ${longestTag} characters, and this has ${tag.length}`;
  if (/^[.-]/.test(tag)) return 'a tag begins with a letter, a digit or an underscore';
  const wrong = [...new Set(tag.replace(/[A-Za-z0-9_.-]/g, ''))].map((sign) => (sign === ' ' ? 'a space' : sign)).join(' ');
  return `a tag has letters, digits, dots, dashes and underscores, but not ${wrong}`;
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

/** A reference that is valid, without its tag and digest. */
export function nameOfRef(ref: string): string {
  return ref.replace(/@.*$/s, '').replace(/:[^:/]*$/, '');
}

/** The tag in a reference; undefined when it has none. */
export function tagOfRef(ref: string): string | undefined {
  return /:([^:/]*)$/.exec(ref.replace(/@.*$/s, ''))?.[1];
}

/** The digest in a reference; undefined when it has none. */
export function digestOfRef(ref: string): string | undefined {
  const at = ref.indexOf('@');
  return at < 0 ? undefined : ref.slice(at + 1);
}

/** Whether a reference of a manifest or a FROM means an image of the workspace: with any tag, with or without the default repository before it. */
export function isImage(reference: string, { image, repo }: { readonly image: string; readonly repo: string | undefined }): boolean {
  const name = withoutDockerHub(nameOfRef(reference));
  const own = withoutDockerHub(image);
  if (name === own) return true;
  if (repo === undefined || repo === '') return false;
  return [true, false].some((multiLevel) => name === withoutDockerHub(underRepo(image, { repo, multiLevel })));
}

/** `redis:7` is an official image of Docker Hub, whatever a workspace makes; `redis` alone may be the workspace's own. */
export function isOfficialImage(reference: string): boolean {
  const parsed = parseReference(reference);
  if (!parsed.ok || withoutDockerHub(nameOfRef(reference)).includes('/')) return false;
  const { tag = 'latest', digest } = parsed.value;
  return tag !== 'latest' || digest !== undefined;
}

/** What may be left out of a name on Docker Hub. */
function withoutDockerHub(name: string): string {
  return name.replace(/^(index\.)?docker\.io\//, '').replace(/^library\//, '');
}
