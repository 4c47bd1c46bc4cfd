import { inputsOf, readDockerfile, readIgnore, type DockerfileOptions, type PathKind } from '.';
import { posix } from 'node:path';

const context = [
  'package.json',
  'package-lock.json',
  'app.js',
  'noext',
  'conf',
  'site.tar.gz',
  'dir/a.js',
  'dir/sub/b.js',
  'lib/one/package.json',
  'lib/two/package.json',
];

function kindIn(files: readonly string[]): (path: string) => PathKind | undefined {
  return (path) => (files.includes(path) ? 'file' : path === '' || files.some((file) => file.startsWith(`${path}/`)) ? 'dir' : undefined);
}

const options: DockerfileOptions = {
  file: 'Dockerfile',
  args: {},
  kindOf: kindIn(context),
  namesIn(directory) {
    const prefix = directory === '' ? '' : `${directory}/`;
    return [...new Set(context.filter((file) => file.startsWith(prefix)).map((file) => file.slice(prefix.length).split('/')[0] ?? ''))];
  },
};

function read(text: string, more: Partial<DockerfileOptions> & { readonly ignore?: string } = {}) {
  const { ignore, ...rest } = more;
  const { facts, problems } = readDockerfile(text, { ...options, ...rest });
  if (!facts) throw new Error(problems.map((problem) => problem.message).join('\n'));
  return {
    facts,
    inputs: inputsOf(facts, { file: 'Dockerfile', context: '', ignore: ignore === undefined ? undefined : readIgnore(ignore).matcher }),
  };
}

/** Each file of the context by what a change of it does: `sync /where/it/lands`, `rebuild why`. */
function effects(text: string, more: Parameters<typeof read>[1] = {}): Record<string, string[]> {
  const found: Record<string, string[]> = {};
  for (const input of read(text, more).inputs) {
    for (const file of context) {
      const rest =
        input.path === ''
          ? file
          : file === input.path
            ? ''
            : file.startsWith(`${input.path}/`)
              ? file.slice(input.path.length + 1)
              : undefined;
      if (rest === undefined || input.accepts?.(file, 'file') === false) continue;
      const because = input.because.replace(/ \(Dockerfile:\d+\)$/, '');
      const effect = input.onChange === 'sync' ? `sync ${posix.join(input.containerPath ?? '', rest)}` : `rebuild: ${because}`;
      (found[file] ??= []).push(effect);
    }
  }
  return found;
}

