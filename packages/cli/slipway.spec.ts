import { EventEmitter } from 'node:events';
import { rootSchema } from '../config';
import type { CommandOptions, CommandResult, DevOptions } from '../dev';
import type { GraphProject, GraphSource } from '../graph';
import { failed, succeeded, type Problem } from '../model';
import type { Commands } from './commands';
import { slipway } from './slipway';

class Written {
  text = '';
  write(text: string): void {
    this.text += text;
  }
}

const problem: Problem = {
  code: 'clusterUnreachable',
  message: 'the cluster does not answer',
  hint: 'Start it',
  retry: 'afterDelay',
  exitCode: 3,
};

/** A workspace with a project in apps/worker, and commands that keep what they were asked. */
function workspace(over: Partial<Commands> = {}) {
  const asked: { command: string; options: CommandOptions }[] = [];
  const project = (name: string, root: string): GraphProject => ({ name, root, dependencies: [], targets: new Map() });
  let reads = 0;
  const graph: GraphSource = {
    kind: 'workspaces',
    root: '/shop',
    watch: [],
    read: () => {
      reads++;
      return Promise.resolve(succeeded({ projects: [project('shop', ''), project('worker', 'apps/worker')] }));
    },
    runTarget: () => ({ command: 'npm', args: [] }),
  };
  const keep =
    <Document>(command: string, document: Document) =>
    (options: CommandOptions): Promise<CommandResult<Document>> => {
      asked.push({ command, options });
      return Promise.resolve({ exitCode: 0, problems: [], document });
    };
  const commands: Commands = {
    dev: keep('dev', { stopped: 'interrupted' }),
    build: keep('build', { images: [] }),
    deploy: keep('deploy', { images: [], releases: [] }),
    run: keep('run', { images: [], releases: [] }),
    delete: keep('delete', { releases: [] }),
    status: keep('status', { containers: [], releases: [], sessions: [] }),
    explain: keep('explain', { files: [] }),
    inputs: keep('inputs', []),
    config: keep('config', { workspace: [], projects: [] }),
    sync: keep('sync', { containers: [], files: 0, removed: 0 }),
    stopSync: keep('stopSync', { stopped: [] }),
    logs: keep('logs', { containers: 1, lines: 1 }),
    render: keep('render', { releases: [], images: [], text: '---\nkind: Service\n' }),
    prune: keep('prune', { dryRun: false, releases: [] }),
    doctor: keep('doctor', { checks: [{ name: 'engine', ok: true, message: 'Docker 28 answers' }] }),
    init: () =>
      Promise.resolve({
        exitCode: 0,
        problems: [],
        document: { kind: 'workspaces', root: '/shop', dryRun: false, changes: [], notes: [], survey: [] },
      }),
    getReady: () => undefined,
    deployable: () => Promise.resolve(new Set()),
    findWorkspace: () => Promise.resolve(succeeded(graph)),
    ...over,
  };
  const stdout = new Written();
  const stderr = new Written();
  const signals = new EventEmitter();
  let unread: () => void = () => undefined;
  const left: number[] = [];
  const run = (
    argv: string,
    { cwd = '/shop', env = {}, ask }: { cwd?: string; env?: Record<string, string>; ask?: (question: string) => Promise<string> } = {},
  ) =>
    slipway(argv === '' ? [] : argv.split(' '), commands, {
      cwd,
      env,
      stdout,
      stderr,
      signals,
      ...(ask ? { ask } : {}),
      onUnread: (listener) => (unread = listener),
      leave: (exitCode) => left.push(exitCode),
    });
  return { run, asked, stdout, stderr, left, graph, reads: () => reads, interrupt: () => signals.emit('SIGINT'), unread: () => unread() };
}

