import { assert, asyncProperty } from 'fast-check';
import { needsEngine } from '../dockerfile';
import { openBuiltImages, type BuildWish, type BuiltImages, type EngineKind, type SeenFile, type SeenImage } from './builtImages';
import { firstBuildMs } from './buildkitDaemon';
import { flagTable, headTable, ignoreTable, landingTable, layersTable } from './layersTable';
import { dockerfilesFor, ignoreFiles } from './randomDockerfiles';

export interface DockerfilePlay {
  readonly engine: EngineKind;
  /** Random ones; `SLIPWAY_DOCKERFILES=500` and `SLIPWAY_SEED=7` look further. */
  readonly runs: number;
  /** Where the environment names no other. */
  readonly seed: number;
}

/** What is said of a Dockerfile before it is built has to be what a real engine then does. */
export function playDockerfiles({ engine, runs: usual, seed: usualSeed }: DockerfilePlay): void {
  const runs = Number(process.env['SLIPWAY_DOCKERFILES'] ?? usual);
  const seed = Number(process.env['SLIPWAY_SEED'] ?? usualSeed);
  let images: BuiltImages;

  jest.setTimeout(120_000 + runs * 10_000);
  beforeAll(async () => {
    images = await openBuiltImages(engine);
  }, firstBuildMs);
  afterAll(() => images.close());

  /** Where what was said and what is there differ. */
  const differencesOf = async (text: string, { contents, resolved }: SeenImage, wish: BuildWish = {}): Promise<string[]> => {
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
  };
  /** Of an image that the engine makes: where what was said and what is there differ. */
  const differences = async (text: string, wish?: BuildWish): Promise<string[]> =>
    differencesOf(text, await images.seen('docker', text, wish), wish);
  const built = (text: string, wish?: BuildWish): Promise<SeenImage | undefined> =>
    images.seen('docker', text, wish).catch(() => undefined);
  /** A Dockerfile that needs no engine gives the same image without. */
  const compareLayers = async (text: string, byEngine: SeenImage): Promise<void> => {
    if (needsEngine(text, { args: {}, kindOf: () => 'dir' })) return;
    const byLayers = await images.seen('layers', text);
    expect(byLayers.files.filter((line) => !byEngine.files.includes(line))).toEqual([]);
    expect(byLayers.files).toEqual(byEngine.files);
    expect(byLayers.config).toEqual(byEngine.config);
  };

  it.each(Object.entries({ ...layersTable, ...headTable, ...landingTable }))('%s', async (_, lines) => {
    expect(await differences(`${lines.join('\n')}\n`)).toEqual([]);
  });

  it('Dockerfiles that nobody wrote, which layers make the same', async () => {
    let seen = 0;
    await assert(
      asyncProperty(dockerfilesFor(engine), async (text) => {
        const byEngine = await built(text);
        // What the engine does not build is no image to be right about.
        if (!byEngine) return;
        seen += 1;
        expect(await differencesOf(text, byEngine)).toEqual([]);
        await compareLayers(text, byEngine);
      }),
      { numRuns: runs, seed },
    );
    expect(seen).toBeGreaterThan(runs / 4);
  });

  if (engine === 'docker') {
    // BuildKit finds nothing below a link when it fetches a context file by file; an engine that is sent the whole of it does.
    it('files below a directory that is a link are inputs', async () => {
      expect(await differences('FROM scratch\nCOPY dirlink/sub /x\nCOPY dirlink/*.txt /y/\n')).toEqual([]);
    });
    return;
  }

  // Older engines know neither these flags nor, for a context that they are sent whole, an ignore file.
  it.each(Object.entries(flagTable))('%s', async (_, lines) => {
    const text = `${lines.join('\n')}\n`;
    const byEngine = await images.seen('docker', text);
    expect(await differencesOf(text, byEngine)).toEqual([]);
    await compareLayers(text, byEngine);
  });

  it.each(Object.entries(ignoreTable))('.dockerignore: %s', async (_, lines) => {
    expect(await differences('FROM scratch\nCOPY . /all/\nCOPY *.txt /texts/\n', { ignore: `${lines.join('\n')}\n` })).toEqual([]);
  });

  it('.dockerignore: patterns that nobody wrote', async () => {
    let seen = 0;
    await assert(
      asyncProperty(ignoreFiles, async (lines) => {
        const text = 'FROM scratch\nCOPY . /all/\n';
        const wish = { ignore: `${lines.join('\n')}\n` };
        const byEngine = await built(text, wish);
        if (!byEngine) return;
        seen += 1;
        expect(await differencesOf(text, byEngine, wish)).toEqual([]);
      }),
      { numRuns: runs, seed },
    );
    expect(seen).toBeGreaterThan(runs / 4);
  });
}
