import type { Problem } from '../model';
import { reasonOf } from './httpRequest';
import type { KubeTarget } from './kube';

/** What the API server answers when it refuses: a `v1.Status`, as far as it is read here. */
export interface KubeStatus {
  readonly status?: string;
  readonly message?: string;
  readonly reason?: string;
  readonly code?: number;
  readonly details?: {
    readonly kind?: string;
    readonly name?: string;
    readonly causes?: readonly { readonly reason?: string; readonly message?: string; readonly field?: string }[];
  };
}

/** The problem behind a refusal. `subject` is what was asked for: `Deployment shop/api`. */
export function problemOfStatus(status: KubeStatus, subject: string): Problem {
  const whole = status.message ?? status.reason ?? `status ${status.code ?? 'unknown'}`;
  const problem = problemOf(status, firstLine(whole), subject);
  return whole.trim().includes('\n') ? { ...problem, detail: whole.trim() } : problem;
}

/** Which quota keeps others from their objects too. */
export function exceededQuota(said: string): Pick<Problem, 'sharedCause'> {
  const quota = /exceeded quota: ([^\s,]+)/.exec(said)?.[1];
  return quota === undefined ? {} : { sharedCause: `the quota ${quota} is exceeded` };
}

/** What a policy of the cluster says, whatever status it comes with. */
function policyProblem(said: string, subject: string): Problem | undefined {
  if (/exceeded quota/.test(said)) {
    const message = `the cluster refuses ${subject}: ${said.replace(/^.* is forbidden: /, '')}`;
    const hint = 'lower what it asks for, or see what is used: kubectl describe quota';
    return { code: 'quotaExceeded', message, hint, ...exceededQuota(said), retry: 'afterDelay', exitCode: 1 };
  }
  const [refusal] =
    /(admission webhook "[^"]+" denied the request|ValidatingAdmissionPolicy '[^']+'.* denied request|violates PodSecurity ).*$/s.exec(
      said,
    ) ?? [];
  if (refusal === undefined) return undefined;
  const message = `a policy of the cluster refuses ${subject}: ${refusal}`;
  return { code: 'admissionDenied', message, hint: 'change the manifest as the policy asks', retry: 'whenInputChanges', exitCode: 1 };
}

function problemOf(status: KubeStatus, said: string, subject: string): Problem {
  const code = status.code ?? 500;
  const refused = code < 500 ? policyProblem(said, subject) : undefined;
  if (refused) return refused;
  if (code === 401) {
    return {
      code: 'clusterRefused',
      message: `the cluster does not accept this login for ${subject}: ${said}`,
      hint: 'log in to the cluster again, then check with: kubectl auth whoami',
      sharedCause: `the cluster does not accept this login: ${said}`,
      retry: 'afterDelay',
      exitCode: 3,
    };
  }
  const terminating = /namespace (\S+) because it is being terminated/.exec(said)?.[1];
  if (terminating !== undefined) {
    return {
      code: 'stillTerminating',
      message: `${subject} cannot be made: its namespace ${terminating} is being deleted`,
      hint: `wait until it is gone; what holds it is in its status: kubectl get namespace ${terminating} -o yaml`,
      sharedCause: `the namespace ${terminating} is being deleted`,
      retry: 'afterDelay',
      exitCode: 1,
    };
  }
  if (code === 403) {
    return { code: 'clusterRefused', message: `the cluster refuses ${subject}: ${said}`, retry: 'afterDelay', exitCode: 1 };
  }
  if (code === 404) {
    const namespace = status.details?.kind === 'namespaces' ? status.details.name : undefined;
    if (namespace === undefined)
      return { code: 'objectNotFound', message: `${subject} is not there: ${said}`, retry: 'afterDelay', exitCode: 1 };
    return {
      code: 'namespaceNotFound',
      message: `${subject} needs the namespace ${namespace}, which does not exist`,
      hint: `create it: kubectl create namespace ${namespace}`,
      sharedCause: `the namespace ${namespace} does not exist`,
      retry: 'afterDelay',
      exitCode: 1,
    };
  }
  if (code === 410)
    return { code: 'versionExpired', message: `${subject} is too old to go on from: ${said}`, retry: 'afterDelay', exitCode: 1 };
  if (code === 409) return conflictProblem(status, said, subject);
  const undeclared = undeclaredFields(status);
  if (code === 400 || code === 422 || undeclared !== undefined) {
    return {
      code: 'objectInvalid',
      message: `${subject} is not valid: ${undeclared ?? invalidFields(status) ?? said}`,
      retry: 'whenInputChanges',
      exitCode: 1,
    };
  }
  if (code === 429 || code === 502 || code === 503 || code === 504) {
    return {
      code: 'clusterUnreachable',
      message: `the cluster cannot answer for ${subject} now: ${said}`,
      retry: 'afterDelay',
      exitCode: 3,
    };
  }
  const hint = said.includes('webhook')
    ? 'see that what answers it runs: kubectl get validatingwebhookconfigurations,mutatingwebhookconfigurations'
    : 'try again; the log of its API server says more';
  return { code: 'clusterFailed', message: `the cluster failed for ${subject}: ${said}`, hint, retry: 'afterDelay', exitCode: 1 };
}