describe('slipway', () => {
  it.each([
    ['build --affected', {}],
    ['deploy --affected', {}],
    ['deploy --affected --base main', { base: 'main' }],
    ['deploy --base HEAD~1 --head HEAD', { base: 'HEAD~1', head: 'HEAD' }],
  ])('%s is for what changed in the whole workspace', async (argv, affected) => {
    const { run, asked } = workspace();
    expect(await run(argv, { cwd: '/shop/apps/worker' })).toBe(0);
    expect(asked[0]?.options).toMatchObject({ projects: [], affected });
  });

  it('deploy is for everything when nothing is said of changes', async () => {
    const { run, asked } = workspace();
    await run('deploy');
    expect(asked[0]?.options).not.toHaveProperty('affected');
  });

  it.each(['dev', 'run', 'build', 'deploy', 'delete', 'status', 'logs', 'render', 'inputs', 'config', 'doctor'])(
    '%s is given the projects that are named',
    async (command) => {
      const { run, asked } = workspace();
      expect(await run(`${command} worker web`)).toBe(0);
      expect(asked.map((one) => [one.command, one.options.projects])).toEqual([[command, ['worker', 'web']]]);
    },
  );

  it('takes the project whose folder it stands in, and reads the graph once for it and the command', async () => {
    const { run, asked, reads } = workspace();
    await run('build', { cwd: '/shop/apps/worker/src' });
    expect(asked[0]?.options.projects).toEqual(['worker']);
    await asked[0]?.options.graph.read();
    expect(reads()).toBe(1);
    await asked[0]?.options.graph.read();
    expect(reads()).toBe(2);
  });

  it.each([
    ['/shop', 'at the root'],
    ['/shop/libs', 'in a folder of no project'],
  ])('takes all projects in %s, %s', async (cwd) => {
    const { run, asked } = workspace();
    await run('build', { cwd });
    expect(asked[0]?.options.projects).toEqual([]);
  });

  it('has each command that reads slipway.yaml in one of the modes that profiles are active by', async () => {
    const help = async (argv: string): Promise<string> => {
      const { run, stdout } = workspace();
      await run(argv);
      return stdout.text;
    };
    const reading: string[] = [];
    for (const [, name = ''] of (await help('--help')).matchAll(/^ {2}(\w+) \[options\]/gm))
      if ((await help(`${name} --help`)).includes('--profile')) reading.push(name);
    const { mode } = rootSchema.properties.profiles.additionalProperties.properties.activation.items.properties;
    const said = [...mode.description.matchAll(/\(([^)]*)\)/g)].flatMap(([, commands = '']) => commands.split(/, | and /));
    expect(said.sort()).toEqual(reading.sort());
  });

  it('passes on what was said of cluster and registry, with paths as they are from here', async () => {
    const { run, asked } = workspace();
    await run('deploy worker --context kind-a --kubeconfig ../k.yaml --namespace shop --default-repo r.example/t --no-build', {
      cwd: '/shop/apps',
    });
    expect(asked[0]?.options).toMatchObject({
      root: '/shop',
      context: 'kind-a',
      kubeconfig: '/shop/k.yaml',
      namespace: 'shop',
      defaultRepo: 'r.example/t',
      noBuild: true,
    });
  });

  it.each(['dev', 'run', 'build', 'deploy', 'delete', 'status', 'sync', 'logs', 'render', 'prune', 'doctor'])(
    '%s has --accept-context, which the guard hints at',
    async (command) => {
      const { run, asked } = workspace();
      expect(await run(`${command} --accept-context`)).toBe(0);
      expect(await run(command)).toBe(0);
      expect(asked.map(({ options }) => options.acceptContext)).toEqual([true, undefined]);
    },
  );

  it('says of pushing only what a flag says', async () => {
    const { run, asked } = workspace();
    await run('build --default-repo r.example/flag --no-push', { env: { SLIPWAY_DEFAULT_REPO: 'r.example/env' } });
    await run('deploy --push');
    await run('build', { env: { SLIPWAY_DEFAULT_REPO: 'r.example/env' } });
    expect(asked.map(({ options }) => [options.defaultRepo, options.push])).toEqual([
      ['r.example/flag', false],
      [undefined, true],
      [undefined, undefined],
    ]);
  });

  it('understands what a build leaves for a deployment, with paths as they are from here', async () => {
    const { run, asked } = workspace();
    await run('build --dry-run --file-output ../images.json', { cwd: '/shop/apps' });
    await run('deploy -a images.json', { cwd: '/shop/apps' });
    expect(asked[0]?.options).toMatchObject({ dryRun: true, fileOutput: '/shop/images.json' });
    expect(asked[1]?.options).toMatchObject({ buildArtifacts: '/shop/apps/images.json', noBuild: false });
  });

  it('understands what dev can leave out', async () => {
    const { run, asked } = workspace();
    await run('dev --keep --no-logs --no-forward --events out/events.jsonl --verbosity debug');
    await run('dev');
    const [full, bare] = asked.map(({ options }) => options as DevOptions);
    expect(full).toMatchObject({ keep: true, logs: [], forward: false, events: '/shop/out/events.jsonl', verbosity: 'debug' });
    expect(bare).toMatchObject({ keep: false, logs: 'all', forward: true });
    expect(bare).not.toHaveProperty('events');
  });

  it.each<[line: string, understood: object]>([
    ['dev --no-port-forward', { forward: false }],
    ['dev --port-forward', { forward: true }],
    ['dev --no-cleanup', { keep: true }],
    ['dev --cleanup=false', { keep: true }],
    ['dev --cleanup', { keep: false }],
    ['dev --keep-namespaces', { keep: false }],
    ['dev --keep-volumes', { keep: false, keepVolumes: true }],
    ['run --port-forward', { portForward: true }],
    ['deploy worker --port-forward', { portForward: true, projects: ['worker'] }],
    ['delete --keep-namespaces --keep-volumes', { keepVolumes: true }],
  ])('understands %s', async (line, understood) => {
    const { run, asked } = workspace();
    expect(await run(line)).toBe(0);
    expect(asked[0]?.options).toMatchObject(understood);
  });

  it.each(['run', 'deploy', 'run --no-port-forward', 'deploy --no-port-forward'])('%s forwards nothing', async (line) => {
    const { run, asked } = workspace();
    expect(await run(line)).toBe(0);
    expect(asked[0]?.options).not.toHaveProperty('portForward');
  });

  it('understands which logs are wanted', async () => {
    const { run, asked } = workspace();
    await run('logs worker -f --since 10m --tail 5 --container app');
    expect(asked[0]?.options).toMatchObject({ follow: true, since: '10m', tail: 5, container: 'app' });
    expect(await run('logs --tail many')).toBe(2);
  });

  it('prints rendered manifests alone, with nothing beside them, and quietly too', async () => {
    const render: Commands['render'] = ({ report }) => {
      report({ kind: 'notice', message: 'something for people' });
      return Promise.resolve({ exitCode: 0, problems: [], document: { releases: [], images: [], text: '---\nkind: Service\n' } });
    };
    const { run, stdout, stderr } = workspace({ render });
    expect(await run('render --verbosity quiet')).toBe(0);
    expect(stdout.text).toBe('---\nkind: Service\n');
    expect(stderr.text).toContain('something for people');
  });

  it('deploy tells addresses as soon as there are some, as no word of being ready comes', async () => {
    const deploy: Commands['deploy'] = ({ report }) => {
      report({ kind: 'forwarded', release: 'web', resource: 'service/web', port: 80, localPort: 8080, url: 'http://localhost:8080' });
      return Promise.resolve({ exitCode: 0, problems: [], document: { images: [], releases: [] } });
    };
    const { run, stdout } = workspace({ deploy });
    await run('deploy --port-forward');
    expect(stdout.text).toContain('http://localhost:8080 → service/web:80');
  });

  it('renders into a file as it is named from here, and to standard output as -', async () => {
    const { run, asked } = workspace();
    await run('render --output out.yaml --offline', { cwd: '/shop/apps' });
    await run('render --output -');
    expect(asked[0]?.options).toMatchObject({ output: '/shop/apps/out.yaml', offline: true });
    expect(asked[1]?.options).not.toHaveProperty('output');
  });

  it('asks before it prunes where somebody can answer, and not with --yes or --json', async () => {
    const left = [{ release: 'old', namespaces: ['shop'], objects: ['service/old'], removed: false }];
    const answers: (boolean | undefined)[] = [];
    const prune: Commands['prune'] = async ({ confirm, dryRun }) => {
      answers.push(await confirm?.(left));
      return { exitCode: 0, problems: [], document: { dryRun: dryRun === true, releases: left } };
    };
    const questions: string[] = [];
    const { run } = workspace({ prune });
    const ask = (answer: string) => (question: string) => {
      questions.push(question);
      return Promise.resolve(answer);
    };
    await run('prune', { ask: ask('y') });
    await run('prune', { ask: ask('') });
    await run('prune --yes', { ask: ask('y') });
    await run('prune --json', { ask: ask('y') });
    await run('prune');
    expect(answers).toEqual([true, false, undefined, undefined, undefined]);
    expect(questions[0]).toBe('  old  in shop  service/old\nremove it? [y/N] ');
  });

  it('explains files by their path in the workspace', async () => {
    const { run, asked } = workspace();
    await run('explain src/server.js ../../libs/money/index.js', { cwd: '/shop/apps/worker' });
    expect(asked[0]?.options).toMatchObject({ files: ['apps/worker/src/server.js', 'libs/money/index.js'], projects: [] });
  });

  it.each([
    ['deploy api --artifact migrate', 'unknownOption', 'build and inputs take it'],
    ['logs --artifact=migrate', 'unknownOption', 'build and inputs take it'],
    ['status --jsn', 'unknownOption', 'perhaps you meant --json'],
    ['statsu', 'unknownCommand', 'perhaps you meant status'],
    ['explain', 'missingArgument', 'see `slipway explain --help`'],
    ['build --verbosity loud', 'invalidArgument', 'see `slipway build --help`'],
    ['sync api --selector app=web', 'conflictingOption', 'the project api is named too'],
  ])('refuses %s with 2, and says what it may have been', async (argv, code, hint) => {
    const { run, stderr, stdout, asked } = workspace();
    expect(await run(argv)).toBe(2);
    expect(stderr.text).toContain(`[${code}]`);
    expect(stderr.text).toContain(hint);
    expect(stdout.text).toBe('');
    expect(asked).toEqual([]);
  });

  it('tells wrong use as JSON too', async () => {
    const { run, stdout } = workspace();
    expect(await run('statsu --json')).toBe(2);
    expect(JSON.parse(stdout.text)).toMatchObject({ problems: [{ code: 'unknownCommand', exitCode: 2 }] });
  });

  it('shows what there is when nothing is asked for', async () => {
    const { run, stderr, stdout } = workspace();
    expect(await run('')).toBe(2);
    expect(stderr.text).toContain('doctor');
    expect(await run('--help')).toBe(0);
    expect(stdout.text).toContain('doctor');
  });

  it('prints its version', async () => {
    const { run, stdout } = workspace();
    expect(await run('version --json')).toBe(0);
    expect(JSON.parse(stdout.text)).toEqual({ version: expect.stringMatching(/^\d+\.\d+\.\d+/) as unknown });
  });

  it('takes at version what every command takes, and no project', async () => {
    const { run, stdout } = workspace();
    expect(await run('version --verbosity quiet')).toBe(0);
    expect(stdout.text).toMatch(/^\d+\.\d+\.\d+\S*\n$/);
    expect(await run('version worker')).toBe(2);
  });

  it('says so where there is no workspace', async () => {
    const { run, stderr } = workspace({
      findWorkspace: () => Promise.resolve(failed({ ...problem, code: 'workspaceNotFound', exitCode: 2 })),
    });
    expect(await run('build')).toBe(2);
    expect(stderr.text).toContain('[workspaceNotFound]');
    expect(stderr.text).not.toContain('--selector');
    expect(await run('sync')).toBe(2);
    expect(stderr.text).toContain('--selector app=web --remote-path /app');
  });
});

