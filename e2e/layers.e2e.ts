import { engineHead, needsEngine } from '../dockerfile';
import { openBuiltImages, type BuiltImages } from './builtImages';
import { headTable, layersTable } from './layersTable';

// The same Dockerfile, built by a real engine and put together without one, has to come out the same.
let images: BuiltImages;

jest.setTimeout(120_000);
beforeAll(async () => {
  images = await openBuiltImages();
});
afterAll(() => images.close());

describe('an image put together without an engine is the engine’s', () => {
  it.each(Object.entries(layersTable))('%s', async (_, lines) => {
    const text = `${lines.join('\n')}\n`;
    expect(needsEngine(text, { args: {}, kindOf: () => 'dir' })).toBeUndefined();
    const [byEngine, byLayers] = [await images.seen('docker', text), await images.seen('layers', text)];
    expect(byLayers.files.filter((line) => !byEngine.files.includes(line))).toEqual([]);
    expect(byLayers.files).toEqual(byEngine.files);
    expect(byLayers.config).toEqual(byEngine.config);
  });
});

describe('an image whose first part the engine made is the engine’s', () => {
  it.each(Object.entries(headTable))('%s', async (_, lines) => {
    const text = `${lines.join('\n')}\n`;
    expect(engineHead(text, { args: {}, kindOf: () => 'dir', dockerfile: 'Dockerfile' })).toBeDefined();
    const [byEngine, byBoth] = [await images.seen('docker', text), await images.seen('docker+layers', text)];
    expect(byBoth.files.filter((line) => !byEngine.files.includes(line))).toEqual([]);
    expect(byBoth.files).toEqual(byEngine.files);
    expect(byBoth.config).toEqual(byEngine.config);
  });
});
