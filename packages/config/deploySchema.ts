/** The keys of a slipway.yaml about how, and about what is deployed besides plain manifests. */
export const deployProperties = {
  apply: {
    type: 'object',
    description: 'How objects are applied.',
    additionalProperties: false,
    properties: {
      force: {
        type: 'boolean',
        description:
          'Takes over fields that others manage (kubectl scale, an autoscaler), and makes anew what cannot be changed in place, except claims, namespaces and CustomResourceDefinitions. Also --force. Default: false, they are told.',
      },
      fieldManager: { type: 'string', description: 'Who the cluster says manages the fields. Default: slipway.', minLength: 1 },
      rollOnConfigChange: {
        type: 'boolean',
        description: 'A changed ConfigMap or Secret of the manifests rolls the pods that read it. Default: true.',
      },
      createNamespace: { type: 'boolean', description: 'Makes the namespace when it is not there; it stays. Default: false.' },
      images: {
        type: 'array',
        description: "Where objects of kinds that are not Kubernetes' own name images.",
        items: {
          type: 'object',
          additionalProperties: false,
          required: ['kind', 'path'],
          properties: {
            kind: { type: 'string', description: 'The kind of the objects: Rollout.', minLength: 1 },
            path: {
              type: 'string',
              description: 'Where it has the image: spec.template.spec.containers[].image. [] goes through a list.',
              minLength: 1,
            },
          },
        },
      },
      hydrate: {
        type: 'array',
        description:
          'Globs, relative to the project, of manifests that are templates: ${NAME} and ${NAME:-default} stand for variables of the environment, $$ for a dollar sign. Default: none is.',
        items: { type: 'string', minLength: 1 },
      },
      fetchManifests: {
        type: 'boolean',
        description:
          'Manifests may be URLs of https: each command fetches them anew, and applies whatever is there then. Default: false, they are refused.',
      },
    },
  },
  kustomize: {
    type: 'object',
    description: 'Overlays that are built by kustomize, or by kubectl where that is not installed, and applied.',
    additionalProperties: false,
    required: ['paths'],
    properties: {
      paths: {
        type: 'array',
        description: 'Folders with a kustomization.yaml, relative to the project. Default: k8s, when there is one in it.',
        items: { type: 'string', minLength: 1 },
        minItems: 1,
      },
      buildArgs: {
        type: 'array',
        description: 'More arguments of `kustomize build`: [--enable-helm].',
        items: { type: 'string', minLength: 1 },
      },
    },
  },
  helm: {
    type: 'object',
    description: 'Charts that are installed by helm.',
    additionalProperties: false,
    required: ['releases'],
    properties: {
      releases: {
        type: 'array',
        description: 'One of them for each release of helm.',
        minItems: 1,
        items: {
          type: 'object',
          additionalProperties: false,
          required: ['name'],
          properties: {
            name: {
              type: 'string',
              description: 'What it is called in `helm list`.',
              pattern: '^[a-z0-9]([-a-z0-9.]{0,51}[a-z0-9])?$',
              patternHint: 'at most 53 lower-case letters, digits, dots and dashes',
            },
            chartPath: {
              type: 'string',
              description: 'The folder of a chart, or a packaged chart (.tgz), relative to the project.',
              minLength: 1,
            },
            chart: {
              type: 'string',
              description:
                'Instead of chartPath: a chart of a repository (bitnami/redis, oci://registry.example/charts/redis; or redis, with repo).',
              minLength: 1,
            },
            repo: { type: 'string', description: 'The address of the repository of chart.', minLength: 1 },
            plainHttp: { type: 'boolean', description: 'The registry of an oci:// chart speaks plain http. Default: false.' },
            version: { type: 'string', description: 'The version of chart. Name one: the newest is another one tomorrow.', minLength: 1 },
            namespace: { type: 'string', description: 'Where it is installed. Default: the namespace of the project.', minLength: 1 },
            createNamespace: { type: 'boolean', description: 'Makes the namespace when it is not there. Default: false.' },
            valuesFiles: {
              type: 'array',
              description: 'Files with values, relative to the project; the later win.',
              items: { type: 'string', minLength: 1 },
            },
            values: { type: 'object', description: 'Values, nested as in a values file. They win over valuesFiles.' },
            setValues: {
              type: 'object',
              description: 'Path of a value: what it is. {ingress.enabled: false}',
              additionalProperties: { type: ['string', 'number', 'boolean'] },
            },
            setValueTemplates: {
              type: 'object',
              description:
                'Path of a value: text with ${NAME} and ${NAME:-default} for variables of the environment, and ${IMAGE}, ${IMAGE_REGISTRY}, ${IMAGE_REPO}, ${IMAGE_TAG} and ${IMAGE_DIGEST} for the image of the project; for another one with its name after it: ${IMAGE_TAG_shop_pricing}.',
              additionalProperties: { type: 'string' },
            },
            setFiles: {
              type: 'object',
              description: 'Path of a value: a file, relative to the project, whose content it becomes.',
              additionalProperties: { type: 'string', minLength: 1 },
            },
            images: {
              type: 'object',
              description:
                'Path of a value: the image of the workspace whose reference it gets. {image: shop/api}. Images that the rendered manifests name are replaced without it, except in hooks.',
              additionalProperties: { type: 'string', minLength: 1 },
            },
            imageStrategy: {
              enum: ['fqn', 'repository+tag', 'registry+repository+tag'],
              description:
                'How the chart takes images: fqn (the value is the whole reference), repository+tag (PATH.repository and PATH.tag), registry+repository+tag (PATH.registry too). Default: fqn.',
            },
            wait: {
              type: 'boolean',
              description: 'helm waits for the objects before it runs hooks after an install. Slipway waits in any case. Default: false.',
            },
            skipTests: {
              type: 'boolean',
              description:
                'Changes nothing, and is taken so that a release of Skaffold can be taken over as it is: tests of a chart are neither printed nor run, whatever it says; `helm test` runs them.',
            },
            timeout: { type: 'number', description: 'Seconds that hooks and wait may take. Default: 300.', minimum: 1 },
          },
        },
      },
    },
  },
} as const;