describe('where files of the context land', () => {
  const table: readonly (readonly [string, string, Record<string, string[]>])[] = [
    ['a directory: its content', 'FROM scratch\nCOPY dir /x', { 'dir/a.js': ['sync /x/a.js'], 'dir/sub/b.js': ['sync /x/sub/b.js'] }],
    ['a file in a destination with a final slash', 'FROM scratch\nCOPY app.js /x/', { 'app.js': ['sync /x/app.js'] }],
    ['a file under another name', 'FROM scratch\nCOPY app.js /x/main.js', { 'app.js': ['sync /x/main.js'] }],
    [
      'a file under another name, in a directory of the base image',
      'FROM a\nCOPY conf /etc/nginx/conf.d/default.conf',
      { conf: ['sync /etc/nginx/conf.d/default.conf'] },
    ],
    ['a file of another name: /app/.env', 'FROM a\nCOPY conf /app/.env', { conf: ['sync /app/.env'] }],
    ['a file of another name: /app/policy.rego', 'FROM a\nCOPY conf /app/policy.rego', { conf: ['sync /app/policy.rego'] }],
    ['a file of another name: /lib/libx.so.1', 'FROM a\nCOPY conf /lib/libx.so.1', { conf: ['sync /lib/libx.so.1'] }],
    ['a file called like a directory', 'FROM a\nCOPY noext /opt/1.2/noext', { noext: ['sync /opt/1.2/noext'] }],
    ['a file in a directory that WORKDIR made', 'FROM a\nWORKDIR /x/y\nCOPY app.js /x', { 'app.js': ['sync /x/app.js'] }],
    [
      'a file in a directory that was copied',
      'FROM a\nCOPY dir /x\nCOPY conf /x/sub',
      { conf: ['sync /x/sub/conf'], 'dir/a.js': ['sync /x/a.js'], 'dir/sub/b.js': ['sync /x/sub/b.js'] },
    ],
    ['below WORKDIRs that follow one another', 'FROM a\nWORKDIR /x\nWORKDIR y\nCOPY app.js .', { 'app.js': ['sync /x/y/app.js'] }],
    ['below the WORKDIR of an earlier stage', 'FROM a AS one\nWORKDIR /x\nFROM one\nCOPY app.js .', { 'app.js': ['sync /x/app.js'] }],
    [
      'not below the WORKDIR of a stage that it does not stand on',
      'FROM a AS one\nWORKDIR /x\nFROM scratch\nCOPY app.js .',
      { 'app.js': ['sync /app.js'] },
    ],
    ['several files', 'FROM scratch\nCOPY ["app.js", "conf", "/a b/"]', { 'app.js': ['sync /a b/app.js'], conf: ['sync /a b/conf'] }],
    [
      'several files, in a directory that is there',
      'FROM a\nWORKDIR /x\nCOPY app.js conf /x',
      { 'app.js': ['sync /x/app.js'], conf: ['sync /x/conf'] },
    ],
    ['files that match', 'FROM scratch\nCOPY *.js /x/', { 'app.js': ['sync /x/app.js'] }],
    ['files that match below a directory', 'FROM scratch\nCOPY dir/[a-b].js /x/', { 'dir/a.js': ['sync /x/a.js'] }],
    ['what leaves the context, from its root', 'FROM scratch\nCOPY ../app.js /x/', { 'app.js': ['sync /x/app.js'] }],
    ['continued lines, with comments between', 'FROM scratch\nCOPY \\\n  # why\n\n  app.js \\\n  /x/', { 'app.js': ['sync /x/app.js'] }],
    ['with another escape character', '# escape=`\nFROM scratch\nCOPY `\n  app.js /x/', { 'app.js': ['sync /x/app.js'] }],
    ['twice', 'FROM scratch\nCOPY app.js /x/\nCOPY app.js /y/', { 'app.js': ['sync /x/app.js', 'sync /y/app.js'] }],
    [
      'what a stage that it is FROM copied',
      'FROM scratch AS one\nCOPY app.js /x/\nFROM one\nCOPY conf /y/',
      { 'app.js': ['sync /x/app.js'], conf: ['sync /y/conf'] },
    ],
    ['what ONBUILD of an earlier stage copies', 'FROM scratch AS one\nONBUILD COPY app.js /x/\nFROM one', { 'app.js': ['sync /x/app.js'] }],
    ['--parents keeps directories', 'FROM scratch\nCOPY --parents dir/sub/b.js /x/', { 'dir/sub/b.js': ['sync /x/dir/sub/b.js'] }],
    [
      '--parents with a pattern',
      'FROM scratch\nCOPY --parents lib/**/package.json /x/',
      { 'lib/one/package.json': ['sync /x/lib/one/package.json'], 'lib/two/package.json': ['sync /x/lib/two/package.json'] },
    ],
    [
      '--parents from a pivot',
      'FROM scratch\nCOPY --parents lib/./one/package.json /x/',
      { 'lib/one/package.json': ['sync /x/one/package.json'] },
    ],
    ['--exclude leaves out', 'FROM scratch\nCOPY --exclude=sub dir /x', { 'dir/a.js': ['sync /x/a.js'] }],
  ];
  it.each(table)('%s', (_name, text, expected) => {
    expect(effects(text)).toEqual(expected);
  });
});

