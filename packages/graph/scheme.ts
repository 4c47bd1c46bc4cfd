/** What is known of a port before anything answers there. */
export interface PortNames {
  readonly port: number | string;
  readonly name?: string;
  readonly appProtocol?: string;
}

/** What usually listens there is a web server. */
function isWebPort(port: number): boolean {
  return [80, 443, 3000, 3001, 4000, 4200, 5000, 5173].includes(port) || (port >= 8000 && port < 9000);
}

/** How a browser would call a port: by what its names say, else by its number. Undefined: not at all. */
export function schemeOf({ port, name, appProtocol }: PortNames): 'http' | 'https' | undefined {
  for (const said of [appProtocol, name, typeof port === 'string' ? port : undefined]) {
    if (said === undefined) continue;
    if (/^(https|kubernetes\.io\/wss)/.test(said)) return 'https';
    if (/^(http|web|ui|kubernetes\.io\/ws)/.test(said)) return 'http';
    if (said === appProtocol || /^(tcp|grpc|redis|postgres|pg|mysql|mongo|amqp|kafka|nats|smtp|ldap|ssh)/.test(said)) return undefined;
  }
  if (typeof port === 'string' || !isWebPort(port)) return undefined;
  return port === 443 || port === 8443 ? 'https' : 'http';
}
