import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { loadKubeconfig } from './kubeconfig';

const folder = mkdtempSync(join(tmpdir(), 'kubeconfig-'));
afterAll(() => rmSync(folder, { recursive: true }));

interface Described {
  readonly name: string;
  readonly server?: string;
  readonly namespace?: string;
  readonly user?: object;
}

function write(file: string, current: string, ...described: readonly Described[]): string {
  const config = {
    'current-context': current,
    contexts: described.map(({ name, namespace }) => ({ name, context: { cluster: name, user: name, namespace } })),
    clusters: described.map(({ name, server = `https://${name}` }) => ({ name, cluster: { server } })),
    users: described.map(({ name, user = { token: 't' } }) => ({ name, user })),
  };
  const path = join(folder, file);
  writeFileSync(path, JSON.stringify(config));
  return path;
}

describe('loadKubeconfig', () => {
  const one = write('one', 'a', { name: 'a', namespace: 'shop' }, { name: 'b' });
  const two = write('two', 'c', { name: 'b', server: 'https://other' }, { name: 'c' });
  const empty = join(folder, 'empty');
  writeFileSync(empty, '\n');

  it('takes the current context of a file', () => {
    expect(loadKubeconfig({ kubeconfig: one })).toMatchObject({
      ok: true,
      value: { target: { context: 'a', cluster: 'a', server: 'https://a', namespace: 'shop', files: [one] }, user: { token: 't' } },
    });
  });

  it('takes the context that is asked for, with the namespace default when it has none', () => {
    expect(loadKubeconfig({ kubeconfig: one, context: 'b' })).toMatchObject({
      ok: true,
      value: { target: { context: 'b', namespace: 'default' } },
    });
  });

  it('reads the several files of KUBECONFIG, where the first to say something counts and missing or empty ones do not matter', () => {
    const env = { KUBECONFIG: [join(folder, 'missing'), empty, one, two].join(delimiter) };
    expect(loadKubeconfig({ env })).toMatchObject({ ok: true, value: { target: { context: 'a', files: [empty, one, two] } } });
    expect(loadKubeconfig({ env, context: 'b' })).toMatchObject({ ok: true, value: { target: { server: 'https://b' } } });
    expect(loadKubeconfig({ env, context: 'c' })).toMatchObject({ ok: true, value: { target: { server: 'https://c' } } });
  });

  it('says where it looked when there is no kubeconfig', () => {
    const file = join(folder, '.kube', 'config');
    expect(loadKubeconfig({ env: { HOME: folder } })).toMatchObject({
      ok: false,
      problem: { code: 'kubeconfigNotFound', message: `there is no kubeconfig: ${file} does not exist`, exitCode: 3 },
    });
  });

  it('lists the contexts that exist when one does not', () => {
    expect(loadKubeconfig({ kubeconfig: one, context: 'z' })).toMatchObject({
      ok: false,
      problem: { code: 'contextNotFound', hint: 'contexts that exist: a, b', exitCode: 2 },
    });
    expect(loadKubeconfig({ kubeconfig: empty })).toMatchObject({ ok: false, problem: { code: 'contextNotFound', exitCode: 2 } });
  });

  it('says which file is not a kubeconfig', () => {
    const file = join(folder, 'broken');
    writeFileSync(file, '{{{');
    expect(loadKubeconfig({ kubeconfig: file })).toMatchObject({
      ok: false,
      problem: { code: 'kubeconfigInvalid', location: { file }, exitCode: 2 },
    });
  });

  it('finds a credential plugin beside the file that names it', () => {
    const file = write('plugin', 'p', {
      name: 'p',
      user: { exec: { command: './bin/plugin', apiVersion: 'client.authentication.k8s.io/v1' } },
    });
    expect(loadKubeconfig({ kubeconfig: file })).toMatchObject({
      ok: true,
      value: { user: { exec: { command: join(folder, 'bin', 'plugin') } } },
    });
  });
});
