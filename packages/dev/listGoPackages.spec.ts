import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readdirSync, realpathSync, rmSync, symlinkSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { processes, type Processes } from '../clients';
import type { Listing } from '../graph';
import type { Result } from '../model';
import { fakeProcesses } from '../testkit/fakeProcesses';
import { listDependencies } from './listDependencies';

const location = { file: 'apps/api/slipway.yaml', line: 4 };
let root: string;

beforeEach(() => {
  root = mkdtempSync(join(realpathSync(tmpdir()), 'slipway-go-'));
  write('go.work', 'go 1.21\n\nuse ./apps/api\nuse ./libs/go\n');
  write('apps/api/go.mod', 'module x.org/api\n\ngo 1.21\n');
  write('libs/go/go.mod', 'module x.org/lib\n\ngo 1.21\n');
  write('apps/api/cmd/api/main.go', 'package main\n\nimport "x.org/lib/greet"\n\nfunc main() { println(greet.Hello) }\n');
  write('libs/go/greet/greet.go', 'package greet\n\nimport _ "embed"\n\n//go:embed texts/*.txt\nvar Hello string\n');
  write('libs/go/greet/texts/hello.txt', 'hello');
  write('libs/go/unused/unused.go', 'package unused\n');
});

afterEach(() => {
  rmSync(root, { recursive: true, force: true });
});

function write(path: string, text: string): void {
  mkdirSync(dirname(join(root, path)), { recursive: true });
  writeFileSync(join(root, path), text);
}

/** As if all was written long ago. */
function age(): void {
  for (const path of readdirSync(root, { recursive: true, encoding: 'utf8' })) {
    if (/\.(go|mod|work)$/.test(path)) utimesSync(join(root, path), 1_700_000_000, 1_700_000_000);
  }
}

async function listed(packages: readonly string[], at = root, tools: Processes = processes): Promise<Result<Listing> | undefined> {
  const asks = { kind: 'go', packages, env: { GOOS: 'linux', CGO_ENABLED: '1' } } as const;
  const env = { GOFLAGS: '', GOWORK: '', GOPROXY: 'off' };
  const question = { project: 'api', artifact: 'api', folder: 'apps/api', asks, location };
  return (await listDependencies([question], { root: at, env, processes: tools })).get('api');
}

const program = { name: 'x.org/api/cmd/api', folder: 'apps/api/cmd/api', embeds: [] };
const library = { name: 'x.org/lib/greet', folder: 'libs/go/greet', embeds: ['texts/*.txt'] };
const modules = ['apps/api', 'libs/go'];

// What Go says is not imitated: without Go nothing of this can go wrong. Where everything is to be tested, its absence is a failure.
const withGo = process.env['CI'] !== undefined || spawnSync('go', ['version']).status === 0 ? describe : describe.skip;