describe('files that are copied again by COPY --from', () => {
  const table: readonly (readonly [string, string, Record<string, string[]>])[] = [
    ['a directory', 'COPY --from=src /s/d /t', { 'dir/a.js': ['sync /t/a.js'], 'dir/sub/b.js': ['sync /t/sub/b.js'] }],
    [
      'what holds a directory',
      'COPY --from=src /s /t',
      { 'dir/a.js': ['sync /t/d/a.js'], 'dir/sub/b.js': ['sync /t/d/sub/b.js'], 'app.js': ['sync /t/app.js'] },
    ],
    ['a part of a directory', 'COPY --from=0 /s/d/sub /t/', { 'dir/sub/b.js': ['sync /t/b.js'] }],
    ['one file, under another name', 'COPY --from=SRC /s/app.js /t.js', { 'app.js': ['sync /t.js'] }],
    [
      'a directory, which is one for what comes next',
      'COPY --from=src /s/d /t\nCOPY app.js /t',
      { 'dir/a.js': ['sync /t/a.js'], 'dir/sub/b.js': ['sync /t/sub/b.js'], 'app.js': ['sync /t/app.js'] },
    ],
    [
      'one file, into a directory that was copied',
      'COPY dir /t\nCOPY --from=src /s/app.js /t/sub',
      { 'dir/a.js': ['sync /t/a.js'], 'dir/sub/b.js': ['sync /t/sub/b.js'], 'app.js': ['sync /t/sub/app.js'] },
    ],
    [
      'one file, linked over a directory',
      'COPY dir /t\nCOPY --link --from=src /s/app.js /t/sub',
      { 'dir/a.js': ['sync /t/a.js'], 'dir/sub/b.js': ['rebuild: hidden by what is linked to /t/sub'], 'app.js': ['sync /t/sub'] },
    ],
    [
      'with a pattern, only by a rebuild',
      'COPY --from=src /s/*.js /t/',
      {
        'dir/a.js': ['rebuild: copied again by COPY --from=src in a way that is not followed'],
        'dir/sub/b.js': ['rebuild: copied again by COPY --from=src in a way that is not followed'],
        'app.js': ['rebuild: copied again by COPY --from=src in a way that is not followed'],
      },
    ],
  ];
  it.each(table)('%s', (_name, copy, expected) => {
    expect(effects(`FROM scratch AS src\nCOPY dir /s/d\nCOPY app.js /s/\nFROM scratch\n${copy}`)).toEqual(expected);
  });

  it('hide files of the context that landed there before', () => {
    const text = 'FROM a AS build\nRUN make /out\nFROM scratch\nCOPY . /app\nCOPY --from=build /out /app/dir';
    expect(effects(text)).toMatchObject({ 'app.js': ['sync /app/app.js'], 'dir/a.js': ['rebuild: hidden by COPY --from=build'] });
  });
});

describe('a file that another stage made', () => {
  const made = 'FROM a AS build\nWORKDIR /src/my.app\nRUN make\nFROM scratch\n';
  const hidden = ['rebuild: hidden by COPY --from=build'];
  const kept = ['sync /app/dir/a.js'];
  const table: readonly (readonly [string, string, Record<string, string[]>])[] = [
    [
      'hides the one of its name in a directory that WORKDIR made',
      'WORKDIR /app\nCOPY . .\nCOPY --from=build /out/app.js /app',
      { 'app.js': hidden, 'dir/a.js': kept },
    ],
    [
      'hides the one of its name in a directory that an earlier COPY made',
      'COPY . /app\nCOPY --from=build /out/app.js /app',
      { 'app.js': hidden, 'dir/a.js': kept },
    ],
    ['hides what it is copied onto', 'COPY . /app\nCOPY --from=build /out/x.js /app/app.js', { 'app.js': hidden, 'dir/a.js': kept }],
    [
      'hides all where a directory of its name is, as it may be one itself',
      'COPY . /app/vue.js\nCOPY --from=build /out/vue.js /app/vue.js',
      { 'app.js': hidden, 'dir/a.js': hidden },
    ],
    [
      'hides all where its name begins with a dot, as it may be a directory',
      'COPY . /app\nCOPY --from=build /src/.output /app/',
      { 'app.js': hidden, 'dir/a.js': hidden },
    ],
    ...['v1.2', 'site.com', 'app.next', 'conf.d'].map(
      (name) =>
        [
          `hides all where it is called ${name}, as it may be a directory`,
          `COPY . /app\nCOPY --from=build /out/${name} /app/`,
          { 'app.js': hidden, 'dir/a.js': hidden },
        ] as const,
    ),
    ...['main.mjs', 'app.jar', 'nginx.conf', 'libx.so.1.2', 'a.tar.gz', 'package.json', 'Index.HTML'].map(
      (name) =>
        [
          `hides nothing else where it is called ${name}`,
          `COPY . /app\nCOPY --from=build /out/${name} /app/`,
          { 'dir/a.js': kept },
        ] as const,
    ),
    [
      'hides all where a final slash says that it is a directory',
      'COPY . /app\nCOPY --from=build /out/site.com/ /app',
      { 'app.js': hidden, 'dir/a.js': hidden },
    ],
    [
      'hides all where it is a directory of that stage',
      'COPY . /app\nCOPY --from=build /src/my.app /app',
      { 'app.js': hidden, 'dir/a.js': hidden },
    ],
    [
      'hides a directory that it is linked over',
      'COPY . /app\nCOPY --link --from=build /out/app.js /app',
      { 'app.js': hidden, 'dir/a.js': hidden },
    ],
  ];
  it.each(table)('%s', (_name, text, expected) => {
    expect(effects(made + text)).toMatchObject(expected);
  });
});

