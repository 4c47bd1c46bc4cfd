import { deployProperties } from './deploySchema';
import { hooksSchema } from './hooksSchema';

/** A key of slipway.yaml as the config reference shows it. */
const portForward = {
  type: 'object',
  description: 'One port of a service, workload or pod that is reachable on this machine while dev runs; also of one that others deployed.',
  additionalProperties: false,
  required: ['resource', 'port'],
  properties: {
    resource: {
      type: 'string',
      description: 'What to forward to: service/NAME, deployment/NAME, statefulset/NAME, daemonset/NAME, replicaset/NAME or pod/NAME.',
      pattern: '^(service|deployment|statefulset|daemonset|replicaset|pod)/[a-z0-9]([-a-z0-9.]*[a-z0-9])?$',
      patternHint: 'service/NAME, deployment/NAME, statefulset/NAME, daemonset/NAME, replicaset/NAME or pod/NAME',
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
        'The port on this machine. When it is taken, dev says by whom, and takes the next free one. Default: port, 8000 + port where that is below 1024, and 8000 where port is a name.',
      minimum: 1,
      maximum: 65535,
    },
    strict: { type: 'boolean', description: 'No other local port will do: dev waits until it is free. Default: false.' },
    address: {
      type: 'string',
      description: 'The address of this machine to listen on: 0.0.0.0 for all of them. Default: only this machine reaches it.',
      minLength: 1,
    },
    namespace: { type: 'string', description: 'Where it is. Default: the namespace of the project.', minLength: 1 },
  },
} as const;

const gitCommit = {
  type: ['object', 'null'],
  description: 'The commit that is checked out, with -dirty when a file of the image is not as it was committed.',
  additionalProperties: false,
  properties: {
    variant: {
      enum: ['Tags', 'CommitSha', 'AbbrevCommitSha', 'TreeSha', 'AbbrevTreeSha'],
      description:
        "Tags: the commit's tag, or the nearest one and how far it is (git describe); the commit, or the tree of the project, whole or abbreviated. Default: Tags.",
    },
    prefix: { type: 'string', description: 'Put in front.' },
    ignoreChanges: {
      type: 'boolean',
      description: 'Files that are not as they were committed do not count: it is never -dirty. Default: false.',
    },
  },
} as const;

const dateTime = {
  type: ['object', 'null'],
  description: 'The time of the run; all images of a run have the same.',
  additionalProperties: false,
  properties: {
    format: { type: 'string', description: "A layout of Go's time package. Default: 2006-01-02_15-04-05.999_MST.", minLength: 1 },
    timezone: {
      type: 'string',
      description: 'The zone whose time it is: Europe/Berlin, UTC. Default: that of this machine.',
      minLength: 1,
    },
  },
} as const;

const envTemplate = {
  type: 'string',
  description:
    'A text of your own: ${NAME} and ${NAME:-default} stand for variables of the environment, ${IMAGE_NAME} for the name of the image.',
  minLength: 1,
} as const;

const plainTagNames = { enum: ['inputDigest', 'gitCommit', 'sha256', 'dateTime'] } as const;
const onlyOne = { type: 'object', additionalProperties: false, minProperties: 1, maxProperties: 1 } as const;
const plainTag = {
  oneOf: [plainTagNames, { ...onlyOne, properties: { gitCommit, dateTime, envTemplate } }],
  oneOfHint: 'inputDigest, sha256, or one of gitCommit, dateTime and envTemplate with its settings',
} as const;

const tag = {
  description:
    'The tag that people know the image by: inputDigest (made from its content), gitCommit, sha256 (sha256- and 12 digits of the content), dateTime, or a map with one of the keys below. In dev it is always inputDigest. Default: inputDigest.',
  oneOf: [
    plainTagNames,
    {
      ...onlyOne,
      properties: {
        gitCommit,
        dateTime,
        envTemplate,
        custom: {
          type: 'object',
          description: 'Combines others.',
          additionalProperties: false,
          required: ['template'],
          properties: {
            template: {
              type: 'string',
              description:
                'What it makes of them: ${NAME} stands for a component. GIT, DATE, SHA and INPUT_DIGEST are there without being named below.',
              minLength: 1,
            },
            components: {
              type: 'object',
              description: 'Taggers by name, each written as image.tag is.',
              additionalProperties: plainTag,
              propertyNames: { pattern: '^[A-Za-z_][A-Za-z0-9_]*$' },
            },
          },
        },
      },
    },
  ],
  oneOfHint: 'inputDigest, gitCommit, sha256, dateTime, or a map with one of gitCommit, dateTime, envTemplate and custom',
} as const;

