import { emptyDir, fileEntry, withEntries } from '../model';
import { behindMounts, writableMounts } from './mountedOver';

const file = fileEntry({ digest: 'x', size: 1, mode: 0o644 });
const mount = (name: string, mountPath: string, readOnly?: boolean) => ({ name, mountPath, ...(readOnly !== undefined && { readOnly }) });

it('knows where a container has volumes that it can write to', () => {
  const volumes = [
    { name: 'scratch', emptyDir: {} },
    { name: 'claim', persistentVolumeClaim: { claimName: 'x' } },
    { name: 'config', configMap: { name: 'x' } },
    { name: 'token', projected: {} },
  ];
  const own = [
    mount('scratch', '/app/src/'),
    mount('claim', '/data'),
    mount('claim', '/fixed', true),
    mount('config', '/etc/app'),
    mount('token', '/run/x'),
  ];
  const containers = [
    { name: 'other', volumeMounts: [mount('scratch', '/other')] },
    { name: 'api', volumeMounts: own },
  ];
  const pod = { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'api-1' }, spec: { volumes, containers } };
  expect(writableMounts(pod, 'api')).toEqual(['/app/src', '/data']);
  expect(writableMounts(pod, 'none')).toEqual([]);
  expect(writableMounts(undefined, 'api')).toEqual([]);
});

it('believes of what lies behind a volume only what a ledger tells', () => {
  const image = withEntries(
    emptyDir,
    ['app/src/a', 'app/src/d/b', 'app/src/told', 'app/srcs/c', 'app/e'].map((path) => [path, file] as const),
  );
  expect(behindMounts(image, ['/app/src'], [['/app/src/told', file]])).toEqual([
    ['/app/src/a', null],
    ['/app/src/d/b', null],
  ]);
  expect(behindMounts(image, [], [])).toEqual([]);
});
