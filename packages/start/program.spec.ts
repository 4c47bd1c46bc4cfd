import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

describe('the one file that all of the program is in', () => {
  const file = join(__dirname, 'program.bundle.js');

  it('is of ASCII, as which it is read', () => {
    expect(existsSync(file)).toBe(true);
    const text = readFileSync(file, 'utf8');
    expect(/[^\0-\x7f]/.exec(text)?.[0]).toBeUndefined();
  });
});
