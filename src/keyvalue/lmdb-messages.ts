import type { CommitRequest, KeyRange, WriteOperation } from './commit-request.js';
import type { KeyValueErrorCode } from './database.js';

/** What the main thread and the commit worker say to each other. Requests travel as one packed array: cloning a hundred small buffers costs more. */

export interface WorkerStart {
  readonly folder: string;
  readonly create: boolean;
  readonly mapSize: number;
}

export type ToWorker =
  | {
      readonly kind: 'commit';
      readonly id: number;
      readonly request: Uint8Array;
      /** By `steadyMs`: who asked waits no longer. */
      readonly until: number;
    }
  | { readonly kind: 'close' };

/** Milliseconds by the one clock that all threads of a process share and nobody sets. */
export function steadyMs(): number {
  return Number(process.hrtime.bigint() / 1_000_000n);
}

export type FromWorker =
  | { readonly kind: 'ready' }
  | { readonly kind: 'failed'; readonly error: Error }
  /** One write transaction, with what became of each of its commits. */
  | { readonly kind: 'batch'; readonly outcomes: readonly CommitOutcome[] };

export type CommitOutcome =
  /** A fault of the request itself. */
  | { readonly id: number; readonly fault: Error }
  | { readonly id: number; readonly version: bigint }
  | { readonly id: number; readonly code: KeyValueErrorCode; readonly message: string; readonly cause?: Error };

const operationKinds = [
  'set',
  'clear',
  'clearRange',
  'add',
  'max',
  'setVersionstampedKey',
  'setVersionstampedValue',
] as const satisfies readonly WriteOperation['kind'][];

export function packRequest(request: CommitRequest): Uint8Array<ArrayBuffer> {
  const packer = new Packer();
  packer.bigint(request.readVersion);
  packer.ranges(request.reads);
  packer.ranges(request.writes);
  packer.number(request.operations.length);
  for (const operation of request.operations) packer.operation(operation);
  return packer.finish();
}

/** The buffers of the result are parts of `bytes`. */
export function unpackRequest(bytes: Uint8Array): CommitRequest {
  const unpacker = new Unpacker(bytes);
  return {
    readVersion: unpacker.bigint(),
    reads: unpacker.ranges(),
    writes: unpacker.ranges(),
    operations: unpacker.list(() => unpacker.operation()),
  };
}

/** The form in which the conflict log keeps a commit's ranges. */
export function packRanges(ranges: readonly KeyRange[]): Buffer {
  const packer = new Packer();
  packer.ranges(ranges);
  return Buffer.from(packer.finish().buffer);
}

export function unpackRanges(bytes: Uint8Array): readonly KeyRange[] {
  return new Unpacker(bytes).ranges();
}

// Packing awaits nothing, so one of these serves all packers in turn.
let scratch = Buffer.allocUnsafeSlow(65_536);

class Packer {
  #at = 0;

  number(value: number): void {
    this.#room(4);
    this.#at = scratch.writeUInt32LE(value, this.#at);
  }

  bigint(value: bigint): void {
    this.#room(8);
    this.#at = scratch.writeBigUInt64LE(BigInt.asUintN(64, value), this.#at);
  }

  buffer(value: Buffer): void {
    this.number(value.length);
    this.#room(value.length);
    value.copy(scratch, this.#at);
    this.#at += value.length;
  }

  ranges(ranges: readonly KeyRange[]): void {
    this.number(ranges.length);
    for (const range of ranges) {
      this.buffer(range.begin);
      this.buffer(range.end);
    }
  }

  operation(operation: WriteOperation): void {
    this.number(operationKinds.indexOf(operation.kind));
    switch (operation.kind) {
      case 'set':
        this.buffer(operation.key);
        this.buffer(operation.value);
        break;
      case 'clear':
        this.buffer(operation.key);
        break;
      case 'clearRange':
        this.buffer(operation.begin);
        this.buffer(operation.end);
        break;
      case 'add':
        this.buffer(operation.key);
        this.bigint(operation.delta);
        break;
      case 'max':
        this.buffer(operation.key);
        this.bigint(operation.value);
        break;
      case 'setVersionstampedKey':
        this.buffer(operation.template);
        this.number(operation.offset);
        this.buffer(operation.value);
        break;
      case 'setVersionstampedValue':
        this.buffer(operation.key);
        this.buffer(operation.template);
        this.number(operation.offset);
        break;
    }
  }

  finish(): Uint8Array<ArrayBuffer> {
    const packed = new Uint8Array(this.#at);
    packed.set(scratch.subarray(0, this.#at));
    return packed;
  }

  #room(bytes: number): void {
    if (this.#at + bytes <= scratch.length) return;
    const larger = Buffer.allocUnsafeSlow(Math.max(scratch.length * 2, this.#at + bytes));
    scratch.copy(larger, 0, 0, this.#at);
    scratch = larger;
  }
}

class Unpacker {
  readonly #bytes: Buffer;
  #at = 0;

  constructor(bytes: Uint8Array) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  number(): number {
    const value = this.#bytes.readUInt32LE(this.#at);
    this.#at += 4;
    return value;
  }

  bigint(): bigint {
    const value = this.#bytes.readBigUInt64LE(this.#at);
    this.#at += 8;
    return value;
  }

  buffer(): Buffer {
    const length = this.number();
    const begin = this.#at;
    this.#at += length;
    return this.#bytes.subarray(begin, this.#at);
  }

  list<T>(read: () => T): T[] {
    return Array.from({ length: this.number() }, read);
  }

  ranges(): readonly KeyRange[] {
    return this.list(() => ({ begin: this.buffer(), end: this.buffer() }));
  }

  operation(): WriteOperation {
    const kind = operationKinds[this.number()];
    if (kind === undefined) throw new Error('a commit request that this version does not know');
    switch (kind) {
      case 'set':
        return { kind, key: this.buffer(), value: this.buffer() };
      case 'clear':
        return { kind, key: this.buffer() };
      case 'clearRange':
        return { kind, begin: this.buffer(), end: this.buffer() };
      case 'add':
        return { kind, key: this.buffer(), delta: BigInt.asIntN(64, this.bigint()) };
      case 'max':
        return { kind, key: this.buffer(), value: this.bigint() };
      case 'setVersionstampedKey':
        return { kind, template: this.buffer(), offset: this.number(), value: this.buffer() };
      case 'setVersionstampedValue':
        return { kind, key: this.buffer(), template: this.buffer(), offset: this.number() };
    }
  }
}