const texts = { type: 'object', additionalProperties: { type: ['string', 'number', 'boolean'] } } as const;

const docker = {
  type: 'object',
  description: 'How its Dockerfile is built.',
  additionalProperties: false,
  properties: {
    file: {
      type: 'string',
      description:
        'The Dockerfile, of any name, relative to the context where image.context names another folder that has it and that the project does not lie in, else to the project; where it has none there, to the context. Default: Dockerfile.',
      minLength: 1,
    },
    target: {
      type: 'string',
      description: 'The stage to build. Default: in dev the stage named dev if there is one, else the last.',
      minLength: 1,
    },
    args: {
      ...texts,
      description:
        'Values for ARG. ${NAME} and ${NAME:-default} stand for variables of the environment, ${IMAGE_NAME}, ${IMAGE_REPO} and ${IMAGE_TAG} for the image itself, $$ for a dollar sign.',
    },
    labels: { ...texts, description: 'Labels of the image. Templates, as in args.' },
    network: {
      enum: ['default', 'none', 'host'],
      description: 'The network that RUN has: none, that of the machine of the engine (host), or one of its own. Default: default.',
    },
    addHosts: {
      type: 'object',
      description: 'Addresses that RUN knows by a name: {registry.test: 10.0.0.1}.',
      additionalProperties: { type: 'string', minLength: 1 },
    },
    secrets: {
      type: 'array',
      description: 'What RUN --mount=type=secret may read. It is no part of the image, nor of its tag.',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['id'],
        // The id, and one of the others.
        minProperties: 2,
        maxProperties: 2,
        propertiesHint: 'an id with either env or src',
        properties: {
          id: { type: 'string', description: 'Its name in the Dockerfile.', minLength: 1 },
          env: { type: 'string', description: 'The variable of the environment that has it.', minLength: 1 },
          src: { type: 'string', description: 'Or the file that has it: relative to the project, absolute, or below ~/.', minLength: 1 },
        },
      },
    },
    ssh: {
      type: 'array',
      description: 'Agents whose keys RUN --mount=type=ssh may use: default for the one of SSH_AUTH_SOCK, or an id with its socket.',
      items: {
        oneOf: [
          { type: 'string', minLength: 1 },
          {
            type: 'object',
            additionalProperties: false,
            required: ['id', 'socket'],
            properties: {
              id: { type: 'string', description: 'Its name in the Dockerfile.', minLength: 1 },
              socket: { type: 'string', description: 'The socket of the agent, absolute or below ~/.', minLength: 1 },
            },
          },
        ],
        oneOfHint: 'default, or {id: NAME, socket: PATH}',
      },
    },
    cacheFrom: {
      type: 'array',
      description: 'Images whose layers may be used again, where they were built with cacheTo. Templates: ${IMAGE_REPO}:main.',
      items: { type: 'string', minLength: 1 },
    },
    cacheTo: {
      description:
        'inline: the image says which steps its layers are of, for cacheFrom; or references under which all steps are kept in a registry, which docker buildx or the builder buildkit does: ["${IMAGE_REPO}:cache"]. Default: neither.',
      oneOf: [{ enum: ['inline'] }, { type: 'array', items: { type: 'string', minLength: 1 }, minItems: 1 }],
      oneOfHint: 'inline, or a list of references',
    },
    pull: { type: 'boolean', description: 'Asks the registry for newer base images at every build. Default: false.' },
    noCache: { type: 'boolean', description: 'Runs every step of every build. Default: false.' },
    buildkit: {
      enum: ['auto', true, false],
      description:
        "Whether the engine builds with BuildKit: auto (where the engine has it), true (an engine that has none is an error), false (the engine's older builder, which knows no secrets, agents, mounts of RUN or here-documents). It is no part of the tag. Default: auto.",
    },
  },
} as const;

const command = {
  oneOf: [
    { type: 'string', minLength: 1 },
    { type: 'array', items: { type: 'string' }, minItems: 1 },
  ],
  oneOfHint: 'a command, or a list of a program and its arguments',
} as const;

