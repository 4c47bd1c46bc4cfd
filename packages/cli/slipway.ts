import { readFileSync } from 'node:fs';
import { join, relative, resolve, sep } from 'node:path';
import { Command, CommanderError, Option } from 'commander';
import type { CommandOptions, CommandResult, DeployDocument } from '../dev';
import { messageOf, succeeded, type ExitCode, type LogChoice, type Problem } from '../model';
import {
  buildLines,
  configLines,
  deployLines,
  doctorLines,
  explainLines,
  initLines,
  inputsLines,
  Interruption,
  statusLines,
  type Keyboard,
  type Signals,
  type Verbosity,
} from '../report';
import { allProjects, chosenProjects } from './chosenProjects';
import type { Commands } from './commands';
import { noWorkspace } from './noWorkspace';
import { openOutput, type Output, type Printing, type Stream } from './output';
import { addToolCommands, wholeNumber } from './toolCommands';

/** All that the command line knows of where it runs. */
export interface Surroundings {
  readonly cwd: string;
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly stdout: Stream;
  readonly stderr: Stream;
  readonly signals: Signals;
  /** The keys of the person at the terminal; absent where there is none. */
  readonly keyboard?: Keyboard;
  /** Asks the person at the terminal; absent where there is none, as in CI. */
  readonly ask?: (question: string) => Promise<string>;
  /** Called with what is to be done when nobody reads what is written: a closed pipe or terminal. */
  readonly onUnread: (listener: () => void) => void;
  /** Ends the process. */
  readonly leave: (exitCode: number) => void;
}

interface CommonFlags {
  readonly json?: boolean;
  readonly verbosity: Verbosity;
  readonly context?: string;
  readonly kubeconfig?: string;
  readonly namespace?: string;
  readonly defaultRepo?: string;
  readonly profile?: string;
  readonly push?: boolean;
  readonly concurrency?: number;
  readonly cache?: boolean;
  readonly kubeContext?: string;
  readonly acceptContext?: boolean;
  readonly force?: boolean;
  readonly keepVolumes?: boolean;
}

interface DevFlags extends CommonFlags {
  readonly attach?: boolean;
  readonly exitWhenReady?: boolean;
  readonly timeout?: string;
  readonly keep?: boolean;
  readonly takeover?: boolean;
  readonly cleanup?: boolean;
  readonly portForward?: boolean;
  readonly events?: string;
  /** `true`, `false` for --no-logs, or the names behind --logs. */
  readonly logs: boolean | string;
  readonly forward: boolean;
}

interface BuildFlags extends CommonFlags {
  readonly affected?: boolean;
  readonly base?: string;
  readonly head?: string;
}

interface ArtifactFlags {
  readonly artifact?: readonly string[];
}

interface BuildOnlyFlags extends BuildFlags, ArtifactFlags {
  readonly dryRun?: boolean;
  readonly fileOutput?: string;
}

interface InitFlags extends CommonFlags {
  readonly dryRun?: boolean;
  readonly from?: readonly string[];
  readonly manifests?: readonly string[];
  readonly port?: number;
}

interface RunFlags extends CommonFlags {
  readonly withRequired?: boolean;
  readonly portForward?: boolean;
}

interface DeployFlags extends BuildFlags, RunFlags {
  readonly build: boolean;
  readonly buildArtifacts?: string;
}

/** The `slipway` command: 0 done, 1 a service failed, 2 wrong use or config, 3 cluster, registry or engine out of reach. */
export async function slipway(argv: readonly string[], commands: Commands, surroundings: Surroundings): Promise<number> {
  const { stdout, stderr } = surroundings;
  let exitCode: number = 0;
  const program = commandLine(commands, surroundings, (code) => (exitCode = code));
  let complaint = '';
  for (const command of [program, ...program.commands]) {
    command.exitOverride().configureOutput({ writeOut: (text) => stdout.write(text), writeErr: (text) => (complaint += text) });
  }
  try {
    await program.parseAsync(argv, { from: 'user' });
    return exitCode;
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return 0;
    // Without a command it shows what there is; that is an answer, but not what was asked for.
    if (error.code === 'commander.help') {
      stderr.write(complaint);
      return 2;
    }
    const output = openOutput({ ...surroundings, json: argv.includes('--json'), verbosity: 'normal', long: false });
    const used = program.commands.find((each) => each.name() === argv[0]);
    return output.refuse(wrongUse(error, { complaint, help: ['slipway', ...(used ? [used.name()] : []), '--help'].join(' ') }));
  }
}

