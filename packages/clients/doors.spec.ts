import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { doors } from './doors';

describe('doors', () => {
  it('carry their packages inside, so that tests and old versions of Node can load them', () => {
    expect(doors.docker().Docker).toBeInstanceOf(Function);
    expect(doors.kubernetes().KubeConfig).toBeInstanceOf(Function);
    expect(doors.processes().execa).toBeInstanceOf(Function);
  });

  it('need nothing of Node that newer versions warn of at every start', () => {
    const folder = join(__dirname, 'bundled');
    const bundles = readdirSync(folder).filter((name) => name.endsWith('.js'));
    expect(bundles).toHaveLength(3);
    for (const name of bundles) expect(readFileSync(join(folder, name), 'utf8')).not.toMatch(/require\("(node:)?(punycode|sys)"\)/);
  });
});