const custom = {
  type: 'object',
  description:
    'A command that makes the image, run in the folder of the project. IMAGE is the reference that it has to make; IMAGE_REPO and IMAGE_TAG are its parts, BUILD_CONTEXT is image.context, PLATFORMS image.platform, and PUSH_IMAGE says (true or false) whether it is to be pushed too. What it leaves in the engine is pushed for it.',
  additionalProperties: false,
  required: ['command'],
  properties: {
    command: { ...command, description: 'For a shell, or a list of the program and its arguments.' },
    env: { ...texts, description: 'More variables for it. Templates, as in image.docker.args.' },
    dependencies: {
      type: 'object',
      description:
        'What it reads: a change of it makes a new image. One of paths, dockerfile, go and command; paths may come with go. Default: the folder of the project.',
      additionalProperties: false,
      not: {
        anyOf: [
          { required: ['paths', 'dockerfile'] },
          { required: ['paths', 'command'] },
          { required: ['dockerfile', 'go'] },
          { required: ['dockerfile', 'command'] },
          { required: ['go', 'command'] },
        ],
      },
      notHint: 'one of paths, dockerfile, go and command; only paths go with go',
      properties: {
        paths: {
          type: 'array',
          description: 'Files, directories and globs, relative to the project; ../ leads up to the workspace.',
          items: { type: 'string', minLength: 1 },
          minItems: 1,
        },
        ignore: {
          type: 'array',
          description: 'Those of them that it does not read. node_modules and .git never count.',
          items: { type: 'string', minLength: 1 },
        },
        dockerfile: {
          type: 'string',
          description:
            'A Dockerfile that it builds, found as image.docker.file is: what this takes counts, and is copied into running containers.',
          minLength: 1,
        },
        go: {
          oneOf: [
            { type: 'string', minLength: 1 },
            { type: 'array', items: { type: 'string', minLength: 1 }, minItems: 1 },
          ],
          oneOfHint: 'a package such as ./cmd/api, or a list of packages',
          description:
            'A package, or a list of them, as `go build` takes it in the folder of the project. Go says what they import: the files of these packages, as far as they are in the workspace, and the go.mod and go.sum of their modules. It is asked again when a Go file of them changes.',
        },
        command: {
          ...command,
          description:
            'A command, run in the folder of the project, that prints what it reads: one path in a line, or a list as JSON. It is asked again when a config changes.',
        },
      },
    },
  },
} as const;

const requires = {
  type: 'array',
  description:
    'Projects whose images are made before. An image of this workspace that the Dockerfile names in FROM or COPY --from is found by itself.',
  items: {
    oneOf: [
      { type: 'string', minLength: 1 },
      {
        type: 'object',
        additionalProperties: false,
        required: ['project'],
        properties: {
          project: { type: 'string', description: 'The project.', minLength: 1 },
          artifact: { type: 'string', description: 'One of its images, where it has several. Default: all of them.', minLength: 1 },
          arg: {
            type: 'string',
            description: "The build argument that gets the image's reference: ARG BASE and FROM ${BASE}.",
            pattern: '^[A-Za-z_][A-Za-z0-9_]*$',
            patternHint: 'letters, digits and underscores',
          },
        },
      },
    ],
    oneOfHint: 'the name of a project, or {project: NAME, arg: BASE}',
  },
} as const;

const requiredServices = {
  type: 'array',
  description:
    'Projects whose services it needs when it runs. dev brings them with it: what runs already is used as it is, the rest is deployed, and followed and removed as the project itself. deploy and run do so with --with-required.',
  items: {
    oneOf: [
      { type: 'string', minLength: 1 },
      {
        type: 'object',
        additionalProperties: false,
        required: ['project'],
        properties: {
          project: { type: 'string', description: 'The project.', minLength: 1 },
          image: {
            type: 'string',
            description: 'An image that is there: it is deployed with that one, and none is built. Default: its own.',
            minLength: 1,
          },
        },
      },
    ],
    oneOfHint: 'the name of a project, or {project: NAME, image: REFERENCE}',
  },
} as const;

const writeMode = { enum: ['in-place', 'atomic'] } as const;

const quantities = { type: 'object', additionalProperties: { type: ['string', 'number'] } } as const;