withGo('what Go says a build reads', () => {
  it('is the package and those of the workspace that it imports, by whatever path the workspace is reached', async () => {
    const all = { ok: true, value: { kind: 'go', packages: [library, program], modules } };
    expect(await listed(['./cmd/api'])).toEqual(all);
    symlinkSync(root, `${root}-link`);
    try {
      expect(await listed(['./cmd/api'], `${root}-link`)).toEqual(all);
    } finally {
      rmSync(`${root}-link`);
    }
  });

  it.each([
    ['what is written at this moment', 'pack', [program], ['apps/api']],
    ['a program for another platform', '//go:build windows\n\npackage main\n\nfunc main() {}\n', [program], ['apps/api']],
    [
      'packages that are not there yet, of modules that nothing was imported from before',
      'package main\n\nimport (\n\t"x.org/api/new"\n\t"x.org/lib/soon"\n\t"x.org/elsewhere"\n)\n\nfunc main() { println(new.X, soon.Y) }\n',
      [
        { name: 'x.org/api/new', folder: 'apps/api/new', embeds: [] },
        { name: 'x.org/lib/soon', folder: 'libs/go/soon', embeds: [] },
        program,
      ],
      modules,
    ],
  ])('can be said of %s', async (_, main, packages, their) => {
    write('apps/api/cmd/api/main.go', main);
    expect(await listed(['./cmd/api'])).toEqual({
      ok: true,
      value: { kind: 'go', packages: expect.arrayContaining(packages) as unknown, modules: their },
    });
  });

  it('has a module that another one replaces by a folder', async () => {
    rmSync(join(root, 'go.work'));
    write('apps/api/go.mod', 'module x.org/api\n\ngo 1.21\n\nrequire x.org/lib v0.0.0\n\nreplace x.org/lib => ../../libs/go\n');
    expect(await listed(['./cmd/api'])).toEqual({ ok: true, value: { kind: 'go', packages: [library, program], modules } });
  });

  it.each([
    [
      'a package that is not there',
      ['./cmd/apx'],
      /^api: go list finds no package \.\/cmd\/apx: stat apps\/api\/cmd\/apx: directory not found$/,
    ],
    ['a name without ./', ['cmd/apx'], /finds no package cmd\/apx: package cmd\/apx is not in std/],
    ['a package of Go itself', ['fmt'], /names fmt, which is outside of the workspace$/],
    ['a folder without packages', ['./none/...'], /finds no package/],
    ['what looks like a flag', ['-x'], /finds no package -x|malformed/],
  ])('is not known of %s, which is told with its place', async (_, packages, message) => {
    expect(await listed(['./cmd/api', ...packages])).toMatchObject({
      ok: false,
      problem: {
        code: 'dependenciesNotListed',
        message: expect.stringMatching(message) as string,
        hint: 'write it as `go build` takes it in apps/api: ./cmd/api',
        project: 'api',
        location,
      },
    });
  });

  it('is asked again when what it was said from is another file, and not before', async () => {
    let asked = 0;
    const counting: Processes = {
      run: (request) => {
        asked += 1;
        return processes.run(request);
      },
    };
    const ask = async (): Promise<readonly [number, unknown]> => {
      const before = asked;
      const answer = await listed(['./cmd/api'], root, counting);
      return [asked - before, answer?.ok && answer.value.kind === 'go' && answer.value.packages.map(({ folder }) => folder)];
    };
    const both = ['libs/go/greet', 'apps/api/cmd/api'];
    // Files so young may change once more unseen.
    expect(await ask()).toEqual([1, both]);
    age();
    expect(await ask()).toEqual([1, both]);
    expect(await ask()).toEqual([0, both]);
    write('libs/go/greet/texts/other.txt', 'other');
    write('libs/go/unused/unused.go', 'package unused\n\nconst X = 1\n');
    expect(await ask()).toEqual([0, both]);
    write('libs/go/greet/more.go', 'package greet\n\nimport _ "x.org/lib/unused"\n');
    expect(await ask()).toEqual([1, ['libs/go/unused', ...both]]);
    age();
    await ask();
    rmSync(join(root, 'libs/go/greet/more.go'));
    expect(await ask()).toEqual([1, both]);
    write('apps/api/cmd/api/main.go', 'package main\n\nimport "x.org/lib/soon"\n\nfunc main() { println(soon.X) }\n');
    age();
    const soon = ['libs/go/soon', 'apps/api/cmd/api'];
    expect(await ask()).toEqual([2, soon]);
    expect(await ask()).toEqual([0, soon]);
    write('libs/go/soon/soon.go', 'package soon\n\nconst X = 1\n');
    expect(await ask()).toEqual([1, soon]);
    write('go.work', 'go 1.21\n\nuse ./apps/api\n');
    expect((await ask())[0]).toBeGreaterThan(0);
  });

  it('is not known while a go.mod cannot be read: Go’s own words are shown', async () => {
    write('libs/go/go.mod', 'module x.org/lib\n\nnonsense\n');
    expect(await listed(['./cmd/api'])).toMatchObject({
      ok: false,
      problem: {
        message: 'api: go list ended with exit code 1',
        detail: expect.stringContaining('go.mod:3: unknown directive: nonsense') as string,
        hint: 'run it by hand: go list -deps ./cmd/api',
      },
    });
  });
});

it('needs Go: without it is told what to do', async () => {
  expect(
    await listed(
      ['./cmd/api'],
      root,
      fakeProcesses(() => undefined),
    ),
  ).toMatchObject({
    ok: false,
    problem: {
      message: 'api: go list cannot be asked: go is not installed, or not on PATH',
      hint: 'install Go (https://go.dev/dl), or name what the build reads in dependencies.paths',
      location,
    },
  });
});
