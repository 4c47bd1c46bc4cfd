/** The wire format of protocol buffers, as much of it as BuildKit's messages need. */

/** A field's number with its values in order; a nested message is bytes again. */
export type Fields = ReadonlyMap<number, readonly (Buffer | bigint)[]>;

export function decodeFields(message: Buffer): Fields {
  const fields = new Map<number, (Buffer | bigint)[]>();
  let at = 0;
  const varint = (): bigint => {
    let value = 0n;
    for (let shift = 0n; at < message.length; shift += 7n) {
      const byte = message[at++] ?? 0;
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
    }
    return value;
  };
  const bytes = (length: number): Buffer => message.subarray(at, (at += length));
  while (at < message.length) {
    const key = Number(varint());
    const type = key & 7;
    const value = type === 0 ? varint() : type === 1 ? bytes(8) : type === 2 ? bytes(Number(varint())) : bytes(4);
    const values = fields.get(key >> 3);
    if (values) values.push(value);
    else fields.set(key >> 3, [value]);
  }
  return fields;
}

export function messagesIn(fields: Fields, number: number): readonly Fields[] {
  return bytesIn(fields, number).map((bytes) => decodeFields(bytes));
}

export function bytesIn(fields: Fields, number: number): readonly Buffer[] {
  return (fields.get(number) ?? []).filter((value): value is Buffer => typeof value !== 'bigint');
}

export function stringIn(fields: Fields, number: number): string {
  return bytesIn(fields, number).at(-1)?.toString('utf8') ?? '';
}

export function isTrue(fields: Fields, number: number): boolean {
  return (fields.get(number)?.at(-1) ?? 0n) !== 0n;
}

/** A message of string fields. */
export function encodeStrings(fields: Readonly<Record<number, string>>): Buffer {
  return encodeBytes(Object.fromEntries(Object.entries(fields).map(([number, text]) => [number, Buffer.from(text, 'utf8')])));
}

export function encodeBytes(fields: Readonly<Record<number, Buffer>>): Buffer {
  return encodeEach(Object.entries(fields).map(([number, bytes]) => [Number(number), bytes]));
}

/** A message whose fields may come again and again. */
export function encodeEach(fields: Iterable<readonly [number: number, bytes: Buffer]>): Buffer {
  const parts: Buffer[] = [];
  for (const [number, bytes] of fields) parts.push(encodeVarint((number << 3) | 2), encodeVarint(bytes.length), bytes);
  return Buffer.concat(parts);
}

/** The entries of a `map<string, string>`, each a message of its own. */
export function encodeMap(number: number, map: Readonly<Record<string, string>>): readonly (readonly [number: number, bytes: Buffer])[] {
  return Object.entries(map).map(([key, value]) => [number, encodeStrings({ 1: key, 2: value })] as const);
}

function encodeVarint(value: number): Buffer {
  const bytes: number[] = [];
  let rest = value;
  while (rest >= 0x80) {
    bytes.push((rest & 0x7f) | 0x80);
    rest = Math.floor(rest / 128);
  }
  return Buffer.from([...bytes, rest]);
}
