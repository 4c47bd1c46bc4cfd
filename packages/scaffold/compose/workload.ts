import { Document, Scalar, visit } from 'yaml';
import { nanosecondsOf } from '../../dockerfile';
import type { Field } from '../imports/field';
import { objectName } from '../objectName';
import { pairsOf } from './pairs';
import { portsOf, usualPort, type Port } from './ports';
import { withoutVariables, withVariables } from './variables';
import { commandWords } from './words';

export type Note = (field: Field, sentence: string) => void;

export interface ComposeWorkload {
  /** YAML documents of a Deployment, a Service where it has ports, and claims for its volumes. */
  readonly text: string;
  /** The text has variables of the environment in it. */
  readonly isTemplate: boolean;
  readonly ports: readonly Port[];
}

/** What of a service nothing needs to be said of: the cluster does it anyway, or it is about one machine only. */
const withoutCounterpart = [
  'container_name',
  'depends_on',
  'develop',
  'hostname',
  'init',
  'links',
  'logging',
  'networks',
  'pull_policy',
  'restart',
  'scale',
  'stdin_open',
  'tty',
];

/** A service of Compose as objects of Kubernetes. `image`: as the manifest is to name it. */
export function workloadOf(
  service: Field,
  { name, image, note }: { readonly name: string; readonly image: string; readonly note: Note },
): ComposeWorkload {
  for (const key of withoutCounterpart) service.at(key)?.skip();
  const said = portsOf(service);
  const usual = said.length === 0 ? usualPort(image) : undefined;
  if (usual !== undefined)
    note(service, `says no port, and other services reach it all the same: ${usual} is a guess, because of the image`);
  const ports = usual === undefined ? said : [{ container: usual }];
  const labels = { app: name };
  const volumes = volumesOf(service, { name, note });
  const container = {
    name,
    image,
    ...commandsOf(service),
    ...portList(ports),
    ...environmentOf(service, { name, note }),
    ...probesOf(service, ports),
    ...resourcesOf(service),
    ...securityOf(service),
    ...(volumes.mounts.length > 0 && { volumeMounts: volumes.mounts }),
  };
  const grace = service.at('stop_grace_period')?.text();
  const seconds = grace === undefined ? undefined : secondsOf(grace);
  const replicas = service.at('deploy')?.at('replicas')?.text();
  const deployment = {
    apiVersion: 'apps/v1',
    kind: 'Deployment',
    metadata: { name, labels },
    spec: {
      ...(replicas !== undefined && /^\d+$/.test(replicas) && { replicas: Number(replicas) }),
      // Two pods at once cannot have one volume.
      ...(volumes.claims.length > 0 && { strategy: { type: 'Recreate' } }),
      selector: { matchLabels: labels },
      template: {
        metadata: { labels },
        spec: {
          ...(seconds !== undefined && { terminationGracePeriodSeconds: seconds }),
          containers: [container],
          ...(volumes.list.length > 0 && { volumes: volumes.list }),
        },
      },
    },
  };
  const servicePorts = ports.map(({ container: port, protocol }) => ({
    ...named({ container: port, protocol }, ports),
    port,
    ...(protocol && { protocol }),
  }));
  const objects = [
    ...volumes.claims,
    deployment,
    ...(ports.length === 0
      ? []
      : [{ apiVersion: 'v1', kind: 'Service', metadata: { name }, spec: { selector: labels, ports: servicePorts } }]),
  ];
  return { ...textOf(objects), ports };
}

/** Several ports must have names. */
function named({ container, protocol }: { readonly container: number; readonly protocol?: string | undefined }, ports: readonly Port[]) {
  return ports.length > 1 ? { name: `${protocol === 'UDP' ? 'udp' : 'tcp'}-${container}` } : {};
}

function portList(ports: readonly Port[]) {
  if (ports.length === 0) return {};
  return {
    ports: ports.map((port) => ({
      ...named(port, ports),
      containerPort: port.container,
      ...(port.protocol && { protocol: port.protocol }),
    })),
  };
}

function commandsOf(service: Field) {
  const entrypoint = wordsOf(service.at('entrypoint'));
  const command = wordsOf(service.at('command'));
  const workingDir = service.at('working_dir')?.text();
  return {
    ...(entrypoint && { command: entrypoint }),
    ...(command && { args: command }),
    ...(workingDir !== undefined && { workingDir }),
  };
}

