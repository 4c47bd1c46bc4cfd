import { stringify } from 'yaml';

/** How Kubernetes asks whether a container is well. */
export type Probe = { readonly kind: 'http'; readonly path: string } | { readonly kind: 'tcp' };

export interface Workload {
  /** Of the Deployment, the Service and the container. */
  readonly name: string;
  /** As Slipway names the image: without registry and tag. */
  readonly image: string;
  /** Undefined: it answers nobody, as a program does that takes its work from a queue. */
  readonly listens?: {
    readonly port: number;
    readonly probe: Probe;
    /** A line above the probes, when there is something to say of them. */
    readonly probeRemark?: string;
  };
  /** The number of the user that it runs as; `unknown` when that may be root. */
  readonly user: number | 'unknown';
  readonly memory: { readonly request: string; readonly limit: string };
  /** For a program that does not end when it is asked to. */
  readonly gracePeriod?: { readonly seconds: number; readonly because: string };
}

/** A Deployment, and a Service where it answers on a port. */
export function workloadManifest({ name, image, listens, user, memory, gracePeriod }: Workload): string {
  const podSecurity =
    user === 'unknown'
      ? ''
      : `        runAsNonRoot: true
        runAsUser: ${user}
`;
  const containerSecurity =
    user === 'unknown'
      ? ''
      : `          securityContext:
            allowPrivilegeEscalation: false
            capabilities:
              drop: [ALL]
`;
  const nameText = plain(name);
  return `apiVersion: apps/v1
kind: Deployment
metadata:
  name: ${nameText}
  labels:
    app: ${nameText}
spec:
  selector:
    matchLabels:
      app: ${nameText}
  template:
    metadata:
      labels:
        app: ${nameText}
    spec:
      automountServiceAccountToken: false
${gracePeriod === undefined ? '' : `      # ${gracePeriod.because}\n      terminationGracePeriodSeconds: ${gracePeriod.seconds}\n`}      securityContext:
        seccompProfile:
          type: RuntimeDefault
${podSecurity}      containers:
        - name: ${nameText}
          # Slipway puts the image that it built in its place.
          image: ${plain(image)}
${listens ? answering(listens) : ''}          resources:
            requests:
              cpu: 20m
              memory: ${memory.request}
            limits:
              memory: ${memory.limit}
${containerSecurity}${listens ? serviceOf(nameText) : ''}`;
}

function answering({ port, probe, probeRemark }: NonNullable<Workload['listens']>): string {
  const check =
    probe.kind === 'http'
      ? `            httpGet:
              path: ${quoted(probe.path)}
              port: http`
      : `            tcpSocket:
              port: http`;
  return `          ports:
            - name: http
              containerPort: ${port}
${probeRemark === undefined ? '' : `          # ${probeRemark}\n`}          readinessProbe:
${check}
            periodSeconds: 1
          livenessProbe:
${check}
            periodSeconds: 10
            # A mistake of a minute must not cost the container: the next edit mends it.
            failureThreshold: 12
`;
}

function serviceOf(nameText: string): string {
  return `---
apiVersion: v1
kind: Service
metadata:
  name: ${nameText}
spec:
  selector:
    app: ${nameText}
  ports:
    - name: http
      port: 80
      targetPort: http
`;
}

/** Kubernetes reads YAML 1.1, in which `on` and `y` are truths unless they are quoted. */
function plain(text: string): string {
  return stringify(text, { compat: 'yaml-1.1', lineWidth: 0 }).trimEnd();
}

/** A path is text in YAML unless it has something that YAML reads otherwise. */
function quoted(path: string): string {
  return /^\/[\w./-]*$/.test(path) ? path : JSON.stringify(path);
}