describe('what slipway prints', () => {
  const lost = (document: unknown) => () =>
    Promise.resolve({ exitCode: problem.exitCode, problems: [problem], document: document as never });

  it('is for people without --json', async () => {
    const { run, stdout, stderr } = workspace();
    await run('doctor');
    expect(stdout.text).toBe('ok      engine  Docker 28 answers\n');
    expect(stderr.text).toBe('');
  });

  it('is one document on stdout with --json', async () => {
    const { run, stdout, stderr } = workspace();
    await run('doctor --json');
    expect(JSON.parse(stdout.text)).toEqual({ checks: [{ name: 'engine', ok: true, message: 'Docker 28 answers' }] });
    expect(stderr.text).toBe('');
  });

  it('has the problems in the document, tells them on stderr, and ends with their exit code', async () => {
    const { run, stdout, stderr } = workspace({ status: lost({ containers: [], releases: [] }), inputs: lost([]) });
    expect(await run('status --json')).toBe(3);
    expect(JSON.parse(stdout.text)).toMatchObject({ containers: [], problems: [{ code: 'clusterUnreachable' }] });
    expect(stderr.text).toBe('failed: the cluster does not answer [clusterUnreachable]\n→ Start it\n');
    stdout.text = '';
    expect(await run('inputs --json')).toBe(3);
    expect(JSON.parse(stdout.text)).toMatchObject({ problems: [{ code: 'clusterUnreachable' }] });
  });

  it('is what could be found out, besides the problems', async () => {
    const check = { name: 'cluster', ok: false, message: problem.message, hint: 'Start it' };
    const { run, stdout, stderr } = workspace({
      explain: lost({ files: [{ path: 'README.md', projects: [], artifacts: [] }] }),
      doctor: lost({ checks: [check] }),
    });
    expect(await run('explain README.md')).toBe(3);
    expect(stdout.text).toContain('README.md');
    expect(stderr.text).toContain('[clusterUnreachable]');
    stdout.text = stderr.text = '';
    // The doctor's list has the problem in its place already.
    expect(await run('doctor')).toBe(3);
    expect(stdout.text).toBe('failed  cluster  the cluster does not answer\n                 → Start it\n');
    expect(stderr.text).toBe('');
  });

  it('is the one object for one project that was asked about', async () => {
    const place = { dockerfile: 'apps/worker/Dockerfile', context: '', contextBytes: 0 };
    const document = { project: 'worker', artifact: 'worker', image: 'worker', ...place, files: [] };
    const { run, stdout } = workspace({ inputs: () => Promise.resolve({ exitCode: 0, problems: [], document: [document] }) });
    await run('inputs worker --json');
    expect(JSON.parse(stdout.text)).toEqual(document);
    stdout.text = '';
    await run('inputs --json');
    expect(JSON.parse(stdout.text)).toEqual([document]);
  });

  it('is a line for each event of what runs long, and a last one with how it ended', async () => {
    const { run, stdout, stderr } = workspace({
      deploy: (options) => {
        options.report({ kind: 'failed', subject: 'worker', code: problem.code, message: problem.message, problem });
        return lost({ images: [], releases: [] })();
      },
    });
    expect(await run('deploy --json')).toBe(3);
    const lines = stdout.text
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line) as Record<string, unknown>);
    expect(lines).toMatchObject([
      { v: 1, kind: 'failed', subject: 'worker' },
      { v: 1, kind: 'ended', exitCode: 3, document: { images: [] }, problems: [{ code: 'clusterUnreachable' }] },
    ]);
    // Told by the event already.
    expect(stderr.text.match(/does not answer/g)).toHaveLength(1);
  });
});

describe('Ctrl+C', () => {
  it('asks the command to clean up and end', async () => {
    const { run, interrupt, left } = workspace({
      dev: (options) =>
        new Promise((resolve) => {
          options.signal.addEventListener('abort', () => resolve({ exitCode: 0, problems: [], document: {} }));
          interrupt();
        }),
    });
    expect(await run('dev')).toBe(0);
    interrupt();
    expect(left).toEqual([]);
  });

  it('is not needed when nobody reads what dev says; what ends by itself goes on', async () => {
    const waitForEnd = (options: CommandOptions) =>
      new Promise<CommandResult<never>>((resolve) => {
        const end = (exitCode: 0 | 1) => resolve({ exitCode, problems: [], document: { images: [], releases: [] } as never });
        options.signal.addEventListener('abort', () => end(0));
        unread();
        if (!options.signal.aborted) end(1);
      });
    const { run, unread } = workspace({ dev: waitForEnd, deploy: waitForEnd });
    expect([await run('deploy'), await run('dev')]).toEqual([1, 0]);
  });
});
