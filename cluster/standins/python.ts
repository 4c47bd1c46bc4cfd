import {
  chmodSync,
  cpSync,
  existsSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  realpathSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { basename, join } from 'node:path';
import { ClusterProblem } from '../problem';
import { run } from '../run';
import { busybox, fillBusybox } from './busybox';
import { identityOf, placeLibrariesOf, placeProgram, placeSurroundings } from './place';
import { CERTIFICATES, PATH_LINE, type StandIn } from './standIn';

/** Packages that Dockerfiles of small services install: where they are in the image already, pip has nothing to fetch. */
const WHEELS = ['pip', 'watchdog', 'uvicorn'];

/** The machine's Python with its standard library, pip, and the packages above from the index that pip is set to. */
export const python: StandIn = {
  madeFrom: async () => {
    const { executable, version } = await pythonOnMachine();
    return [...(await busybox.madeFrom()), identityOf(executable), version, identityOf(CERTIFICATES), ...WHEELS];
  },
  fill: async (root) => {
    const machine = await pythonOnMachine();
    await fillBusybox(root);
    placeSurroundings(root);
    const name = `python${machine.version.split('.').slice(0, 2).join('.')}`;
    await placeProgram(machine.executable, root, `usr/local/bin/${name}`);
    for (const link of ['python3', 'python']) symlinkSync(name, join(root, 'usr/local/bin', link));
    const library = join(root, 'usr/local/lib', name);
    cpSync(machine.library, library, { recursive: true, dereference: true, filter: isNeeded });
    const extensions = join(machine.library, 'lib-dynload');
    if (existsSync(extensions))
      await placeLibrariesOf(
        readdirSync(extensions).map((file) => realpathSync(join(extensions, file))),
        root,
      );
    await installWheels(machine, root, join(library, machine.packagesFolder));
    await compile(machine, root, library);
  },
  changes: [PATH_LINE, 'ENV LANG=C.UTF-8', `ENV PIP_CERT=${CERTIFICATES}`, 'ENV PIP_ROOT_USER_ACTION=ignore', 'CMD ["python3"]'],
};

interface Machine {
  readonly executable: string;
  readonly version: string;
  /** The folder of the standard library. */
  readonly library: string;
  /** What its folder of installed packages is called: Debian's own Python has another name for it. */
  readonly packagesFolder: string;
}

const TELL = `import json, os, platform, site, sys, sysconfig
print(json.dumps(dict(executable=os.path.realpath(sys.executable), version=platform.python_version(), library=sysconfig.get_path("stdlib"),
  packagesFolder=os.path.basename(site.getsitepackages()[0]))))`;

async function pythonOnMachine(): Promise<Machine> {
  const { status, stdout } = await run(['python3', '-c', TELL]);
  if (status !== 0) throw new ClusterProblem('python3 is not on this machine', 'Install the Debian package python3.');
  return JSON.parse(stdout) as Machine;
}

const LEFT_OUT =
  /^(tests?|idlelib|tkinter|turtledemo|ensurepip|lib2to3|config-.*|site-packages|dist-packages|__pycache__|EXTERNALLY-MANAGED|.*\.a)$/;

/** A link that leads nowhere would break the copying. */
function isNeeded(path: string): boolean {
  return !LEFT_OUT.test(basename(path)) && existsSync(path);
}

async function installWheels({ executable }: Machine, root: string, packages: string): Promise<void> {
  mkdirSync(packages, { recursive: true });
  const options = ['--quiet', '--no-compile', '--disable-pip-version-check', '--root-user-action=ignore'];
  const { status, stderr } = await run([executable, '-m', 'pip', 'install', ...options, '--target', packages, ...WHEELS]);
  if (status !== 0) throw new ClusterProblem(`pip did not install ${WHEELS.join(', ')}: ${stderr.trim().split('\n').at(-1) ?? ''}`);
  // Their commands are where the others are, and name the image's Python instead of the machine's.
  const commands = join(packages, 'bin');
  for (const name of readdirSync(commands)) {
    const text = readFileSync(join(commands, name), 'utf8').replace(/^#!.*/, '#!/usr/local/bin/python3');
    writeFileSync(join(root, 'usr/local/bin', name), text);
    chmodSync(join(root, 'usr/local/bin', name), 0o755);
  }
  rmSync(commands, { recursive: true });
}

/** Compiled files that Python takes without comparing times, because the image's files have none. */
async function compile({ executable }: Machine, root: string, library: string): Promise<void> {
  const how = ['-q', '-j', '0', '--invalidation-mode', 'unchecked-hash', '-s', root, '-p', '/'];
  await run([executable, '-m', 'compileall', ...how, library]);
}
