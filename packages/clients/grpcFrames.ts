/** gRPC puts a flag and the length in front of each message. */
const headLength = 5;

export function framed(message: Buffer): Buffer {
  const head = Buffer.alloc(headLength);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** Parts what arrives into messages. */
export function frameReader(onMessage: (message: Buffer) => void): (bytes: Buffer) => void {
  let received: Buffer = Buffer.alloc(0);
  return (bytes) => {
    received = received.length === 0 ? bytes : Buffer.concat([received, bytes]);
    for (;;) {
      const length = received.length < headLength ? Infinity : headLength + received.readUInt32BE(1);
      if (received.length < length) return;
      const message = received.subarray(headLength, length);
      received = received.subarray(length);
      onMessage(message);
    }
  };
}
