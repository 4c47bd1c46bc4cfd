/** A key of slipway.yaml as the config reference shows it. */
const portForward = {
  type: 'object',
  description: 'One port of a service, deployment or pod that is reachable on this machine while dev runs.',
  additionalProperties: false,
  required: ['resource', 'port'],
  properties: {
    resource: {
      type: 'string',
      description: 'What to forward to: service/NAME, deployment/NAME, statefulset/NAME or pod/NAME.',
      pattern: '^(service|deployment|statefulset|pod)/[a-z0-9]([-a-z0-9.]*[a-z0-9])?$',
      patternHint: 'service/NAME, deployment/NAME, statefulset/NAME or pod/NAME',
    },
    port: {
      description: 'The port there: a number, or its name.',
      oneOf: [
        { type: 'integer', minimum: 1, maximum: 65535 },
        { type: 'string', minLength: 1 },
      ],
      oneOfHint: 'a port number or the name of a port',
    },
    localPort: {
      type: 'integer',
      description:
        'The port on this machine. When it is taken, dev says so instead of taking another. Default: port, or 8000 + port below 1024; then any free one.',
      minimum: 1,
      maximum: 65535,
    },
    namespace: { type: 'string', description: 'Default: the namespace of the project.', minLength: 1 },
  },
} as const;

/** The keys that a project's slipway.yaml may have. Descriptions are what the config reference says. */
export const projectSchema = {
  type: 'object',
  description:
    'slipway.yaml beside a project, or at the root of the workspace as defaults for all. Nothing in it is needed in the ordinary case.',
  additionalProperties: false,
  required: ['version'],
  properties: {
    version: { const: 1, description: 'The version of this format: 1.' },
    image: {
      type: 'object',
      description: 'The image that is built from the project.',
      additionalProperties: false,
      properties: {
        name: {
          type: 'string',
          description: 'Its name as it stands in manifests, without tag. Default: the name of the project without its @scope/.',
          minLength: 1,
        },
        context: {
          type: 'string',
          description:
            'The directory that the Dockerfile copies from: project, workspace, or a path relative to this project. Default: project if all COPY sources exist there, else workspace if they exist there.',
          minLength: 1,
        },
        builder: {
          enum: ['auto', 'docker', 'layers'],
          description:
            'What makes the image: docker (the BuildKit of a Docker engine), layers (no engine: the base image and the copied files, put together in the registry), or auto, which takes layers for all that needs no engine and makes the same image. Default: auto.',
        },
        docker: {
          type: 'object',
          description: 'How its Dockerfile is built.',
          additionalProperties: false,
          properties: {
            file: { type: 'string', description: 'The Dockerfile, relative to the project. Default: Dockerfile.', minLength: 1 },
            target: {
              type: 'string',
              description: 'The stage to build. Default: in dev the stage named dev if there is one, else the last.',
              minLength: 1,
            },
            args: {
              type: 'object',
              description: 'Values for ARG. ${NAME} and ${NAME:-default} stand for variables of the environment.',
              additionalProperties: { type: ['string', 'number', 'boolean'] },
            },
          },
        },
      },
    },
    sync: {
      type: 'object',
      description: 'Which files are copied into running containers.',
      additionalProperties: false,
      properties: {
        mode: {
          enum: ['infer', 'manual', 'off'],
          description:
            'infer: what the Dockerfile copies and nothing later reads, and what the rules name. manual: only what the rules name. off: nothing; every change of the image makes a new one. Default: infer.',
        },
        rules: {
          type: 'array',
          description:
            'Files that are copied into running containers whatever the Dockerfile does with them. Such a rule wins over a rebuild.',
          items: {
            type: 'object',
            additionalProperties: false,
            required: ['src', 'dest'],
            properties: {
              src: { type: 'string', description: 'A file, directory or glob, relative to the project.', minLength: 1 },
              dest: { type: 'string', description: 'The directory in the container, absolute or relative to its WORKDIR.', minLength: 1 },
              strip: {
                type: 'string',
                description: 'The beginning of the path that is left out below dest. Default: nothing is.',
                minLength: 1,
              },
            },
          },
        },
        after: {
          type: 'array',
          description:
            'Commands that are run in the container after files were copied, in order, each only if the one before ended with 0: a compile, then what makes the process start again. Files that ask for one are copied, where they would have asked for a new image.',
          items: {
            type: 'object',
            additionalProperties: false,
            required: ['run'],
            properties: {
              run: {
                type: 'array',
                items: { type: 'string' },
                minItems: 1,
                description: 'The command and its arguments: [kill, -HUP, "1"].',
              },
              when: {
                type: 'array',
                description: 'Globs, relative to the project, of the files that ask for it. Default: every copied file does.',
                items: { type: 'string', minLength: 1 },
                minItems: 1,
              },
              timeout: { type: 'number', description: 'Seconds after which it counts as failed. Default: 120.', minimum: 1 },
            },
          },
        },
        ignore: {
          type: 'array',
          description: 'Globs, relative to the project, of files that go into images but that no edit copies or rebuilds for.',
          items: { type: 'string', minLength: 1 },
        },
      },
    },
    reload: {
      description:
        'How a running process takes up changed files: auto (from its command), hot (it watches them itself), rebuild (a new image), or a command that is run in the container.',
      oneOf: [
        { enum: ['auto', 'hot', 'rebuild'] },
        {
          type: 'object',
          additionalProperties: false,
          required: ['command'],
          properties: {
            command: {
              type: 'array',
              items: { type: 'string' },
              minItems: 1,
              description: 'The command and its arguments: [kill, -HUP, "1"].',
            },
          },
        },
      ],
      oneOfHint: 'auto, hot, rebuild, or {command: [kill, -HUP, "1"]}',
    },
    manifests: {
      type: 'array',
      description: 'Files, directories or globs of manifests, relative to the project. Default: k8s/*.yaml and k8s/*.yml.',
      items: { type: 'string', minLength: 1 },
    },
    namespace: {
      type: 'string',
      description: "Where the project is deployed. Default: the namespace of the cluster's context.",
      pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$',
      patternHint: 'lower-case letters, digits and dashes',
    },
    portForward: { type: 'array', description: 'Default: the first port of each Service.', items: portForward },
    dev: {
      type: 'object',
      description: 'How dev behaves.',
      additionalProperties: false,
      properties: { keep: { type: 'boolean', description: 'Leaves what was deployed when dev ends. Default: false.' } },
    },
  },
} as const;

/** The root's slipway.yaml has more. */
export const rootSchema = {
  ...projectSchema,
  properties: {
    ...projectSchema.properties,
    defaultRepo: {
      type: 'string',
      description: 'Registry and path that images are pushed under: registry.example/team. Also --default-repo and SLIPWAY_DEFAULT_REPO.',
      minLength: 1,
    },
    allowContexts: {
      type: 'array',
      description: 'Contexts of the kubeconfig that may be deployed to though they are not local clusters.',
      items: { type: 'string', minLength: 1 },
    },
  },
} as const;
