import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { copyFileSync, linkSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { configFiles } from './config';
import type { ProgramName } from './gobuild';
import { writePauseImage } from './images';
import type { Layout } from './layout';
import { USERS, type Plan, type Tokens } from './plan';
import { firstProcessScript } from './script';

/** Where each built program is. */
export type Programs = Record<ProgramName, string>;

/** The plan that a cluster was started with. */
export function readPlan(layout: Layout): Plan {
  return JSON.parse(readFileSync(layout.planFile, 'utf8')) as Plan;
}

export interface Secrets {
  readonly tokens: Tokens;
  readonly signingKey: string;
  readonly signingKeyPublic: string;
}

export function makeSecrets(): Secrets {
  const { privateKey, publicKey } = generateKeyPairSync('ec', {
    namedCurve: 'P-256',
    privateKeyEncoding: { type: 'sec1', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const tokens = Object.fromEntries(USERS.map((user) => [user, randomBytes(24).toString('hex')])) as Tokens;
  return { tokens, signingKey: privateKey, signingKeyPublic: publicKey };
}

/** Writes all that the first process will read. */
export async function writeState(plan: Plan, { signingKey, signingKeyPublic }: Secrets, programs: Programs): Promise<void> {
  const { layout } = plan;
  for (const folder of ['tmp', 'bin', 'var-lib/kubelet', 'var-log', 'etc-upper', 'etc-work', 'registry', 'kubelet-plugins'])
    mkdirSync(join(layout.state, folder), { recursive: true });
  mkdirSync(layout.pki, { recursive: true, mode: 0o700 });
  rmSync(layout.etc, { recursive: true, force: true });
  for (const [name, content] of Object.entries(configFiles(plan))) {
    const path = join(layout.etc, name);
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    writeFileSync(path, content, { mode: 0o600 });
  }
  writeFileSync(join(layout.pki, 'sa.key'), signingKey, { mode: 0o600 });
  writeFileSync(join(layout.pki, 'sa.pub'), signingKeyPublic);
  // The cluster keeps its programs when the cache is emptied under it.
  for (const [from, to] of [
    [programs.kubernetes, plan.tools.kubernetes],
    [programs.coredns, plan.tools.coredns],
  ] as const) {
    rmSync(to, { force: true });
    linkOrCopy(from, to);
  }
  await writePauseImage(programs.pause, join(layout.etc, 'pause.tar'), join(layout.state, 'tmp'));
  writeFileSync(layout.script, firstProcessScript(plan), { mode: 0o700 });
  writeAtomically(layout.planFile, JSON.stringify(plan), 0o600);
}

function linkOrCopy(from: string, to: string): void {
  try {
    linkSync(from, to);
  } catch {
    // Another file system.
    copyFileSync(from, to);
  }
}

/** A file is there whole or not at all. */
export function writeAtomically(path: string, content: string, mode = 0o600): void {
  writeFileSync(`${path}.new`, content, { mode });
  renameSync(`${path}.new`, path);
}
