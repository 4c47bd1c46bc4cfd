import { readFileSync } from 'node:fs';
import { join } from 'node:path';

function optionsOf(executor: string): readonly string[] {
  const schema = JSON.parse(readFileSync(join(__dirname, '../../../packages/nx/executors', executor, 'schema.json'), 'utf8')) as {
    readonly properties: Readonly<Record<string, unknown>>;
  };
  return Object.keys(schema.properties);
}

it.each(['build', 'delete', 'deploy', 'dev', 'logs', 'render', 'sync'])('%s takes what all executors take', (executor) => {
  const ofAll = ['context', 'acceptContext', 'kubeconfig', 'namespace', 'defaultRepo', 'profiles', 'verbosity'];
  expect(optionsOf(executor)).toEqual(expect.arrayContaining(ofAll));
});

it('takes at the build whatever a deployment is told, as Nx passes that on', () => {
  expect(optionsOf('build')).toEqual(expect.arrayContaining([...optionsOf('deploy')]));
});
