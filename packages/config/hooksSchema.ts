const hostHook = {
  run: {
    oneOf: [
      { type: 'string', minLength: 1 },
      { type: 'array', items: { type: 'string' }, minItems: 1 },
    ],
    oneOfHint: 'a command, or a list of a program and its arguments',
    description: 'For a shell, or a list of the program and its arguments.',
  },
  os: {
    type: 'array',
    description: 'Only on these systems: linux, darwin, windows. Default: on all.',
    items: { enum: ['linux', 'darwin', 'windows'] },
    minItems: 1,
  },
  dir: { type: 'string', description: 'Where it runs, relative to the project. Default: the folder of the project.', minLength: 1 },
  env: {
    type: 'object',
    description: 'More variables for it.',
    additionalProperties: { type: ['string', 'number', 'boolean'] },
  },
  timeout: { type: 'number', description: 'Seconds after which it has failed. Default: 120.', minimum: 1 },
} as const;

const containerHook = {
  ...hostHook,
  container: {
    type: 'string',
    description:
      'Runs it in the containers of this name instead of on this machine; os and dir say nothing then, and env only to a command for a shell.',
    minLength: 1,
  },
  pods: {
    type: 'string',
    description: 'With container: a label selector of the pods: app=worker. Default: the pods of the project.',
    minLength: 1,
  },
} as const;

const syncHook = {
  ...containerHook,
  when: {
    type: 'array',
    description: 'Globs, relative to the project, of the files that ask for it. Default: every copied file does.',
    items: { type: 'string', minLength: 1 },
    minItems: 1,
  },
} as const;

function list(properties: object, description: string) {
  return {
    type: 'array',
    description,
    items: { type: 'object', additionalProperties: false, required: ['run'], properties },
  };
}

function stage(properties: object, what: string, before: string, after: string) {
  return {
    type: 'object',
    description: what,
    additionalProperties: false,
    properties: { before: list(properties, before), after: list(properties, after) },
  };
}

/** The key of a slipway.yaml about commands that are run before and after what Slipway does. */
export const hooksSchema = {
  type: 'object',
  description:
    'Commands that are run before and after what is done for this project, one after another; one that fails stops this project and no other. They get SLIPWAY_PROJECT, SLIPWAY_CONTEXT, SLIPWAY_NAMESPACE and SLIPWAY_HOOK, and of images IMAGE, IMAGE_REPO, IMAGE_TAG, IMAGE_DIGEST, for those of other projects with the name after it: IMAGE_shop_pricing. In a container a command for a shell gets them; a list is run as it is.',
  additionalProperties: false,
  properties: {
    render: stage(
      hostHook,
      'When manifests are made of files.',
      'Before they are read. What it writes to them is taken.',
      'After: gets them on its standard input.',
    ),
    build: stage(
      hostHook,
      'When an image is built, not when it is found.',
      'Before the build.',
      'After it, before the image has its tag, so that nobody finds it: IMAGE leads to it. When one fails, the next run builds the image again.',
    ),
    sync: stage(
      syncHook,
      'When files are copied into a running container.',
      'Before they are; SLIPWAY_FILES has their number.',
      'After they are.',
    ),
    deploy: stage(
      containerHook,
      'When manifests are applied.',
      'Before. In containers: those that run from before; none is no failure.',
      'After the rollout.',
    ),
  },
} as const;
