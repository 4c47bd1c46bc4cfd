/** What a node says of where it runs. */
export interface NodeIdentity {
  readonly name: string;
  readonly providerID: string;
  readonly labels: Readonly<Record<string, string>>;
}

interface LocalTool {
  readonly name: string;
  readonly claims: (context: string) => boolean;
  readonly isItsNode: (node: NodeIdentity, context: string) => boolean;
}

/** Tools that make clusters on a developer's machine: how they name a context, and what they write on a node that no remote cluster has. */
const tools: readonly LocalTool[] = [
  {
    name: 'Slipway',
    // Nothing else writes this marker, so the context may have any name.
    claims: () => true,
    isItsNode: ({ providerID, labels }) => labels['slipway.dev/cluster'] === 'embedded' && providerID.startsWith('slipway://embedded/'),
  },
  { name: 'kind', claims: (context) => context.startsWith('kind-'), isItsNode: ({ providerID }) => providerID.startsWith('kind://') },
  {
    name: 'minikube',
    // The context of a minikube profile is the profile's name, and so is the label.
    claims: () => true,
    isItsNode: ({ labels }, context) => labels['minikube.k8s.io/name'] === context,
  },
  { name: 'k3d', claims: (context) => context.startsWith('k3d-'), isItsNode: ({ name }, context) => name.startsWith(`${context}-`) },
  {
    name: 'Docker Desktop',
    claims: (context) => context === 'docker-desktop',
    isItsNode: ({ name, providerID }) => name === 'docker-desktop' || (name.startsWith('desktop-') && providerID.startsWith('kind://')),
  },
  {
    name: 'Rancher Desktop',
    claims: (context) => context === 'rancher-desktop',
    isItsNode: ({ name }) => name === 'lima-rancher-desktop' || name === 'rancher-desktop',
  },
  { name: 'OrbStack', claims: (context) => context === 'orbstack', isItsNode: ({ name }) => name === 'orbstack' },
  {
    name: 'Colima',
    claims: (context) => context === 'colima' || context.startsWith('colima-'),
    isItsNode: ({ name }, context) => name === context || name === `lima-${context}`,
  },
];

/** The tool whose local cluster this is: its context's name and every one of its nodes say so. */
export function localTool(context: string, nodes: readonly NodeIdentity[]): string | undefined {
  if (nodes.length === 0) return undefined;
  return tools.find((tool) => tool.claims(context) && nodes.every((node) => tool.isItsNode(node, context)))?.name;
}
