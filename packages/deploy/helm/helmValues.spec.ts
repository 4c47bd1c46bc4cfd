import type { HelmSource } from '../../model';
import { helmSource } from '../../testkit/helmSource';
import { helmValues } from './helmValues';

const source: HelmSource = {
  ...helmSource,
  valuesFiles: ['a.yaml', 'b.yaml'],
  values: { ingress: { hosts: ['x'] } },
  setValues: { replicas: 2, 'labels.team': 'a,b' },
  setFiles: { conf: 'app.conf' },
};
const context = {
  images: { api: { ref: 'localhost:5000/shop/api:abc@sha256:'.padEnd(100, '1') }, pricing: { ref: 'localhost:5000/shop/pricing:def' } },
  imageNames: { api: 'shop/api', pricing: 'shop/pricing' },
  ownImage: 'shop/api',
};
const digest = context.images.api.ref.replace(/^.*@/, '');

/** What is set, by its path. */
function set(more: Partial<HelmSource>): Readonly<Record<string, unknown>> {
  const { args } = helmValues({ ...source, setValues: {}, ...more }, context);
  const pairs = args.filter((_, index) => args[index - 1] === '--set-json').map((text) => /^([^=]*)=(.*)$/.exec(text));
  return Object.fromEntries(pairs.map((pair) => [pair?.[1] ?? '', JSON.parse(pair?.[2] ?? '') as unknown]));
}

it('gives files, then nested values, then what is set, so that each wins over those before', () => {
  const { args, input } = helmValues(source, context);
  expect(args.join(' ')).toBe(
    '--values a.yaml --values b.yaml --values - --set-json replicas=2 --set-json labels.team="a,b" --set-file conf=app.conf',
  );
  expect(input).toBe('ingress:\n  hosts:\n    - x\n');
});

test.each([
  ['fqn', { image: context.images.api.ref }],
  ['repository+tag', { 'image.repository': 'localhost:5000/shop/api', 'image.tag': `abc@${digest}` }],
  ['registry+repository+tag', { 'image.registry': 'localhost:5000', 'image.repository': 'shop/api', 'image.tag': `abc@${digest}` }],
] as const)('an image is given by %s, with its digest', (imageStrategy, values) => {
  expect(set({ images: { image: 'shop/api' }, imageStrategy })).toEqual(values);
});

it('fills templates with the image of the project, and with others by name', () => {
  const setValueTemplates = {
    a: '${IMAGE_REPO} ${IMAGE_TAG} ${IMAGE_REGISTRY}',
    b: '${IMAGE_TAG_shop_pricing}',
    c: 'it costs $$1',
    d: '${IMAGE_DIGEST}',
  };
  expect(set({ setValueTemplates })).toEqual({
    a: 'localhost:5000/shop/api abc localhost:5000',
    b: 'def',
    c: 'it costs $1',
    d: digest,
  });
});