describe('what COPY --from finds by a link of the context', () => {
  const again = 'rebuild: copied again by COPY --from=src in a way that is not followed';
  const kindOf = (path: string) => (path === 'lib/one' ? 'link' : options.kindOf(path));
  it.each(['/s/lib/one', '/s/lib/one/app.js'])('may be anything that its stage holds: %s', (path) => {
    const text = `FROM scratch AS src\nCOPY app.js /\nCOPY lib /s/lib\nFROM scratch\nCOPY --from=src ${path} /x/`;
    const found = effects(text, { kindOf });
    expect(found['app.js']).toEqual([again]);
    expect(found['lib/two/package.json']).toEqual([again]);
  });

  it('hides what was there before', () => {
    const text = 'FROM scratch AS src\nCOPY . /s\nFROM scratch\nCOPY dir /x\nCOPY --from=src /s/lib/one /x/';
    expect(effects(text, { kindOf })['dir/a.js']).toContain('rebuild: hidden by COPY --from=src');
  });
});

describe('of a directory that COPY --from follows', () => {
  const hidden = ['rebuild: hidden by COPY --from=src'];
  const kindOf = (path: string) => (path === 'lib/one' ? 'link' : options.kindOf(path));
  const table: readonly (readonly [string, string, Record<string, string[]>])[] = [
    [
      'the part that is not known hides what was there',
      'COPY dir /s\nCOPY --from=made /out /s/sub\nFROM scratch\nCOPY conf /x/\nCOPY noext /x/sub/\nCOPY --from=src /s /x',
      { noext: hidden, conf: ['sync /x/conf'], 'dir/a.js': ['sync /x/a.js'] },
    ],
    [
      'all hides what was there, where it lies in something that is not known',
      'COPY lib/one /s\nCOPY dir /s/dir\nFROM scratch\nCOPY noext /x/\nCOPY --from=src /s/dir /x',
      { noext: expect.arrayContaining(hidden) as string[] },
    ],
    [
      'one file hides nothing else, wherever it lies',
      'COPY --from=made /out /s\nCOPY app.js /s/\nFROM scratch\nCOPY noext /x/\nCOPY --from=src /s/app.js /x/',
      { noext: ['sync /x/noext'], 'app.js': ['sync /x/app.js'] },
    ],
    [
      'directories are directories for what comes next',
      'WORKDIR /s/w\nCOPY dir /s\nFROM scratch\nCOPY --from=src /s /x\nCOPY conf /x/w',
      { conf: ['sync /x/w/conf'] },
    ],
  ];
  it.each(table)('%s', (_name, text, expected) => {
    expect(effects(`FROM a AS made\nRUN make\nFROM scratch AS src\n${text}`, { kindOf })).toMatchObject(expected);
  });
});

describe('what ADD loads, and a here-document,', () => {
  const loaded = (url: string) => [`rebuild: hidden by what ADD loads from ${url}`];
  const written = ['rebuild: hidden by the here-document app.js'];
  const kept = ['sync /app/dir/a.js'];
  const file = 'https://x.example/app.js';
  const table: readonly (readonly [string, string, Record<string, string[]>])[] = [
    ['hides the one of its name in a directory', `ADD ${file} /app`, { 'app.js': loaded(file), 'dir/a.js': kept }],
    ['hides a directory that it is linked over', `ADD --link ${file} /app`, { 'app.js': loaded(file), 'dir/a.js': loaded(file) }],
    ['is linked into what is written as a directory', `ADD --link ${file} /app/`, { 'app.js': loaded(file), 'dir/a.js': kept }],
    [
      'is no directory for what comes next where it was linked over one',
      `ADD --link ${file} /app\nCOPY conf /app`,
      { conf: [...loaded(file), 'rebuild: /app is no directory for certain'] },
    ],
    ['is called without what a query says', `ADD ${file}?v=1 /app`, { 'app.js': loaded(`${file}?v=1`), 'dir/a.js': kept }],
    ['hides all where it is unpacked', `ADD --unpack ${file} /app/`, { 'app.js': loaded(file), 'dir/a.js': loaded(file) }],
    ...['git@x.example:o/app.js', 'ssh://git@x.example/o/app.js', 'https://x.example/o/app.js.git#main:dir'].map(
      (url) =>
        [`hides all where it is a repository: ${url}`, `ADD ${url} /app/`, { 'app.js': loaded(url), 'dir/a.js': loaded(url) }] as const,
    ),
    ['hides the one of its name in a directory (here)', 'COPY <<app.js /app\nEOF\napp.js', { 'app.js': written, 'dir/a.js': kept }],
    [
      'hides a directory that it is linked over (here)',
      'COPY --link <<app.js /app\nEOF\napp.js',
      { 'app.js': written, 'dir/a.js': written },
    ],
  ];
  it.each(table)('%s', (_name, text, expected) => {
    expect(effects(`FROM scratch\nCOPY . /app\n${text}`)).toMatchObject(expected);
  });
});

