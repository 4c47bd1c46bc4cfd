import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

const folder = mkdtempSync(join(tmpdir(), 'slipway-outliving-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** Runs a process that starts an outliving one and then does what is said; resolves with what that one wrote, at its end. */
async function after(name: string, ending: string): Promise<string> {
  const module = JSON.stringify(join(__dirname, 'outlivingProcess.js'));
  const [script, starter, told] = [`${name}-script.js`, `${name}-starter.js`, `${name}-told`].map((file) => join(folder, file));
  if (script === undefined || starter === undefined || told === undefined) throw new Error('three files were named');
  writeFileSync(
    script,
    `const { writeFileSync, renameSync } = require('node:fs');
    writeFileSync(${JSON.stringify(`${told}.waits`)}, '');
    require(${module}).leftAlone().then((order) => {
      writeFileSync(${JSON.stringify(`${told}.new`)}, JSON.stringify(order ?? 'dismissed'));
      renameSync(${JSON.stringify(`${told}.new`)}, ${JSON.stringify(told)});
      process.exit();
    });`,
  );
  writeFileSync(
    starter,
    `const told = ${JSON.stringify(told)};
    const outliving = require(${module}).startOutlivingProcess(${JSON.stringify(script)}, { releases: ['web'] });\n${ending}`,
  );
  const child = spawn(process.execPath, [starter], { detached: true, stdio: 'ignore' });
  await once(child, 'exit');
  while (!existsSync(told)) await new Promise((resolve) => setTimeout(resolve, 10));
  return readFileSync(told, 'utf8');
}

describe('a process that outlives the one that started it', () => {
  it('gets what it was told when that one is killed with all that belongs to its group', async () => {
    expect(await after('killed', "process.kill(-process.pid, 'SIGKILL');")).toBe('{"releases":["web"]}');
  });

  it('gets it too when that one just ends', async () => {
    expect(await after('ended', 'process.exit();')).toBe('{"releases":["web"]}');
  });

  it('is told that it is not needed', async () => {
    expect(await after('dismissed', 'outliving.dismiss();')).toBe('"dismissed"');
  });

  it('waits for as long as that one takes', async () => {
    const later = `const { existsSync } = require('node:fs');
    let waited = 0;
    const look = setInterval(() => {
      if (existsSync(told + '.waits')) waited += 1;
      if (waited === 30) clearInterval(look), outliving.dismiss();
    }, 10);`;
    expect(await after('later', later)).toBe('"dismissed"');
  });
});
