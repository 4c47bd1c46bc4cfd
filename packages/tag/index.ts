export { inputDigestTag } from './inputDigest';
export { imageRef, isImage, nameOf, parseReference, type ImageRefParts, type ImageReference } from './reference';
