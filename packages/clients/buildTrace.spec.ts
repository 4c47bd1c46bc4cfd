import { buildTrace } from './buildTrace';
import { encodeStrings } from './protobuf';

/** A field that holds bytes, as the wire has it; long enough lengths are not needed here. */
function field(number: number, bytes: Buffer): Buffer {
  return Buffer.concat([Buffer.of((number << 3) | 2, bytes.length), bytes]);
}

const started = field(5, Buffer.of(0x08, 0x01));
const cached = Buffer.of((4 << 3) | 0, 1);
const vertex = (digest: string, name: string, ...more: readonly Buffer[]): Buffer =>
  field(1, Buffer.concat([encodeStrings({ 1: digest, 3: name }), ...more]));
const log = (digest: string, text: string): Buffer => field(3, Buffer.concat([encodeStrings({ 1: digest }), field(4, Buffer.from(text))]));

function trace(...messages: readonly Buffer[]) {
  const lines: string[] = [];
  const all = buildTrace((line) => lines.push(line));
  for (const message of messages) all.add(message);
  return { failed: all.end(), lines };
}

describe('buildTrace', () => {
  it('names a step once, when it starts', () => {
    const { lines } = trace(vertex('d1', '[1/2] FROM x'), vertex('d1', '[1/2] FROM x', started), vertex('d1', '[1/2] FROM x', started));
    expect(lines).toEqual(['[1/2] FROM x']);
  });

  it('says that a step was taken from the cache', () => {
    expect(trace(vertex('d1', '[2/2] COPY a /a', cached)).lines).toEqual(['[2/2] COPY a /a (cached)']);
  });

  it('leaves out what the engine does for itself', () => {
    expect(trace(vertex('d1', '[internal] load metadata for x', started)).lines).toEqual([]);
  });

  it('puts printed lines together and gives the last one without an end', () => {
    expect(trace(log('d1', 'on'), log('d2', 'two\n'), log('d1', 'e\nthr'), log('d1', 'ee')).lines).toEqual(['two', 'one', 'three']);
  });

  it('keeps what a progress bar showed last', () => {
    expect(trace(log('d1', '10%\r50%\r100%\n')).lines).toEqual(['100%']);
  });

  it('knows the failing step with what it printed, not one that was cancelled beside it', () => {
    const { failed } = trace(
      vertex('d1', '[a 2/3] RUN sleep 1', started, encodeStrings({ 7: 'context canceled' })),
      log('d2', 'the reason\n'),
      vertex('d2', '[b 2/3] RUN make', started, encodeStrings({ 7: 'exit code: 2' })),
    );
    expect(failed).toEqual({ instruction: 'RUN make', error: 'exit code: 2', printed: ['the reason'] });
  });
});
