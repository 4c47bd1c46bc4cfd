/** Services and volumes are called by labels of DNS: RFC 1035. */
export const longestName = 63;

/** As Kubernetes takes a name for an object: lower-case letters, digits, and dashes between them. */
export function objectName(name: string): string {
  return name
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-/, '')
    .slice(0, longestName)
    .replace(/-$/, '');
}