describe('what is copied again in a way that is not followed', () => {
  const hidden = ['rebuild: hidden by COPY --from=src'];
  const table: readonly (readonly [string, string, Record<string, string[]>])[] = [
    [
      'a pattern hides a file that was there',
      'FROM scratch AS src\nCOPY dir /s\nFROM scratch\nCOPY app.js /x\nCOPY --from=src /s/*.js /x',
      { 'app.js': hidden },
    ],
    [
      'a stage with what was not followed hides a directory that was there',
      'FROM scratch AS one\nCOPY dir /s\nFROM scratch AS src\nCOPY --from=one /s/*.js /t/\nFROM scratch\nCOPY conf /x/conf\nCOPY --from=src /t /x',
      { conf: hidden },
    ],
    [
      'a file beside what was copied stays',
      'FROM scratch AS src\nCOPY dir /s\nFROM scratch\nCOPY app.js /x/\nCOPY --from=src /s/*.js /y/',
      { 'app.js': ['sync /x/app.js'] },
    ],
  ];
  it.each(table)('%s', (_name, text, expected) => {
    expect(effects(text)).toMatchObject(expected);
  });
});

describe('variables', () => {
  const table: readonly (readonly [string, string, Record<string, string[]>])[] = [
    [
      'an ARG before FROM counts when it is declared again',
      'ARG D=dir\nFROM scratch\nARG D\nCOPY $D /x',
      { 'dir/a.js': ['sync /x/a.js'], 'dir/sub/b.js': ['sync /x/sub/b.js'] },
    ],
    ['the value that is given wins over the default', 'FROM scratch\nARG F=conf\nCOPY $F /x/', { 'app.js': ['sync /x/app.js'] }],
    ['the later of ENV and ARG counts', 'FROM scratch\nENV N=noext\nARG N=conf\nCOPY $N /x/', { conf: ['sync /x/conf'] }],
    ['ENV from ENV', 'FROM scratch\nENV A=/opt\nENV B=$A/b\nCOPY conf $B/', { conf: ['sync /opt/b/conf'] }],
    [
      'values of one ENV do not see one another',
      'FROM scratch\nENV A=/opt\nENV A=/new B=$A/b\nCOPY conf $B/',
      { conf: ['sync /opt/b/conf'] },
    ],
    ['the old form of ENV', 'FROM scratch\nENV A /opt/a b\nCOPY ["conf", "$A/"]', { conf: ['sync /opt/a b/conf'] }],
    ['a default', 'FROM scratch\nCOPY conf ${A:-/d}/', { conf: ['sync /d/conf'] }],
    [
      'a default for what is empty, and none without the colon',
      'FROM scratch\nENV A=\nCOPY conf /x${A:-/d}${A-/e}/',
      { conf: ['sync /x/d/conf'] },
    ],
    ['an alternative', 'FROM scratch\nENV A=1\nCOPY conf /x${A:+/set}${B:+/not}/', { conf: ['sync /x/set/conf'] }],
    ['a prefix taken away', 'FROM scratch\nENV A=/a/b\nCOPY conf ${A#/a}/', { conf: ['sync /b/conf'] }],
    ['a replacement', 'FROM scratch\nENV A=/a-b-c\nCOPY conf ${A//-/_}/', { conf: ['sync /a_b_c/conf'] }],
    [
      'quotes and escapes',
      'FROM scratch\nENV A="/q r" B=\\$A\nCOPY conf "$A"/\nCOPY conf /$B/',
      { conf: ['sync /q r/conf', 'sync /$A/conf'] },
    ],
    ['a platform that is known', 'FROM scratch\nARG TARGETARCH\nCOPY conf /$TARGETARCH/', { conf: ['sync /arm64/conf'] }],
  ];
  it.each(table)('%s', (_name, text, expected) => {
    expect(effects(text, { args: { F: 'app.js' }, platform: 'linux/arm64' })).toEqual(expected);
  });

  it('that only the base image may have make everything a rebuild', () => {
    const found = effects('FROM node\nCOPY dir $APP_HOME/');
    expect(found['app.js']).toEqual(['rebuild: the value of APP_HOME is not known before the build']);
  });

  it('of another stage are not seen', () => {
    expect(effects('FROM scratch AS a\nENV D=/one\nFROM scratch\nCOPY conf $D/')).toEqual({ conf: ['sync /conf'] });
  });
});

