import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { importChanges, importsIn } from './imports';

describe('the imports of a source file', () => {
  it.each([
    [`import { a } from '@shop/extra';`, ['@shop/extra']],
    [`import type { A } from "b";\nexport * from './c';`, ['./c', 'b']],
    [`import 'side-effect'; import {\n  a,\n} from\n  'd';`, ['d', 'side-effect']],
    [`const e = require('e'); const f = await import( "f" );`, ['e', 'f']],
    [`const text = 'nothing of it'; fromHere('g');`, []],
  ])('%s', (text, modules) => {
    expect(importsIn(text)).toEqual(modules);
  });

  it('are other ones when a saved file names others than before, and not while the rest of it changes', async () => {
    const root = mkdtempSync(join(tmpdir(), 'slipway-imports-'));
    const save = (text: string) => writeFileSync(join(root, 'main.ts'), text);
    const haveChanged = importChanges(root);
    const main = ['main.ts'];
    save('export const a = 1;');
    expect(await haveChanged(main)).toBe(false);
    save(`import 'x';`);
    expect(await haveChanged(main)).toBe(true);
    save(`import 'x'; export const a = 2;`);
    expect(await haveChanged(main)).toBe(false);
    save('export const a = 2;');
    expect(await haveChanged(main)).toBe(true);
    save(`import 'x';`);
    await haveChanged(main);
    rmSync(join(root, 'main.ts'));
    expect(await haveChanged(main)).toBe(true);
    writeFileSync(join(root, 'style.css'), `@import 'x';`);
    expect(await haveChanged(['style.css'])).toBe(false);
    rmSync(root, { recursive: true });
  });
});