const buildkit = {
  type: 'object',
  description:
    'The pod that makes the images whose builder is buildkit: it is started for the first of them, and gone when the command ends. Its container is privileged, as buildkitd needs it to be. Images are pushed from there, with the logins of this machine.',
  additionalProperties: false,
  properties: {
    namespace: {
      type: 'string',
      description: "Where it runs. Default: the namespace of the cluster's context.",
      pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$',
      patternHint: 'lower-case letters, digits and dashes',
    },
    image: { type: 'string', description: 'An image with buildkitd and buildctl. Default: moby/buildkit:v0.29.0.', minLength: 1 },
    serviceAccount: {
      type: 'string',
      description: 'The service account that the pod runs as. Default: that of the namespace, default.',
      minLength: 1,
    },
    pullSecret: { type: 'string', description: 'A Secret of that namespace, with the login for the image of the pod.', minLength: 1 },
    nodeSelector: { type: 'object', description: 'Labels of the nodes that it may run on.', additionalProperties: { type: 'string' } },
    tolerations: {
      type: 'array',
      description: 'Taints of nodes that do not keep it away, as in the spec of a pod.',
      items: { type: 'object', additionalProperties: { type: ['string', 'number'] } },
    },
    resources: {
      type: 'object',
      description: 'What it asks for, and what it may take.',
      additionalProperties: false,
      properties: {
        requests: { ...quantities, description: 'What its node must have free for it: {cpu: 2, memory: 4Gi}. Default: nothing.' },
        limits: { ...quantities, description: 'What it may take at most: {cpu: 4, memory: 8Gi}. Default: all that is there.' },
      },
    },
    cacheRepo: {
      type: 'string',
      description:
        'Registry and path that keep the steps of builds for the next pod: registry.example/cache. Default: a new pod begins with nothing.',
      minLength: 1,
    },
  },
} as const;

const platform = {
  type: 'string',
  pattern: '^[a-z0-9]+/[a-z0-9]+(/[a-z0-9]+)?$',
  patternHint: 'an operating system and an architecture: linux/arm64',
} as const;

/** What may be said of an image. */
const imageProperties = {
  name: {
    type: 'string',
    description:
      'Its name as it stands in manifests, without tag. Default: the name of the project without its @scope/, and of one of several images -NAME behind it.',
    minLength: 1,
  },
  context: {
    type: 'string',
    description:
      'The directory that the Dockerfile copies from: project, workspace, or a path relative to this project. Default: project if all COPY sources exist there, else workspace if they exist there.',
    minLength: 1,
  },
  builder: {
    enum: ['auto', 'docker', 'layers', 'buildkit', 'custom'],
    description:
      'What makes the image: docker (the BuildKit of a Docker engine), layers (no engine: the base image and the copied files, put together in the registry), buildkit (a buildkitd in a pod of the cluster: see build.buildkit), or auto, which takes layers for all that needs no engine and makes the same image. custom is a command, and goes without saying where there is one. Default: auto.',
  },
  platform: { ...platform, description: 'The platform it is made for: linux/amd64. Default: that of the builder.' },
  platforms: {
    type: 'array',
    description:
      'Several platforms instead of one: the image is an index with one for each, and goes to a registry. In dev it is made for one of them, that of this machine, else the first. What needs no engine is made without one; all else by docker buildx, or by the builder buildkit.',
    items: platform,
    minItems: 1,
    uniqueItems: true,
  },
  docker,
  custom,
  tag,
  requires,
} as const;

const commandWords = {
  type: 'array',
  items: { type: 'string' },
  minItems: 1,
  description: 'The command and its arguments: [kill, -HUP, "1"].',
} as const;

/** Of a command that is run before or after a sync. */
const askedBy = {
  when: {
    type: 'array',
    description: 'Globs, relative to the project, of the files that ask for it. Default: every copied file does.',
    items: { type: 'string', minLength: 1 },
    minItems: 1,
  },
  timeout: { type: 'number', description: 'Seconds after which it counts as failed. Default: 120.', minimum: 1 },
} as const;