function conflictProblem(status: KubeStatus, said: string, subject: string): Problem {
  const owned = (status.details?.causes ?? []).filter((cause) => cause.reason === 'FieldManagerConflict');
  if (owned.length === 0)
    return { code: 'objectConflict', message: `${subject} was changed by someone else: ${said}`, retry: 'afterDelay', exitCode: 1 };
  return {
    code: 'objectConflict',
    message: `${subject} has fields that others manage: ${owned.map((cause) => `${fieldOf(cause.field)} (${cause.message ?? 'conflict'})`).join(', ')}`,
    hint: 'leave those fields out of the manifest',
    retry: 'whenInputChanges',
    exitCode: 1,
  };
}

function invalidFields(status: KubeStatus): string | undefined {
  const causes = (status.details?.causes ?? []).filter((cause) => cause.field !== undefined && cause.message !== undefined);
  if (causes.length === 0) return undefined;
  return causes.map((cause) => `${fieldOf(cause.field)}: ${firstLine(cause.message ?? '')}`).join('; ');
}

/** A field that the schema does not have, or a value of another type, comes in server-side apply as an internal error with a line for each. */
function undeclaredFields({ message = '' }: KubeStatus): string | undefined {
  if (!/failed to create typed patch object|strict decoding error/.test(message)) return undefined;
  // An element of a list is known by its keys, which may be several: `ports[port=80,protocol="TCP"]`.
  const fields = [...message.matchAll(/\.((?:[\w.$/-]|\[[^\]]*\])+): (field not declared in schema|expected [^\n]+)/g)];
  if (fields.length === 0) return firstLine(message);
  return fields.map(([, field = '', reason = '']) => `${field}: ${reason}`).join('; ');
}

function firstLine(text: string): string {
  return sentence(text.trim().split('\n')[0] ?? '');
}

function fieldOf(field: string | undefined): string {
  return (field ?? '').replace(/^\./, '');
}

function sentence(text: string): string {
  return text.trim().replace(/\.$/, '');
}

/** The connection failed: refused, timed out, cut, or not trusted. */
export function unreachableProblem(error: unknown, target: KubeTarget): Problem {
  const reason = reasonOf(error);
  const where = `the cluster at ${target.server} (context ${target.context})`;
  if (/certificate|CERT|self.signed|SELF_SIGNED/.test(reason)) {
    return {
      code: 'clusterUnreachable',
      message: `${where} shows a certificate that is not trusted: ${reason}`,
      hint: `check certificate-authority of the cluster ${target.cluster} in the kubeconfig`,
      retry: 'afterDelay',
      exitCode: 3,
    };
  }
  return {
    code: 'clusterUnreachable',
    message: `${where} does not answer: ${reason}`,
    hint: 'start the cluster or its tunnel, or choose another context with --context',
    retry: 'afterDelay',
    exitCode: 3,
  };
}

export const abortedProblem: Problem = { code: 'aborted', message: 'the request was cancelled', retry: 'afterDelay', exitCode: 1 };
