import { assert, asyncProperty, array, constantFrom, oneof, option, record, tuple, type Arbitrary } from 'fast-check';
import { needsEngine } from '../dockerfile';
import { buildctl, openBuiltImages, type BuildWish, type BuiltImages, type SeenFile, type SeenImage } from './builtImages';
import { flagTable, headTable, ignoreTable, landingTable, layersTable } from './layersTable';

// What is said of a Dockerfile before it is built has to be what a real engine then does.
let images: BuiltImages;
/** More of them find more: `SLIPWAY_DOCKERFILES=500`, and another seed. */
const runs = Number(process.env['SLIPWAY_DOCKERFILES'] ?? 20);
const seed = Number(process.env['SLIPWAY_SEED'] ?? 1);

jest.setTimeout(120_000 + runs * 10_000);
beforeAll(async () => {
  images = await openBuiltImages();
});
afterAll(() => images.close());

/** Where what was said and what is there differ. */
async function differences(text: string, { contents, resolved }: SeenImage, wish: BuildWish = {}): Promise<string[]> {
  const said = await images.said(text, wish);
  if (!said) return ['it is said to have mistakes'];
  const shown = (file: SeenFile | undefined) => (file ? `${file.digest} (${file.mode.toString(8)})` : 'nothing');
  const wrong = [...said.landing]
    .filter(([path, file]) => shown(contents.get(resolved(path))) !== shown(file))
    .map(([path, file]) => `${shown(file)} is said to land on ${path}, which holds ${shown(contents.get(resolved(path)))}`);
  const places = new Set([...said.landing.keys()].map(resolved));
  const unsaid = [...contents]
    .filter(([path, { digest }]) => said.context.has(digest) && said.inputs.get(digest) !== 'rebuild' && !places.has(path))
    .map(([path, file]) => `${shown(file)} is in ${path}, which was not said`);
  return [...wrong, ...unsaid];
}

describe('where files of the context land, and which of them are inputs, is what the engine does', () => {
  it.each(Object.entries({ ...layersTable, ...headTable, ...landingTable }))('%s', async (_, lines) => {
    const text = `${lines.join('\n')}\n`;
    expect(await differences(text, await images.seen('docker', text))).toEqual([]);
  });
});

// BuildKit finds nothing below a link when it fetches a context file by file; an engine that is sent the whole of it does.
(buildctl === undefined ? it : it.skip)('files below a directory that is a link are inputs', async () => {
  const text = 'FROM scratch\nCOPY dirlink/sub /x\nCOPY dirlink/*.txt /y/\n';
  expect(await differences(text, await images.seen('docker', text))).toEqual([]);
});

// Older engines know neither these flags nor, for a context that they are sent whole, an ignore file.
const withBuildKit = buildctl === undefined ? describe.skip : describe;

withBuildKit('what newer flags of COPY and here-documents do is what is said', () => {
  it.each(Object.entries(flagTable))('%s', async (_, lines) => {
    const text = `${lines.join('\n')}\n`;
    const byEngine = await images.seen('docker', text);
    expect(await differences(text, byEngine)).toEqual([]);
    if (needsEngine(text, { args: {}, kindOf: () => 'dir' })) return;
    const byLayers = await images.seen('layers', text);
    expect(byLayers.files).toEqual(byEngine.files);
  });
});

withBuildKit('what .dockerignore leaves out is what is said', () => {
  it.each(Object.entries(ignoreTable))('%s', async (_, lines) => {
    const text = 'FROM scratch\nCOPY . /all/\nCOPY *.txt /texts/\n';
    const wish = { ignore: `${lines.join('\n')}\n` };
    expect(await differences(text, await images.seen('docker', text, wish), wish)).toEqual([]);
  });

  it('also by patterns that nobody wrote', async () => {
    const part = constantFrom('*', '**', 'dir', 'sub', '*.txt', 'o*', 'one.txt', 't??.md', '[a-s]*', 'deep', '.', '..', 'd\\ir');
    const line = tuple(constantFrom('', '', '!', '/', '!/'), array(part, { minLength: 1, maxLength: 4 }), constantFrom('', '', '/'));
    const ignore = array(
      line.map(([before, parts, after]) => `${before}${parts.join('/')}${after}`),
      { minLength: 1, maxLength: 4 },
    );
    await assert(
      asyncProperty(ignore, async (lines) => {
        const text = 'FROM scratch\nCOPY . /all/\n';
        const wish = { ignore: `${lines.join('\n')}\n` };
        const byEngine = await images.seen('docker', text, wish).catch((error: unknown) => String(error));
        if (typeof byEngine === 'string') return;
        expect(await differences(text, byEngine, wish)).toEqual([]);
      }),
      { numRuns: runs, seed },
    );
  });
});

