import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readGivenImages } from './givenImages';

describe('the images of an earlier build', () => {
  const folder = mkdtempSync(join(tmpdir(), 'slipway-given-'));
  beforeAll(() => mkdirSync(join(folder, 'out')));
  afterAll(() => rmSync(folder, { recursive: true }));
  const file = 'out/images.json';
  const digest = `sha256:${'1'.repeat(64)}`;
  const read = (text: string) => {
    writeFileSync(join(folder, file), text);
    return readGivenImages(join(folder, file), folder);
  };

  it.each([
    [
      'of ours',
      { images: [{ project: 'api', image: 'shop/api', ref: 'r/shop/api:1', built: true }] },
      [{ names: { project: 'api', image: 'shop/api' }, ref: 'r/shop/api:1' }],
    ],
    ['of Skaffold', { builds: [{ imageName: 'shop/api', tag: 'r/shop/api:1' }] }, [{ names: { image: 'shop/api' }, ref: 'r/shop/api:1' }]],
    [
      'that says what they were made from',
      {
        images: [
          { project: 'api', ref: `r/api:1@${digest}`, digest, inputs: 'h' },
          { project: 'web', ref: `r/web:1@${digest}`, digest: 'sha256:other', inputs: 'h' },
          { project: 'worker', ref: 'worker:1', digest: '', inputs: 'h' },
        ],
      },
      [
        { names: { project: 'api' }, ref: `r/api:1@${digest}`, inputs: 'h' },
        { names: { project: 'web' }, ref: `r/web:1@${digest}` },
        { names: { project: 'worker' }, ref: 'worker:1', inputs: 'h' },
      ],
    ],
    ['of none', { images: [] }, []],
  ])('are read from a document %s', async (_, document, images) => {
    expect(await read(JSON.stringify(document))).toEqual({ ok: true, value: { file, images } });
  });

  it.each([
    ['{', 'is not JSON'],
    ['[]', 'is not the document of a build'],
    ['null', 'is not the document of a build'],
    ['{"images": [{"project": "api"}]}', 'is not the document of a build'],
    ['{"images": [{"project": "api", "ref": "A B"}]}', 'has a reference for api that is none'],
  ])('are not %s', async (text, message) => {
    expect(await read(text)).toMatchObject({
      ok: false,
      problem: { code: 'buildArtifactsInvalid', message: `${file} ${message}`, exitCode: 2 },
    });
  });

  it('are not in a file that is not there', async () => {
    expect(await readGivenImages(join(folder, 'none.json'), join(folder, 'out'))).toMatchObject({
      ok: false,
      problem: { code: 'buildArtifactsInvalid', message: `${join(folder, 'none.json')} cannot be read` },
    });
  });
});
