/** What the images of new services stand on. */
export const baseImages = {
  node: 'node:20-slim',
  static: 'busybox:1.36',
  go: 'golang:1.26-alpine',
  python: 'python:3.11-slim',
} as const;

/** Users that well-known images name in USER: Kubernetes can tell that one is not root only by its number. */
export const knownUsers: Readonly<Record<string, number>> = {
  node: 1000,
  nginx: 101,
  nobody: 65534,
  nonroot: 65532,
  'www-data': 33,
  postgres: 999,
  redis: 999,
};