const sync = {
  type: 'object',
  description: 'Which files are copied into running containers.',
  additionalProperties: false,
  properties: {
    mode: {
      enum: ['infer', 'auto', 'manual', 'off'],
      description:
        'infer: what the Dockerfile copies and nothing later reads, and what the rules name. auto: of that, what targets of the graph make, and what the rules name. manual: only what the rules name. off: nothing; every change of the image makes a new one. Default: infer.',
    },
    infer: {
      type: 'array',
      description:
        'Globs, relative to the project, that narrow what mode infer copies: a change of anything else that the image takes makes a new image. Default: nothing is left to a new image by this.',
      items: { type: 'string', minLength: 1 },
      minItems: 1,
    },
    write: {
      ...writeMode,
      description:
        'How a file that is there is replaced: in-place (its bytes are overwritten, which every reloader notices) or atomic (a new file is renamed over it, so that a reader sees all of the old one or all of the new one). Default: in-place.',
    },
    rules: {
      type: 'array',
      description: 'Files that are copied into running containers whatever the Dockerfile does with them. Such a rule wins over a rebuild.',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['src', 'dest'],
        properties: {
          src: {
            type: 'string',
            description: 'A file, directory or glob, relative to the context of the image, as the sources of COPY are.',
            minLength: 1,
          },
          dest: { type: 'string', description: 'The directory in the container, absolute or relative to its WORKDIR.', minLength: 1 },
          strip: {
            type: 'string',
            description: 'The beginning of the path that is left out below dest. Default: nothing is.',
            minLength: 1,
          },
          write: { ...writeMode, description: 'As sync.write, for the files of this rule.' },
          mirror: {
            type: 'boolean',
            description:
              'Removes what only the container has where the rule copies to, as far as its globs would name it here; looked for whenever Slipway connects to a container. Default: false.',
          },
        },
      },
    },
    pull: {
      type: 'array',
      description:
        'Files that a container makes and the workspace gets: lock files, generated code. A file that was changed here since is never written over.',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['src'],
        properties: {
          src: {
            type: 'string',
            description: 'A file, directory or glob in the container, absolute or relative to its WORKDIR. Links are not followed.',
            minLength: 1,
          },
          dest: {
            type: 'string',
            description:
              'The directory that gets them, relative to the project. Default: where they are in the WORKDIR, the folder of the project standing for that.',
            minLength: 1,
          },
        },
      },
    },
    before: {
      type: 'array',
      description:
        'Commands that are run before files are copied, in order. When one does not end with 0, nothing of these files is copied, and it is said why; it is run again with the next change, and after a while.',
      items: {
        type: 'object',
        additionalProperties: false,
        required: ['run'],
        properties: {
          run: { type: 'array', items: { type: 'string' }, minItems: 1, description: 'The command and its arguments.' },
          where: {
            enum: ['container', 'host'],
            description:
              'container: in the one that the files are for. host: on this machine, in the folder of the project. Default: container.',
          },
          ...askedBy,
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
          run: commandWords,
          ...askedBy,
        },
      },
    },
    ignore: {
      type: 'array',
      description: 'Globs, relative to the project, of files that go into images but that no edit copies or rebuilds for.',
      items: { type: 'string', minLength: 1 },
    },
  },
} as const;

const reload = {
  description:
    'How a running process takes up changed files: auto (from its command), hot (it watches them itself), rebuild (a new image), or a command that is run in the container.',
  oneOf: [
    { enum: ['auto', 'hot', 'rebuild'] },
    {
      type: 'object',
      additionalProperties: false,
      required: ['command'],
      properties: { command: commandWords },
    },
  ],
  oneOfHint: 'auto, hot, rebuild, or {command: [kill, -HUP, "1"]}',
} as const;

/** The keys that a project's slipway.yaml may have. Descriptions are what the config reference says. */
const plainSchema = {
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
      properties: imageProperties,
    },
    images: {
      type: 'object',
      description:
        'Instead of image where a project has several: a name for each, and under it what image may say, and sync and reload where they are others than those of the project. One of them is called PROJECT/NAME, and in manifests PROJECT-NAME unless it has a name of its own; the one that has the name of the project is called as the project.',
      minProperties: 1,
      propertyNames: {
        pattern: '^[a-z0-9]+([._-][a-z0-9]+)*$',
        patternHint: 'with lower-case letters and digits, and dashes between them',
      },
      additionalProperties: { type: ['object', 'null'], additionalProperties: false, properties: { ...imageProperties, sync, reload } },
    },
    sync,
    reload,
    manifests: {
      type: 'array',
      description:
        'Files, directories or globs of manifests, relative to the project. Default: k8s/*.yaml and k8s/*.yml, unless there is a kustomization, kustomize or helm.',
      items: { type: 'string', minLength: 1 },
    },
    ...deployProperties,
    hooks: hooksSchema,
    namespace: {
      type: 'string',
      description: "Where the project is deployed. Default: the namespace of the cluster's context.",
      pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$',
      patternHint: 'lower-case letters, digits and dashes',
    },
    rollout: {
      type: 'object',
      description: 'How deploy and run wait for what was applied.',
      additionalProperties: false,
      properties: {
        deadline: { type: 'number', description: 'Seconds after which a rollout has failed. Default: 600.', minimum: 1 },
        tolerateFailuresUntilDeadline: {
          type: 'boolean',
          description:
            'What is wrong with a rollout (a crash, an image that cannot be pulled, no node with room) counts only at the deadline: for clusters that grow, and services that crash until another one is there. Default: false, it counts at once.',
        },
      },
    },
    portForward: { type: 'array', description: 'Default: the first port of each Service.', items: portForward },
    requires: requiredServices,
    dev: {
      type: 'object',
      description: 'How dev behaves.',
      additionalProperties: false,
      properties: { keep: { type: 'boolean', description: 'Leaves what was deployed when dev ends. Default: false.' } },
    },
  },
} as const;