function wordsOf(field: Field | undefined): readonly string[] | undefined {
  const text = field?.text();
  const words = text === undefined ? field?.texts() : commandWords(text);
  return words && words.length > 0 ? words : undefined;
}

function environmentOf(service: Field, { name, note }: { readonly name: string; readonly note: Note }) {
  // Without a value it is the environment's own.
  const env = pairsOf(service.at('environment')).map(([key, value]) => ({ name: key, value: value ?? `\${${key}:-}` }));
  const files = service.at('env_file');
  const paths =
    files?.text() ??
    [...(files?.texts() ?? []), ...(files?.items() ?? []).flatMap((each) => each.at('path')?.text() ?? [])].join(' --from-env-file=');
  if (files && paths !== '') {
    note(files, `may hold secrets, so it is not copied: kubectl create secret generic ${name}-env --from-env-file=${paths}`);
    files.skip();
  }
  return {
    ...(env.length > 0 && { env }),
    ...(files && paths !== '' && { envFrom: [{ secretRef: { name: `${name}-env`, optional: true } }] }),
  };
}

function probesOf(service: Field, ports: readonly Port[]) {
  const check = service.at('healthcheck');
  const isOff = check?.at('disable')?.text() === 'true';
  const asText = check?.at('test')?.text();
  const listed = check?.at('test')?.texts() ?? [];
  const seconds = (key: string): number | undefined => secondsOf(check?.at(key)?.text() ?? '');
  const times = { periodSeconds: seconds('interval'), timeoutSeconds: seconds('timeout'), initialDelaySeconds: seconds('start_period') };
  const retries = check?.at('retries')?.text();
  check?.at('start_interval')?.skip();
  if (isOff || listed[0] === 'NONE') return {};
  const [kind, ...rest] = listed;
  const command = asText !== undefined ? shell(asText) : kind === 'CMD-SHELL' ? shell(rest.join(' ')) : kind === 'CMD' ? rest : undefined;
  const [port] = ports.filter(({ protocol }) => protocol !== 'UDP');
  const how = command ? { exec: { command } } : port ? { tcpSocket: { port: port.container } } : undefined;
  if (!how) return {};
  const given = Object.fromEntries(Object.entries(times).filter(([, value]) => value !== undefined));
  return {
    readinessProbe: {
      ...how,
      periodSeconds: command ? 5 : 1,
      ...given,
      ...(retries !== undefined && { failureThreshold: Number(retries) }),
    },
  };
}

function shell(text: string): readonly string[] {
  return ['/bin/sh', '-c', text];
}

function resourcesOf(service: Field) {
  const deploy = service.at('deploy');
  for (const key of ['mode', 'restart_policy', 'update_config', 'rollback_config', 'placement', 'endpoint_mode']) deploy?.at(key)?.skip();
  const of = (which: string) => {
    const field = deploy?.at('resources')?.at(which);
    const cpu = field?.at('cpus')?.text() ?? (which === 'limits' ? service.at('cpus')?.text() : undefined);
    const memory = field?.at('memory')?.text() ?? service.at(which === 'limits' ? 'mem_limit' : 'mem_reservation')?.text();
    return { ...(cpu !== undefined && { cpu }), ...(memory !== undefined && { memory: quantity(memory) }) };
  };
  const [limits, requests] = [of('limits'), of('reservations')];
  const resources = { ...(Object.keys(requests).length > 0 && { requests }), ...(Object.keys(limits).length > 0 && { limits }) };
  return Object.keys(resources).length === 0 ? {} : { resources };
}

/** `512m`, `1gb`: powers of two, as Docker has them. */
function quantity(text: string): string {
  const [, amount = text, unit = ''] = /^([\d.]+)\s*([bkmg])?b?$/i.exec(text) ?? [];
  return `${amount}${{ k: 'Ki', m: 'Mi', g: 'Gi' }[unit.toLowerCase()] ?? ''}`;
}

function securityOf(service: Field) {
  const user = service.at('user');
  const [, uid, gid] = /^(\d+)(?::(\d+))?$/.exec(user?.peek() ?? '') ?? [];
  if (uid !== undefined) user?.skip();
  const privileged = service.at('privileged')?.text() === 'true';
  const readOnly = service.at('read_only')?.text() === 'true';
  const [add, drop] = ['cap_add', 'cap_drop'].map((key) => service.at(key)?.texts() ?? []);
  const securityContext = {
    ...(uid !== undefined && { runAsUser: Number(uid) }),
    ...(gid !== undefined && { runAsGroup: Number(gid) }),
    ...(privileged && { privileged }),
    ...(readOnly && { readOnlyRootFilesystem: true }),
    ...((add?.length ?? 0) + (drop?.length ?? 0) > 0 && {
      capabilities: { ...(add && add.length > 0 && { add }), ...(drop && drop.length > 0 && { drop }) },
    }),
  };
  return Object.keys(securityContext).length === 0 ? {} : { securityContext };
}