function commandLine(commands: Commands, surroundings: Surroundings, ends: (exitCode: number) => void): Command {
  const program = new Command('slipway')
    .description('The inner loop of Kubernetes for a monorepo: build, deploy, and keep containers in step with the files.')
    .usage('COMMAND [PROJECT...] [options]')
    .version(ownVersion(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .helpCommand('help [command]', 'show help for a command')
    .showSuggestionAfterError()
    .enablePositionalOptions();

  /** A command with what all of them take. */
  const plain = (name: string, description: string, operands = '[projects...]') => {
    const verbosity = new Option('--verbosity <level>', 'how much is told').choices(['quiet', 'normal', 'debug']).default('normal');
    return program
      .command(`${name} ${operands}`)
      .description(description)
      .option('--json', 'print JSON on stdout, and words for people on stderr')
      .addOption(verbosity);
  };
  /** Of a command that reads what slipway.yaml says. */
  const command = (...named: Parameters<typeof plain>) =>
    plain(...named).option(
      '-p, --profile <names>',
      'active profiles of slipway.yaml, with commas; -NAME: not this one (default: SLIPWAY_PROFILE)',
    );
  const ofCluster = (of: Command) =>
    of
      .option('--context <name>', 'the context of the kubeconfig (default: the current one)')
      // As other tools call it.
      .addOption(new Option('--kube-context <name>').hideHelp())
      .option('--accept-context', 'an allowed context may mean another cluster than before, and means this one from now on')
      .option('--kubeconfig <file>', 'the kubeconfig file (default: KUBECONFIG, ~/.kube/config)')
      .option('-n, --namespace <name>', 'the namespace of objects that name none')
      .option('--default-repo <repository>', 'the registry that images are pushed to (default: SLIPWAY_DEFAULT_REPO)');
  /** Of a command that applies manifests. */
  const ofApplying = (of: Command) =>
    of.option('--force', 'take over fields that others manage, and make anew what cannot be changed in place');
  /** Of a command that deploys and ends. */
  const ofDeploying = (of: Command) =>
    of
      .option('--with-required', 'deploy what the projects require too')
      .option('--port-forward', 'then forward ports until Ctrl+C, which leaves what was deployed')
      .addOption(new Option('--no-port-forward', 'forward none, as without it').hideHelp());
  const ofRemoving = (of: Command) =>
    of
      .option('--keep-volumes', 'leave volume claims, and what is in them')
      .addOption(new Option('--keep-namespaces', 'leave namespaces; it does without being told').hideHelp());
  const ofChanges = (of: Command) =>
    of
      .option('--affected', 'only the projects that what changed reaches')
      .option('--base <ref>', 'what changes are compared with (default: NX_BASE, TURBO_SCM_BASE, defaultBase of nx.json, main)')
      .option('--head <ref>', 'the commit that is compared (default: the files as they are)');
  /** Of a command that moves images. */
  const ofImages = (of: Command) =>
    ofCluster(of)
      .option('--push', 'push images to a registry, whatever the cluster is')
      .option('--no-push', 'do not push images, but load them into the cluster')
      .addOption(
        new Option('--concurrency <number>', 'how many images are built at a time; 0: as many as there are cores').argParser(wholeNumber),
      )
      .option('--no-cache', 'run every step of what is built, whatever is kept of earlier builds');
  /** Runs one of the commands, and prints what it gives. */
  const act = async <Document>(
    flags: CommonFlags,
    projects: readonly string[],
    long: boolean,
    start: (options: CommandOptions, output: Output) => Promise<CommandResult<Document>>,
    printing: Printing<Document>,
  ) => {
    const { logs = false, isProduct = false, sessionLogs, attached = false } = printing;
    const session = sessionLogs === undefined ? {} : { isSession: true, attached, shownLogs: sessionLogs };
    const output = openOutput({
      ...surroundings,
      json: flags.json ?? false,
      verbosity: flags.verbosity,
      long,
      logs,
      isProduct,
      ...session,
    });
    ends(
      await inWorkspace({
        flags,
        projects,
        endless: printing.endless ?? false,
        anywhere: printing.anywhere ?? false,
        output,
        commands,
        surroundings,
        finish: async (options) => output.finish(await start(options, output), printing),
      }),
    );
  };

  ofRemoving(ofApplying(ofImages(command('dev', 'deploy, then keep the running containers in step with the files, until Ctrl+C'))))
    .option('--keep', 'leave what was deployed when it ends')
    .option('--takeover', "work on services that somebody else's dev holds, which ends that for them")
    .option('--attach', 'follow what runs already: sync, logs and ports; build, apply and delete nothing')
    .option('--exit-when-ready', 'end as soon as everything is ready, and leave it running')
    .option('--timeout <duration>', 'fail when it takes longer than this to be ready: 90s, 5m')
    .addOption(new Option('--cleanup [yes]', 'false: the same as --keep').argParser((text) => text !== 'false').hideHelp())
    .addOption(new Option('--no-cleanup', 'the same as --keep').hideHelp())
    .option('--events <file>', 'write every event to a file, as a line of JSON; with --verbosity debug what tools print too')
    .option('--logs <services>', 'show the logs of these services only: api,web')
    .option('--no-logs', "do not show the containers' logs")
    .option('--no-forward', 'do not forward ports')
    .addOption(new Option('--port-forward', 'forward ports; it does without being told').hideHelp())
    .addOption(new Option('--no-port-forward', 'the same as --no-forward').hideHelp())
    .action((projects: string[], flags: DevFlags) => {
      const logs = logsChosen(flags.logs);
      const start = (options: CommandOptions, output: Output) =>
        commands.dev({
          ...options,
          onWishes: output.onWishes,
          takeover: flags.takeover ?? false,
          attach: flags.attach ?? false,
          exitWhenReady: flags.exitWhenReady ?? false,
          ...(flags.timeout !== undefined && { timeout: flags.timeout }),
          keep: flags.keep === true || flags.cleanup === false,
          logs,
          forward: flags.forward && flags.portForward !== false,
          ...(flags.events !== undefined && { events: resolve(surroundings.cwd, flags.events), verbosity: flags.verbosity }),
        });
      return act(flags, projects, true, start, { lines: () => [], endless: true, sessionLogs: logs, attached: flags.attach ?? false });
    });
  ofDeploying(ofApplying(ofImages(command('run', 'build and deploy once')))).action((projects: string[], flags: RunFlags) =>
    act(flags, projects, true, (options) => commands.run({ ...options, ...deployingOf(flags) }), deployPrinting(flags)),
  );
  ofChanges(ofImages(command('build', 'build the images that the registry lacks, and put them there')))
    .addOption(ofArtifacts())
    .option('--dry-run', 'only say what would be built, and why')
    .option('--file-output <file>', 'write which images there are now to a file, as JSON, for deploy --build-artifacts')
    .action((projects: string[], flags: BuildOnlyFlags) => {
      const { dryRun, fileOutput } = flags;
      const own = {
        ...artifactsOf(flags),
        ...(dryRun !== undefined && { dryRun }),
        ...(fileOutput !== undefined && { fileOutput: resolve(surroundings.cwd, fileOutput) }),
      };
      return act(flags, projects, false, (options) => commands.build({ ...options, ...changesOf(flags), ...own }), { lines: buildLines });
    });
  ofDeploying(
    ofApplying(
      ofChanges(ofImages(command('deploy', 'apply the manifests with the images of this state of the files, and wait for the rollout'))),
    ),
  )
    .option('--no-build', 'fail when an image is missing')
    .option('-a, --build-artifacts <file>', 'use the images that build --file-output wrote to a file, and build none')
    .action((projects: string[], flags: DeployFlags) => {
      const { build, buildArtifacts } = flags;
      const own = {
        noBuild: !build,
        ...deployingOf(flags),
        ...(buildArtifacts !== undefined && { buildArtifacts: resolve(surroundings.cwd, buildArtifacts) }),
      };
      return act(flags, projects, true, (options) => commands.deploy({ ...options, ...own, ...changesOf(flags) }), deployPrinting(flags));
    });
  ofRemoving(ofCluster(command('delete', 'remove what was deployed, and wait until it is gone'))).action(
    (projects: string[], flags: CommonFlags) => act(flags, projects, false, commands.delete, { lines: () => [] }),
  );
  ofCluster(command('status', 'what is deployed, and whether it is in step with the files')).action(
    (projects: string[], flags: CommonFlags) =>
      act(flags, projects, false, commands.status, {
        lines: statusLines,
        saysMore: ({ releases, sessions }) => releases.length + sessions.length > 0,
        anywhere: true,
      }),
  );
  addToolCommands({ command, ofCluster, act, commands, cwd: surroundings.cwd, env: surroundings.env, ask: surroundings.ask });
  command('explain', 'what an edit of a file would do', '<files...>').action((files: string[], flags: CommonFlags) =>
    act(
      flags,
      [],
      false,
      (options) => commands.explain({ ...options, projects: [], files: filesIn(options.root, surroundings.cwd, files) }),
      { lines: explainLines, saysMore: ({ files }) => files.length > 0 },
    ),
  );
  command('inputs', 'the files that images are made from in dev, and what an edit of each asks for')
    .addOption(ofArtifacts())
    .action((projects: string[], flags: CommonFlags & ArtifactFlags) =>
      act(flags, projects, false, (options) => commands.inputs({ ...options, ...artifactsOf(flags) }), {
        lines: inputsLines,
        saysMore: (documents) => documents.length > 0,
        json: (documents) => (projects.length === 1 && documents.length === 1 ? documents[0] : documents),
      }),
    );
  command(
    'config',
    'what holds for the projects in dev: settings of slipway.yaml and of active profiles, and what is decided where nothing is said',
  ).action((projects: string[], flags: CommonFlags) =>
    act(flags, projects, false, commands.config, { lines: configLines, saysMore: (document) => document.projects.length > 0 }),
  );
  ofImages(command('doctor', 'look for what is missing on this machine and in the cluster')).action(
    (projects: string[], flags: CommonFlags) => act(flags, projects, false, commands.doctor, { lines: doctorLines, tellsProblems: true }),
  );
  plain('init', 'set the workspace up: tasks, scripts and ignore files; doing it twice changes nothing more', '')
    .option('--dry-run', 'only say what would be written')
    .option('--from <file...>', 'make files of Slipway of a skaffold.yaml or compose.yaml, and tell what has no counterpart')
    .option('--manifests <project...>', 'write a Deployment and a Service for projects that have a Dockerfile and no manifests')
    .addOption(
      new Option(
        '--port <number>',
        'the port of these; 0: none, so no Service and no probes (default: the one that the Dockerfile exposes)',
      ).argParser(wholeNumber),
    )
    .action(async ({ json = false, verbosity, dryRun = false, from = [], manifests = [], port }: InitFlags) => {
      const output = openOutput({ ...surroundings, json, verbosity, long: false });
      const workspace = await commands.findWorkspace(surroundings.cwd, { isBrief: true });
      if (!workspace.ok) return ends(output.refuse(workspace.problem));
      const wanted = manifests.length === 0 ? {} : { manifests: { projects: manifests, ...(port !== undefined && { port }) } };
      const options = { dryRun, json, from: filesIn(workspace.value.root, surroundings.cwd, from), ...wanted };
      ends(output.finish(await commands.init({ ...options, workspace: workspace.value }), { lines: initLines }));
    });
  plain('version', 'print the version', '').action(({ json }: Pick<CommonFlags, 'json'>) => {
    surroundings.stdout.write(json === true ? `${JSON.stringify({ version: ownVersion() })}\n` : `${ownVersion()}\n`);
  });
  return program;
}

function logsChosen(flag: boolean | string | undefined): LogChoice {
  if (typeof flag === 'string') return flag.split(/[\s,]+/).filter((name) => name !== '');
  return flag === false ? [] : 'all';
}

/** Of a command that is about images. */
function ofArtifacts(): Option {
  const option = new Option('--artifact <name>', 'of a project with several images only this one; may be given more than once');
  return option.argParser((name, before: readonly string[] | undefined) => [...(before ?? []), name]);
}

function artifactsOf({ artifact }: ArtifactFlags): { readonly artifacts?: readonly string[] } {
  return artifact === undefined ? {} : { artifacts: artifact };
}

/** A ref that is named says what is wanted. */
function isAffected(flags: CommonFlags | BuildFlags): boolean {
  return 'affected' in flags || 'base' in flags || 'head' in flags;
}

function deployingOf({ withRequired, portForward }: RunFlags): { readonly withRequired?: boolean; readonly portForward?: boolean } {
  return { ...(withRequired === true && { withRequired }), ...(portForward === true && { portForward }) };
}

function deployPrinting({ portForward }: RunFlags): Printing<DeployDocument> {
  return { lines: deployLines, endless: portForward === true };
}

function changesOf(flags: BuildFlags): { readonly affected?: { readonly base?: string; readonly head?: string } } {
  const { base, head } = flags;
  return isAffected(flags) ? { affected: { ...(base !== undefined && { base }), ...(head !== undefined && { head }) } } : {};
}

interface InWorkspace {
  readonly flags: CommonFlags | BuildFlags;
  readonly projects: readonly string[];
  /** It ends only when it is interrupted. */
  readonly endless: boolean;
  readonly anywhere: boolean | string;
  readonly output: Output;
  readonly commands: Commands;
  readonly surroundings: Surroundings;
  readonly finish: (options: CommandOptions) => Promise<0 | ExitCode>;
}

/** What a graph needs has been started by then. */
const graphBeginsMs = 30;

async function inWorkspace({
  flags,
  projects,
  endless,
  anywhere,
  output,
  commands,
  surroundings,
  finish,
}: InWorkspace): Promise<0 | ExitCode> {
  const { cwd, env, leave, signals, onUnread } = surroundings;
  const around = await commands.findWorkspace(cwd, { isBrief: !endless });
  const workspace = around.ok || anywhere !== true ? around : succeeded(noWorkspace(cwd));
  if (!workspace.ok) return output.refuse({ ...workspace.problem, ...(typeof anywhere === 'string' && { hint: anywhere }) });
  const { breakLine, say, report } = output;
  // Nx makes its graph in processes of its own, once they are started: this one would be idle.
  const gettingReady = setTimeout(commands.getReady, graphBeginsMs);
  // What is affected is asked of the whole workspace, wherever in it.
  const chosen =
    isAffected(flags) && projects.length === 0
      ? allProjects(workspace.value, (notice) => report({ kind: 'notice', ...notice }))
      : await chosenProjects({
          named: projects,
          graph: workspace.value,
          cwd,
          env,
          deployable: (graph) => commands.deployable(graph, env),
        });
  clearTimeout(gettingReady);
  for (const notice of chosen.notices) report({ kind: 'notice', ...notice });
  const interruption = new Interruption({ now: () => performance.now(), sameInterruptMs: 300, breakLine, say, leave });
  const stopListening = interruption.listenTo(signals);
  // What ends by itself does its work to the end, whoever reads of it; dev would go on for ever.
  if (endless) onUnread(interruption.abandon);
  try {
    return await finish({
      root: workspace.value.root,
      graph: chosen.graph,
      projects: chosen.projects,
      ...(flags.kubeconfig === undefined ? {} : { kubeconfig: resolve(cwd, flags.kubeconfig) }),
      ...((flags.context ?? flags.kubeContext) === undefined ? {} : { context: flags.context ?? flags.kubeContext }),
      ...(flags.acceptContext === true && { acceptContext: true }),
      ...(flags.force === true && { force: true }),
      ...(flags.keepVolumes === true && { keepVolumes: true }),
      ...(flags.namespace === undefined ? {} : { namespace: flags.namespace }),
      ...(flags.defaultRepo === undefined ? {} : { defaultRepo: flags.defaultRepo }),
      ...(flags.profile !== undefined && { profiles: flags.profile }),
      ...(flags.push === undefined ? {} : { push: flags.push }),
      ...(flags.concurrency === undefined ? {} : { concurrency: flags.concurrency }),
      ...(flags.cache === false && { noCache: true }),
      env,
      report(event) {
        interruption.report(event);
        report(event);
      },
      signal: interruption.signal,
    });
  } finally {
    stopListening();
  }
}

/** Paths as the workspace writes them; one outside of it stays as it is, and is explained as that. */
function filesIn(root: string, cwd: string, files: readonly string[]): readonly string[] {
  return files.map((file) => relative(root, resolve(cwd, file)).split(sep).join('/'));
}

/** Options that some commands have, and people look for at others. */
const elsewhere: Readonly<Record<string, string>> = {
  '--artifact': 'build and inputs take it; what a project deploys belongs together, and of its images only the missing ones are built',
};

/** `error: unknown option '--jsn'\n(Did you mean --json?)` as a problem. */
function wrongUse(error: CommanderError, { complaint, help }: { readonly complaint: string; readonly help: string }): Problem {
  const [first = messageOf(error), ...rest] = complaint.trim().split('\n');
  const suggestion = /^\((.*?)\)$/.exec(rest.join(' ').trim())?.[1];
  const [, option = ''] = /unknown option '([^'=]+)/.exec(first) ?? [];
  return {
    code: error.code.replace(/^commander\./, ''),
    message: first
      .replace(/^error: /, '')
      .replace(/\. Allowed choices are /, ', allowed are ')
      .replace(/\.$/, ''),
    hint: elsewhere[option] ?? suggestion?.replace(/\?$/, '').replace(/^Did you mean /, 'perhaps you meant ') ?? `see \`${help}\``,
    retry: 'never',
    exitCode: 2,
  };
}

function ownVersion(): string {
  const { version } = JSON.parse(readFileSync(join(__dirname, '../../package.json'), 'utf8')) as { readonly version: string };
  return version;
}