const activation = {
  type: 'array',
  description: 'When it is active without being asked for. Any entry will do; of one entry all must hold.',
  items: {
    type: 'object',
    additionalProperties: false,
    minProperties: 1,
    properties: {
      env: { type: 'string', description: 'NAME: the variable is there and not empty. NAME=value: it is this.', minLength: 1 },
      context: { type: 'string', description: 'The context of the kubeconfig, or a glob of some: staging-*.', minLength: 1 },
      mode: {
        enum: ['dev', 'deploy'],
        description:
          'Which commands: dev (dev, sync, status, explain, inputs, config and doctor) or deploy (run, build, deploy, delete, logs, render and prune).',
      },
    },
  },
} as const;

/** What a profile may say is what the file may say. */
function profilesOf<Properties extends object>(properties: Properties) {
  return {
    type: 'object',
    description:
      'What is otherwise at times, by a name: {staging: {namespace: staging}}. A profile is active when --profile or SLIPWAY_PROFILE asks for it, or by its activation, and says what the file itself may say. Maps are merged key by key, all else is replaced, and so is what may not stand beside it, as another tagger; of several the later wins.',
    propertyNames: { pattern: '^[A-Za-z0-9][A-Za-z0-9._-]*$', patternHint: 'with letters, digits, dots, dashes and underscores' },
    additionalProperties: { type: ['object', 'null'], additionalProperties: false, properties: { activation, ...properties } },
  } as const;
}

const { version, ...projectProperties } = plainSchema.properties;

/** What the slipway.yaml of a project may say. */
export const projectSchema = {
  ...plainSchema,
  properties: { version, ...projectProperties, profiles: profilesOf(projectProperties) },
} as const;

const rootProperties = {
  defaultNamespace: {
    type: 'string',
    description:
      "Where projects are deployed that name no namespace. A manifest's own comes before --namespace, that before the project's, that before this one, and this before the context's.",
    pattern: '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$',
    patternHint: 'lower-case letters, digits and dashes',
  },
  defaultRepo: {
    type: 'string',
    description: 'Registry and path that images are pushed under: registry.example/team. Also --default-repo and SLIPWAY_DEFAULT_REPO.',
    minLength: 1,
  },
  multiLevelRepo: {
    type: 'boolean',
    description:
      'Whether names below defaultRepo keep their slashes; else they become underscores: shop/api is team/shop_api. Default: true for registries of Google, on this machine or of the cluster.',
  },
  build: {
    type: 'object',
    description: 'How images are built.',
    additionalProperties: false,
    properties: {
      concurrency: {
        type: 'integer',
        minimum: 0,
        description:
          'How many at a time, of all in one run; 0 for as many as there are cores. Also --concurrency. Default: 8 that the builder layers makes, and beside them as many others as there are cores, at most 4.',
      },
      contextLimit: {
        type: 'integer',
        minimum: 1,
        description: 'Megabytes of a build context above which its biggest folders are named. Default: 100.',
      },
      buildkit,
    },
  },
  insecureRegistries: {
    type: 'array',
    description:
      'Registries that speak plain http, or whose certificate is not to be checked: registry.example:5000. Also SLIPWAY_INSECURE_REGISTRIES, with commas. Those of this machine are tried without.',
    items: { type: 'string', minLength: 1 },
  },
  push: {
    type: 'boolean',
    description:
      'true: images are pushed to a registry, whatever the cluster is; false: they are not, but loaded into the cluster. Also --push and --no-push. Default: what suits the cluster.',
  },
  allowContexts: {
    type: 'array',
    description: 'Contexts of the kubeconfig that may be deployed to though they are not local clusters.',
    items: { type: 'string', minLength: 1 },
  },
} as const;

/** The root's slipway.yaml has more. */
export const rootSchema = {
  ...plainSchema,
  properties: {
    version,
    ...projectProperties,
    profiles: profilesOf({ ...projectProperties, ...rootProperties }),
    ...rootProperties,
  },
} as const;
