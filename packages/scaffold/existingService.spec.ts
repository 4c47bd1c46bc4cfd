import { parseAllDocuments } from 'yaml';
import type { WorkspaceFiles } from '../graph';
import { manifestsFor } from './existingService';

/** The files of one project, all in its folder. */
const filesOf = (texts: Readonly<Record<string, string>>): WorkspaceFiles => ({
  textOf: (path) => texts[path],
  kindOf: (path) => (texts[path] === undefined ? undefined : 'file'),
  namesIn: (directory) => (directory === 'apps/api' ? Object.keys(texts).map((path) => path.slice('apps/api/'.length)) : []),
});
const guessed = (texts: Readonly<Record<string, string>>, port?: number) =>
  manifestsFor(
    { project: '@shop/api', root: 'apps/api', port },
    filesOf(Object.fromEntries(Object.entries(texts).map(([path, text]) => [`apps/api/${path}`, text]))),
  );
const value = (texts: Readonly<Record<string, string>>, port?: number) => {
  const result = guessed(texts, port);
  if (!result.ok) throw new Error(result.problem.message);
  return result.value;
};
const problem = (texts: Readonly<Record<string, string>>) => {
  const result = guessed(texts);
  if (result.ok) throw new Error('it was not to be guessed');
  return result.problem;
};

describe('manifests for a project that has only a Dockerfile', () => {
  it('have the port that it exposes, the user that it names, and the path for health that its sources name', () => {
    const { path, manifest, because } = value({
      Dockerfile: 'FROM node:20\nUSER node\nEXPOSE 3000/tcp\n',
      'server.js': "app.get('/healthz', ok)",
    });
    expect(path).toBe('apps/api/k8s/api.yaml');
    expect(manifest).toMatch(/containerPort: 3000\n/);
    expect(manifest).toMatch(/runAsNonRoot: true\n +runAsUser: 1000\n/);
    expect(manifest.match(/path: \/healthz\n/g)).toHaveLength(2);
    expect(manifest).toContain('# A guess: apps/api/server.js has /healthz in it.');
    expect(because).toEqual([
      'port 3000: apps/api/Dockerfile exposes it',
      'probes ask for /healthz: a guess, because apps/api/server.js has it',
      'it runs as user 1000: USER node in apps/api/Dockerfile',
      'memory up to 512Mi: a guess',
    ]);
  });

  it('connect to the port where no source tells of health, and may run as root where the image does', () => {
    const { manifest } = value({ Dockerfile: 'FROM python:3\nEXPOSE 80\n', 'healthzilla.py': 'x = "/healthzilla"' });
    expect(manifest.match(/tcpSocket:\n +port: http\n/g)).toHaveLength(2);
    expect(manifest).not.toMatch(/runAs|capabilities/);
  });

  it('name objects as Kubernetes takes a name, and the image as Slipway does', () => {
    const made = manifestsFor(
      { project: '@shop/my_api', root: 'apps/api', port: 80 },
      filesOf({ 'apps/api/Dockerfile': 'FROM scratch\n' }),
    );
    expect(made).toMatchObject({ ok: true, value: { path: 'apps/api/k8s/my-api.yaml' } });
    const text = made.ok ? made.value.manifest : '';
    expect(text).toMatch(/ name: my-api\n/);
    expect(text).toMatch(/ image: my_api\n/);
  });

  it('take the port that is said before the one that is exposed', () => {
    expect(value({ Dockerfile: 'FROM scratch\nEXPOSE 80\n' }, 9000)).toMatchObject({
      manifest: expect.stringContaining('containerPort: 9000') as unknown,
      because: expect.arrayContaining(['port 9000: as you said']) as unknown,
    });
  });

  it('have no Service and no probes where it is said that it listens on no port', () => {
    const { manifest, because } = value({ Dockerfile: 'FROM scratch\nUSER 1000\n', 'worker.js': "'/healthz'" }, 0);
    const [deployment, ...more] = parseAllDocuments(manifest).map((document) => document.toJS() as object);
    expect(more).toEqual([]);
    expect(deployment).toMatchObject({ kind: 'Deployment', spec: { template: { spec: { securityContext: { runAsUser: 1000 } } } } });
    expect(manifest).not.toMatch(/port|Probe/i);
    expect(because[0]).toBe('no port, no Service and no probes: as you said');
  });

  it('are not guessed without a port, a Dockerfile, or one that can be read', () => {
    expect(problem({ Dockerfile: 'FROM scratch\n' })).toMatchObject({
      code: 'portNotKnown',
      hint: expect.stringContaining('--port') as unknown,
    });
    expect(problem({})).toMatchObject({ code: 'dockerfileNotFound' });
    expect(problem({ Dockerfile: 'FORM scratch\n' })).toMatchObject({
      code: 'dockerfileInvalid',
      location: { file: 'apps/api/Dockerfile', line: 1 },
    });
  });
});