it.each(['https://x.example/app.js', 'git@github.com:o/r.git', 'https://github.com/o/r.git#main', 'git://x.example/app.js'])(
  'takes nothing of the context for %s',
  (source) => {
    const { facts } = read(`FROM scratch\nADD ${source} /x/\n`);
    expect(facts.sources).toEqual([]);
    expect(effects(`FROM scratch\nADD ${source} conf /x/\n`)).toEqual({ conf: ['sync /x/conf'] });
  },
);

it('knows what a platform makes of its arguments', () => {
  const text = 'FROM scratch\nARG TARGETOS TARGETARCH\nCOPY dir/$TARGETARCH.js /x/$TARGETOS/\n';
  expect(effects(text, { platform: 'linux/a' })).toEqual({ 'dir/a.js': ['sync /x/linux/a.js'] });
  expect(effects(text)['dir/a.js']).toEqual([expect.stringMatching(/^rebuild: /)]);
});

describe('what needs a rebuild', () => {
  const table: readonly (readonly [string, string, string, string])[] = [
    ['what a later RUN may read', 'FROM a\nWORKDIR /x\nCOPY package.json .\nRUN npm ci\nCOPY dir d', 'package.json', 'read by RUN npm ci'],
    [
      'what a RUN of a stage reads that is copied from',
      'FROM a AS b\nCOPY dir /s\nRUN make\nFROM a\nCOPY --from=b /out /out',
      'dir/a.js',
      'read by RUN make',
    ],
    ['what a RUN mounts', 'FROM a\nRUN --mount=type=bind,source=dir,target=/m make', 'dir/a.js', 'mounted by RUN make'],
    [
      'what a RUN mounts from a stage',
      'FROM scratch AS b\nCOPY dir /s\nFROM a\nRUN --mount=from=b,target=/m make',
      'dir/a.js',
      'mounted by RUN make',
    ],
    ['an archive that ADD unpacks', 'FROM scratch\nADD site.tar.gz /x/', 'site.tar.gz', 'ADD unpacks it'],
    ['a relative destination in an unknown directory', 'FROM a\nCOPY app.js .', 'app.js', 'the working directory of a is not known'],
    ['a destination that may be a directory', 'FROM a\nCOPY conf /app', 'conf', '/app may be a directory in a'],
    ['several sources for what may be no directory', 'FROM scratch\nCOPY app.js conf /x', 'conf', '/x is no directory for certain'],
    [
      'several sources for what only an earlier layer knows as a directory',
      'FROM scratch\nCOPY dir /x\nCOPY --link app.js conf /x',
      'conf',
      '/x is no directory for certain',
    ],
    [
      'what lands where another stage left something',
      'FROM a AS b\nRUN make /out\nFROM scratch\nCOPY --from=b /out /x\nCOPY conf /x',
      'conf',
      '/x is no directory for certain',
    ],
    ...['/etc/x/conf.d', '/opt/v1.2', '/srv/site.com'].map(
      (path) =>
        [
          `a destination that is called like a directory: ${path}`,
          `FROM a\nCOPY conf ${path}`,
          'conf',
          `${path} may be a directory in a`,
        ] as const,
    ),
    [
      'a destination that a part of what was copied may be',
      'FROM scratch\nCOPY --exclude=*.md dir /x\nCOPY conf /x/sub',
      'conf',
      '/x/sub is no directory for certain',
    ],
    [
      'all that lies where a variable may say',
      'FROM a AS b\nRUN make\nFROM a\nCOPY conf /x/y/\nCOPY --from=b /out $OUT/y',
      'conf',
      'hidden by COPY --from=b',
    ],
    [
      'all that lies where a variable may say, for another image',
      'FROM a\nCOPY conf /x/y/\nCOPY --from=b:1 /out $OUT/y',
      'conf',
      'hidden by COPY --from=b:1',
    ],
    [
      'all that lies where a variable may say, for a here-document',
      'FROM a\nCOPY conf /x/y/\nCOPY <<conf $OUT/y/\nconf',
      'conf',
      'hidden by the here-document conf',
    ],
    ['a destination that a RUN names', 'FROM a\nRUN mkdir /x.d\nCOPY conf /x.d', 'conf', '/x.d may be a directory in a'],
    [
      'a pattern with directories in the middle',
      'FROM scratch\nCOPY lib/*/package.json /x/',
      'lib/one/package.json',
      'where each match of lib/*/package.json lands is not followed',
    ],
    ['directories that match a pattern', 'FROM scratch\nCOPY * /x/', 'dir/a.js', '* matches a directory, whose content loses its place'],
    ['a symbolic mode', 'FROM scratch\nCOPY --chmod=+x app.js /x/', 'app.js', '--chmod=+x depends on the file'],
  ];
  it.each(table)('%s', (_name, text, file, because) => {
    expect(effects(text)[file]).toContain(`rebuild: ${because}`);
  });

  const again = 'copied again by COPY --from=src in a way that is not followed';
  it.each<[string, string, string, string]>([
    ['a pattern whose matches are laid over the image', 'COPY dir /x\nCOPY --link app.* /x', 'app.js', '/x is no directory for certain'],
    [
      'all that a link on the way may lead to',
      'COPY lib/one/package.json /x/',
      'app.js',
      'lib/one is a link, and what it leads to is copied',
    ],
    ['all that a link below a pattern may lead to', 'COPY lib/* /x/', 'app.js', 'lib/one is a link, and what it leads to is copied'],
    ['a file that lands where a link landed', 'COPY lib/one /x\nCOPY conf /x', 'conf', '/x is no directory for certain'],
    ['a file that is copied again to where a link landed', 'COPY lib/one /x/app.js\nCOPY --from=src /s/app.js /x/app.js', 'app.js', again],
    [
      'a file that is copied again to where something lands that is not there yet',
      'COPY nothing /x\nCOPY --from=src /s/app.js /x',
      'app.js',
      again,
    ],
    [
      'a file that lands where something lands that is not there yet',
      'COPY nothing /x\nCOPY conf /x',
      'conf',
      '/x is no directory for certain',
    ],
  ])('%s', (_name, copies, file, because) => {
    const kindOf = (path: string) => (path === 'lib/one' ? 'link' : options.kindOf(path));
    expect(effects(`FROM scratch AS src\nCOPY app.js /s/\nFROM scratch\n${copies}`, { kindOf })[file]).toContain(`rebuild: ${because}`);
  });

  it('is told with the line of the instruction', () => {
    const { inputs } = read('FROM a\nWORKDIR /x\nCOPY package.json .\nRUN --mount=type=cache,target=/c \\\n  npm ci\n');
    expect(inputs.map((input) => input.because)).toEqual(['read by RUN npm ci (Dockerfile:4)']);
  });

  it('is not what is copied after the last RUN', () => {
    expect(effects('FROM a\nWORKDIR /x\nCOPY package.json .\nRUN npm ci\nCOPY . .')['package.json']).toEqual([
      'rebuild: read by RUN npm ci',
      'sync /x/package.json',
    ]);
  });

  it('is not what only stages take that the image does not need', () => {
    expect(effects('FROM a AS test\nCOPY dir /t\nRUN test\nFROM scratch\nCOPY app.js /x/')).toEqual({ 'app.js': ['sync /x/app.js'] });
  });

  it('is a link, with everything that it may lead to', () => {
    const found = effects('FROM scratch\nCOPY conf /x/', { kindOf: (path) => (path === 'conf' ? 'link' : options.kindOf(path)) });
    expect(found['dir/a.js']).toEqual(['rebuild: conf is a link, and what it leads to is copied']);
  });
});

