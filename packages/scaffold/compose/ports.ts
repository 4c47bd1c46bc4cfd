import type { Field } from '../imports/field';

export interface Port {
  /** In the container, and of the Service: by it other services reach it. */
  readonly container: number;
  /** On the machine of whoever develops. */
  readonly local?: number;
  readonly protocol?: 'UDP';
}

/** Where images listen that say no port in a Compose file because all services of it reach each other by any. */
const usualPorts: Readonly<Record<string, number>> = {
  postgres: 5432,
  postgis: 5432,
  mysql: 3306,
  mariadb: 3306,
  redis: 6379,
  valkey: 6379,
  mongo: 27017,
  rabbitmq: 5672,
  nats: 4222,
  memcached: 11211,
  elasticsearch: 9200,
  nginx: 80,
  httpd: 80,
  caddy: 80,
};

/** The port on which an image is known to listen. */
export function usualPort(image: string): number | undefined {
  const [name = ''] = image.slice(image.lastIndexOf('/') + 1).split(/[:@]/);
  return usualPorts[name];
}

/** The ports of a service: those that it publishes, and those that it only exposes. What is no single port is left for somebody to be told of. */
export function portsOf(service: Field): readonly Port[] {
  const published = (service.at('ports')?.items() ?? []).flatMap((each) => longPort(each) ?? shortPorts(each));
  const exposed = (service.at('expose')?.items() ?? []).flatMap((each) => shortPorts(each));
  const ports = new Map<number, Port>();
  for (const port of [...published, ...exposed]) if (!ports.has(port.container)) ports.set(port.container, port);
  return [...ports.values()];
}

function longPort(field: Field): Port | undefined {
  const target = field.at('target')?.text();
  if (target === undefined) return undefined;
  const published = field.at('published')?.text();
  const protocol = field.at('protocol')?.text();
  for (const key of ['mode', 'name', 'app_protocol', 'host_ip']) field.at(key)?.skip();
  return portFrom({ container: target, local: published, protocol });
}

/** `8080:80`, `127.0.0.1:8080:80/tcp`, `80`, and ranges of as many on both sides. */
function shortPorts(field: Field): readonly Port[] {
  const text = field.peek();
  const [, local, container, protocol] =
    /^(?:(?:[\d.]+:|\[[\da-f:]+\]:)?(\d+(?:-\d+)?)?:)?(\d+(?:-\d+)?)(?:\/(tcp|udp))?$/i.exec(text ?? '') ?? [];
  if (container === undefined) return [];
  const [inside, outside] = [rangeOf(container), local === undefined ? undefined : rangeOf(local)];
  if (outside && outside.length !== inside.length) return [];
  field.skip();
  return inside.flatMap((each, at) => portFrom({ container: String(each), local: outside?.[at]?.toString(), protocol }) ?? []);
}

function rangeOf(text: string): readonly number[] {
  const [first = 0, last = first] = text.split('-').map(Number);
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, at) => first + at);
}

interface PortTexts {
  readonly container: string;
  readonly local: string | undefined;
  readonly protocol: string | undefined;
}

function portFrom({ container, local, protocol }: PortTexts): Port | undefined {
  if (!/^\d+$/.test(container)) return undefined;
  return {
    container: Number(container),
    ...(local !== undefined && /^\d+$/.test(local) && { local: Number(local) }),
    ...(protocol?.toLowerCase() === 'udp' && { protocol: 'UDP' as const }),
  };
}
