import { fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { announce, askToStop, heard, type Announcement } from './announcements';

describe('announcements', () => {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-announced-'));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const announced = async (say: () => object, onStop: () => void = () => undefined): Promise<Announcement> => {
    const one = await announce({ folder, say, onStop });
    if (!one) throw new Error('it could not be announced');
    return one;
  };
  const said = async (): Promise<readonly unknown[]> => (await heard(folder)).map((each) => each.said);

  it('say how things are now, each time they are asked, until they are taken back', async () => {
    let files = 0;
    const one = await announced(() => ({ name: 'one', files: ++files }));
    expect(await said()).toEqual([{ name: 'one', files: 1 }]);
    expect(await said()).toEqual([{ name: 'one', files: 2 }]);
    await one.close({});
    expect(await said()).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('can be asked to end, and are waited for', async () => {
    let asked: () => void = () => undefined;
    const stopped = new Promise<void>((resolve) => (asked = resolve));
    const one = await announced(
      () => ({}),
      () => asked(),
    );
    const [found] = await heard(folder);
    const lastWords = askToStop(found?.path ?? '');
    await stopped;
    await one.close({ files: 3 });
    expect(await lastWords).toEqual({ files: 3 });
  });

  it('of a killed process are cleared away', async () => {
    const script = join(folder, 'announcing.cjs');
    const module = JSON.stringify(join(__dirname, 'announcements.js'));
    writeFileSync(
      script,
      `require(${module}).announce({ folder: ${JSON.stringify(folder)}, say: () => ({ from: 'child' }), onStop() {} }).then(() => process.send('up'));
       setInterval(() => {}, 1000);`,
    );
    const child = fork(script);
    await once(child, 'message');
    expect(await said()).toEqual([{ from: 'child' }]);
    child.kill('SIGKILL');
    await once(child, 'exit');
    rmSync(script);
    expect(await said()).toEqual([]);
    expect(readdirSync(folder)).toEqual([]);
  });

  it('are not made where it is not possible', async () => {
    const file = join(folder, 'file');
    writeFileSync(file, '');
    expect(await announce({ folder: file, say: () => ({}), onStop: () => undefined })).toBeUndefined();
    expect(await heard(join(folder, 'missing'))).toEqual([]);
    rmSync(file);
  });
});