describe('ignored files', () => {
  it('are no inputs', () => {
    expect(effects('FROM scratch\nCOPY . /x', { ignore: '**/*.js\n!dir/a.js\nlib\n*.gz\npack*' })).toEqual({
      conf: ['sync /x/conf'],
      noext: ['sync /x/noext'],
      'dir/a.js': ['sync /x/dir/a.js'],
    });
  });

  it('keep a directory open in which something is taken back', () => {
    const [input] = read('FROM scratch\nCOPY . /x', { ignore: '**\n!dir/sub' }).inputs;
    expect(['dir', 'dir/sub', 'lib'].map((path) => input?.accepts?.(path, 'dir'))).toEqual([true, true, false]);
  });
});

describe('the image', () => {
  const text = [
    'ARG BASE=node:20',
    'FROM ${BASE} AS base',
    'WORKDIR /app',
    'ENTRYPOINT ["tini", "--"]',
    'CMD ["node", "a.js"]',
    'EXPOSE 80 443/tcp',
    'FROM base AS dev',
    'CMD node --watch a.js',
    'FROM golang:1 AS unused',
    'FROM base',
    'USER node',
    'COPY --from=tools:2 /t /t',
    'ENTRYPOINT ["/start"]',
  ].join('\n');

  it('is the last stage, and inherits along FROM', () => {
    const { facts } = read(text);
    expect(facts).toMatchObject({
      entrypoint: ['/start'],
      command: [],
      workdir: '/app',
      user: 'node',
      ports: ['80', '443/tcp'],
      baseImage: 'node:20',
    });
    expect(facts.images).toEqual(['node:20', 'tools:2']);
    expect(facts.stages.map((stage) => stage.name)).toEqual(['base', 'dev', 'unused', undefined]);
  });

  it('is the stage that is asked for', () => {
    const { facts } = read(text, { target: 'DEV' });
    expect(facts).toMatchObject({ entrypoint: ['tini', '--'], command: ['/bin/sh', '-c', 'node --watch a.js'], user: undefined });
    expect(facts.images).toEqual(['node:20']);
  });

  it('has the base image of a build argument', () => {
    expect(read(text, { args: { BASE: 'other' } }).facts.images[0]).toBe('other');
  });
});

