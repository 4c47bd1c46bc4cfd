import { failed, succeeded, type BuiltImage, type Result } from '../model';
import { SupersededImages } from './supersededImages';

const image = (ref: string, location: BuiltImage['location'] = 'engine'): BuiltImage => ({ ref, location, id: ref });
const inUse = failed({ code: 'engineRefused', message: 'a container runs from it', retry: 'never', exitCode: 1 });

/** `busy` are images that the engine does not remove. */
function engine(busy: ReadonlySet<string> = new Set()): { readonly removed: string[]; remove(ref: string): Promise<Result<void>> } {
  const removed: string[] = [];
  return {
    removed,
    remove(ref) {
      if (busy.has(ref)) return Promise.resolve(inUse);
      removed.push(ref);
      return Promise.resolve(succeeded(undefined));
    },
  };
}

it('removes the image that a new one of the same artifact takes the place of, and no other', async () => {
  const own = engine();
  const images = new SupersededImages(own);
  await images.delivered('api', image('api:1'));
  await images.delivered('web', image('web:1'));
  expect(own.removed).toEqual([]);
  await images.delivered('api', image('api:2'));
  await images.delivered('api', image('api:2'));
  expect(own.removed).toEqual(['api:1']);
});

it('leaves alone what is in a registry', async () => {
  const own = engine();
  const images = new SupersededImages(own);
  await images.delivered('api', image('api:1', 'registry'));
  await images.delivered('api', image('api:2'));
  expect(own.removed).toEqual([]);
});

it('tries again what a container still ran from', async () => {
  const busy = new Set(['api:1']);
  const own = engine(busy);
  const images = new SupersededImages(own);
  await images.delivered('api', image('api:1'));
  await images.delivered('api', image('api:2'));
  expect(own.removed).toEqual([]);
  busy.clear();
  await images.delivered('api', image('api:3'));
  expect(own.removed).toEqual(['api:1', 'api:2']);
});
