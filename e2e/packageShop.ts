import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join, posix } from 'node:path';

/** The version that the tests are written for. */
export const turboVersion = '2.11.11';

interface Json {
  readonly [key: string]: unknown;
}

/**
 * Makes a workspace of packages of a copy of the shop, with the same sources: what Nx is told in project.json and in package.json's `nx`
 * goes away, and a target that is a command becomes a script. Dependencies are left to whoever installs.
 */
export function turnIntoPackages(root: string): void {
  rmSync(join(root, 'nx.json'));
  const folders = projectFolders(root);
  for (const folder of folders) turnIntoPackage(join(root, folder));
  const workspaces = [...new Set(folders.map((folder) => `${posix.dirname(folder)}/*`))];
  const manifest = read(join(root, 'package.json'));
  const devDependencies = Object.fromEntries(
    Object.entries(manifest['devDependencies'] as Json).filter(([name]) => !/^(@nx\/.*|nx)$/.test(name)),
  );
  // turbo asks for the name of the package manager.
  write(join(root, 'package.json'), { ...manifest, workspaces, packageManager: 'npm@11.0.0', devDependencies });
}

/** A turbo.json as a Turborepo has one before it knows of Slipway. */
export function addTurboConfig(root: string): void {
  const build = { dependsOn: ['^build'], inputs: ['$TURBO_DEFAULT$', '!**/*.md', '!**/*.test.js'], outputs: ['dist/**'] };
  writeFileSync(
    join(root, 'turbo.json'),
    `{\n  // The shop, without Nx.\n  "$schema": "https://turborepo.com/schema.json",\n  "tasks": { "build": ${JSON.stringify(build)} }\n}\n`,
  );
}

function projectFolders(root: string): readonly string[] {
  const foldersIn = (folder: string) =>
    readdirSync(join(root, folder), { withFileTypes: true })
      .filter((entry) => entry.isDirectory() && entry.name !== 'node_modules' && !entry.name.startsWith('.'))
      .map(({ name }) => posix.join(folder, name));
  const isProject = (folder: string) => ['package.json', 'project.json'].some((file) => existsSync(join(root, folder, file)));
  return foldersIn('')
    .flatMap((folder) => [folder, ...foldersIn(folder)])
    .filter(isProject);
}

function turnIntoPackage(folder: string): void {
  const [packageFile, projectFile] = [join(folder, 'package.json'), join(folder, 'project.json')];
  const project = existsSync(projectFile) ? read(projectFile) : {};
  const { nx = {}, ...manifest } = existsSync(packageFile)
    ? read(packageFile)
    : { name: `@shop/${basename(folder)}`, version: '0.0.0', private: true };
  const targets = { ...((nx as Json)['targets'] as Json | undefined), ...(project['targets'] as Json | undefined) };
  const scripts = Object.entries(targets).flatMap(([name, target]) => {
    const command = (target as Json)['command'];
    // A script runs in its package's folder.
    return typeof command === 'string' ? [[name, command.replaceAll('{projectRoot}/', '')]] : [];
  });
  write(packageFile, scripts.length === 0 ? manifest : { ...manifest, scripts: Object.fromEntries(scripts) as Json });
  rmSync(projectFile, { force: true });
}

function read(file: string): Json {
  return JSON.parse(readFileSync(file, 'utf8')) as Json;
}

function write(file: string, json: Json): void {
  writeFileSync(file, `${JSON.stringify(json, null, 2)}\n`);
}