const source = constantFrom(
  ...['a.txt', './b.txt', 'run.sh', 'dir', 'dir/', 'dir/.', './dir/sub', 'dir/sub/three.txt', 'dir/../b.txt', '../a.txt', '/dir/sub', '.'],
  ...['other', 'empty', 'link', 'dirlink', 'dirlink/sub', 'dir/inner', '*.txt', 'd*r', 'dir/*', 'dir/*/*.txt', '[ab].txt', 'o*/sub', '$F'],
);
const destination = constantFrom(
  ...[
    '/x',
    '/x/',
    '/x/y',
    '/x/one.txt',
    'x',
    'x/',
    '.',
    './',
    '/',
    '/x/.',
    '/etc',
    '/tmp/z',
    '/bin/',
    '$V',
    '${V}/q',
    '../u',
    'dir',
    '/a.txt',
  ],
);
const flag = option(
  constantFrom(
    ...['--chown=1', '--chown=3:4'],
    // Newer versions of BuildKit give the mode to directories that they make on the way too.
    ...(buildctl === undefined
      ? ['--chmod=700', '--chmod=0640']
      : ['--link', '--exclude=*.md', '--exclude=sub', '--exclude=**/three.txt', '--parents', '--parents --exclude=*.txt']),
  ),
  { nil: undefined, freq: 3 },
);
const copy = record({
  keyword: constantFrom('COPY', 'COPY', 'ADD'),
  flag,
  sources: array(source, { minLength: 1, maxLength: 2 }),
  destination,
}).map(({ keyword, flag, sources, destination }) =>
  [keyword, flag, ...sources, destination].filter((word) => word !== undefined).join(' '),
);
const fromStage = tuple(constantFrom('0', 'first'), constantFrom('/s', '/s/', '/s/one.txt', '/s/sub', '/s/*.txt', '/s/.'), destination).map(
  ([stage, from, to]) => `COPY --from=${stage} ${from} ${to}`,
);
const other = constantFrom(
  ...[
    'WORKDIR /w',
    'WORKDIR sub',
    'WORKDIR $V',
    'WORKDIR /x/y',
    'ENV V=/v',
    'ENV V=rel',
    'ARG V=/arg',
    'ENV F=dir',
    'ARG F=b.txt',
    'USER 5',
  ],
);
const dockerfile: Arbitrary<string> = record({
  base: constantFrom('scratch', 'busybox:1.36'),
  lines: array(oneof({ weight: 5, arbitrary: copy }, { weight: 3, arbitrary: other }, { weight: 1, arbitrary: fromStage }), {
    minLength: 1,
    maxLength: 6,
  }),
}).map(
  ({ base, lines }) =>
    `FROM scratch AS first\nCOPY dir /s\nCOPY run.sh /s/\nFROM ${base}\nENV F=a.txt V=/x\n${lines.join('\n')}\nCOPY a.txt /last/\n`,
);

describe('for Dockerfiles that nobody wrote', () => {
  it('what is said is what the engine does, and layers make the same image', async () => {
    await assert(
      asyncProperty(dockerfile, async (text) => {
        const byEngine = await images.seen('docker', text).catch((error: unknown) => String(error));
        // What the engine does not build is no image to be right about.
        if (typeof byEngine === 'string') return;
        expect(await differences(text, byEngine)).toEqual([]);
        if (needsEngine(text, { args: {}, kindOf: () => 'dir' })) return;
        const byLayers = await images.seen('layers', text);
        expect(byLayers.files.filter((line) => !byEngine.files.includes(line))).toEqual([]);
        expect(byLayers.files).toEqual(byEngine.files);
        expect(byLayers.config).toEqual(byEngine.config);
      }),
      { numRuns: runs, seed },
    );
  });
});