interface Volumes {
  readonly mounts: readonly object[];
  readonly list: readonly object[];
  readonly claims: readonly object[];
}

function volumesOf(service: Field, { name, note }: { readonly name: string; readonly note: Note }): Volumes {
  const made = [...(service.at('volumes')?.items() ?? []).flatMap((each) => volumeOf(each, { name, note }) ?? []), ...temporaryOf(service)];
  return {
    mounts: made.map(({ mount }) => mount),
    list: made.map(({ volume }) => volume),
    claims: made.flatMap(({ claim }) => claim ?? []),
  };
}

interface Volume {
  readonly mount: object;
  readonly volume: object;
  readonly claim?: object;
}

function volumeOf(field: Field, { name, note }: { readonly name: string; readonly note: Note }): Volume | undefined {
  const [source, target, mode] = field.peek()?.split(/(?<!^[A-Za-z]):/) ?? [field.at('source')?.text(), field.at('target')?.text()];
  for (const key of ['type', 'bind', 'volume', 'consistency', 'read_only']) field.at(key)?.skip();
  // One path: an anonymous volume, which keeps what the image has there from a mount above it. Here nothing is mounted above it.
  if (source === undefined || target === undefined) {
    field.skip();
    return undefined;
  }
  if (/^[./~$]/.test(source)) {
    note(
      field,
      `is of this machine's disk: what the Dockerfile copies is synced by itself, more is said in sync.rules of slipway.yaml; a file for an image that is not built here goes into a ConfigMap`,
    );
    field.skip();
    return undefined;
  }
  field.skip();
  const claimed = objectName(`${name}-${source}`);
  const volume = objectName(source);
  return {
    mount: { name: volume, mountPath: target, ...(mode === 'ro' && { readOnly: true }) },
    volume: { name: volume, persistentVolumeClaim: { claimName: claimed } },
    claim: {
      apiVersion: 'v1',
      kind: 'PersistentVolumeClaim',
      metadata: { name: claimed },
      spec: { accessModes: ['ReadWriteOnce'], resources: { requests: { storage: '1Gi' } } },
    },
  };
}

function temporaryOf(service: Field): readonly Volume[] {
  const field = service.at('tmpfs');
  const one = field?.text();
  return (one === undefined ? (field?.texts() ?? []) : [one]).map((text, at) => {
    const volume = `temporary-${at}`;
    return { mount: { name: volume, mountPath: text.split(':')[0] }, volume: { name: volume, emptyDir: { medium: 'Memory' } } };
  });
}

/** Of a duration as `1m30s`, rounded up, one at least; undefined when it is none. */
function secondsOf(text: string): number | undefined {
  const nanoseconds = nanosecondsOf(text);
  return nanoseconds === undefined ? undefined : Math.max(1, Math.ceil(nanoseconds / 1e9));
}

/** Texts in which variables stand are quoted: what is filled in must not become a number. So are words as `yes`: Kubernetes reads YAML 1.1. */
function textOf(objects: readonly object[]): Pick<ComposeWorkload, 'text' | 'isTemplate'> {
  const documents = objects.map((object) => new Document(object, { aliasDuplicateObjects: false, compat: 'yaml-1.1' }));
  let isTemplate = false;
  const eachText = (change: (scalar: Scalar<string>) => void): void => {
    for (const document of documents)
      visit(document, { Scalar: (_, node) => (typeof node.value === 'string' ? change(node as Scalar<string>) : undefined) });
  };
  eachText(({ value }) => (isTemplate ||= withVariables(value).usesVariables));
  eachText((scalar) => {
    const { text, usesVariables } = withVariables(scalar.value);
    scalar.value = isTemplate ? text : withoutVariables(scalar.value);
    if (usesVariables) scalar.type = Scalar.QUOTE_DOUBLE;
  });
  return { text: documents.map((document) => document.toString({ lineWidth: 0 })).join('---\n'), isTemplate };
}
