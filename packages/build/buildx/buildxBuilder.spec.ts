import { emptyDir, type Artifact, type BuildSettings } from '../../model';
import { fakeEngine } from '../../testkit/fakeEngine';
import { fakeProcesses, type FakeProgramOfMachine } from '../../testkit/fakeProcesses';
import { openBuilders, type BuildJob } from '..';

const settings: BuildSettings = { cacheFrom: [], inlineCache: false, cacheTo: [], pull: false, noCache: false, secrets: [], ssh: [] };

function jobOf(more: { readonly platform?: string; readonly cacheTo?: readonly string[] }): BuildJob {
  const { platform, cacheTo = [] } = more;
  const artifact: Artifact = {
    name: 'api/web',
    project: 'api',
    image: 'api-web',
    recipe: { builder: 'docker/1', context: 'api', dockerfile: 'api/Dockerfile', args: {}, ...(platform !== undefined && { platform }) },
    settings: { ...settings, cacheTo },
    inputs: [],
    requires: [],
    targets: [],
    after: [],
    reload: { kind: 'rebuild', because: 'it is a test' },
  };
  const snapshot = { inputsHash: 'i', rebuildHash: 'r', layoutHash: 'l', sources: emptyDir, tree: emptyDir };
  return { artifact, snapshot, bases: {}, root: '/', ref: 'r.test/api:1', signal: new AbortController().signal, onLine: () => undefined };
}

function builders(program: FakeProgramOfMachine, hasRegistry = true) {
  const engine = fakeEngine();
  const processes = fakeProcesses(program);
  const opened = openBuilders({ engine, registry: engine.registry, processes, cacheDir: '/tmp', hasRegistry, env: {} });
  return { processes, opened };
}

const several = { platform: 'linux/amd64,linux/arm64' };
const withoutPlugin: FakeProgramOfMachine = () => ({ exitCode: 1, stderr: 'docker: unknown command: docker buildx' });

describe('what only docker buildx makes', () => {
  it.each([
    [several, 'api/web: an image for linux/amd64 and linux/arm64 is made by docker buildx, which is not there'],
    [{ cacheTo: ['r.test/cache'] }, 'api/web: a cache in a registry is made by docker buildx, which is not there'],
  ])('says how to get it where it is not: %j', async (wanted, message) => {
    const { opened, processes } = builders(withoutPlugin);
    expect(await opened.build(jobOf(wanted))).toMatchObject({
      ok: false,
      problem: { code: 'buildxNotFound', message, exitCode: 3, project: 'api' },
    });
    expect(processes.runs).toMatchObject([{ command: 'docker', args: ['buildx', 'version'] }]);
  });

  it('looks for it again when it was not there', async () => {
    const { opened, processes } = builders(() => undefined);
    await opened.build(jobOf(several));
    expect(await opened.build(jobOf(several))).toMatchObject({ ok: false, problem: { code: 'buildxNotFound' } });
    expect(processes.runs).toHaveLength(2);
  });

  it('needs a registry, whatever is there', async () => {
    const { opened, processes } = builders(withoutPlugin, false);
    expect(await opened.build(jobOf(several))).toMatchObject({ ok: false, problem: { code: 'registryNeeded', exitCode: 2 } });
    expect(processes.runs).toEqual([]);
  });
});