it('reads here-documents without taking them for instructions or sources', () => {
  const text = 'FROM a\nRUN <<EOF\nCOPY nothing here\nEOF\nCOPY <<-"A" <<B /x/\n\tone\n\tA\ntwo\nB\nCOPY app.js /x/\n';
  const { facts, inputs } = read(text);
  expect(facts.sources).toEqual([{ path: 'app.js', wildcard: false, line: 10, stage: 0 }]);
  expect(inputs.map((input) => input.containerPath)).toEqual(['/x/app.js']);
});

describe('mistakes', () => {
  it('are told all at once, each with its place', () => {
    const { problems } = readDockerfile('CPOY a b\nFROM a b\n  COPY one\nENV X\nRUN\nCOPY ${ /x\n', options);
    expect(problems.map(({ message, location }) => [message, location?.line, location?.column])).toEqual([
      ['Dockerfile:1: CPOY is not an instruction, perhaps COPY was meant', 1, 1],
      ['Dockerfile:5: RUN needs an argument', 5, 1],
      ['Dockerfile:2: FROM has the form FROM image or FROM image AS name', 2, 1],
      ['Dockerfile:3: COPY needs a source and a destination', 3, 3],
      ['Dockerfile:4: ENV needs name=value', 4, 1],
      ['Dockerfile:6: ${ has a substitution that is not supported', 6, 1],
    ]);
  });

  const table: readonly (readonly [string, string, Partial<DockerfileOptions>])[] = [
    ['', 'Dockerfile:1: it has no instructions', {}],
    ['ARG A', 'Dockerfile:1: it has no FROM', {}],
    ['COPY a b\nFROM a', 'Dockerfile:1: COPY stands before the first FROM', {}],
    ['FROM $X', 'Dockerfile:1: the image $X is empty: no ARG before FROM gives it a value', {}],
    ['FROM a\nRUN <<EOF\nx', 'Dockerfile:2: the here-document EOF is not ended', {}],
    ['FROM a AS dev\nFROM a AS prod', 'Dockerfile: there is no stage deb: perhaps dev was meant', { target: 'deb' }],
    ['FROM scratch\nCOPY ${A:?set-it} /x/', 'Dockerfile:2: A: set-it', {}],
    ['# escape=x\nFROM a', 'Dockerfile:1: the escape character can be \\ or `, not x', {}],
  ];
  it.each(table)('%j: %s', (text, message, more) => {
    const { facts, problems } = readDockerfile(text, { ...options, ...more });
    expect(facts).toBeUndefined();
    expect(problems.map((problem) => problem.message)).toContain(message);
  });
});
