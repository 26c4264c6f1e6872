import type { Database, KeyValue, RangeOptions, ReadTransaction, Transaction } from '../../src/keyvalue/database.js';

/** A database whose keys all lie behind a prefix, which its users don't see. The metadata version is the whole store's. */
export function confine(database: Database, prefix: Buffer): Database {
  return {
    quietVersions: database.quietVersions,
    transact: (body, options) => database.transact((tx) => body(new Confined(tx, prefix)), options),
    read: (body) => database.read((tx) => body(new ConfinedReads(tx, prefix))),
    close: () => database.close(),
  };
}

class ConfinedReads<Tx extends ReadTransaction> implements ReadTransaction {
  constructor(
    protected readonly tx: Tx,
    protected readonly prefix: Buffer,
  ) {}

  readVersion(): Promise<bigint> {
    return this.tx.readVersion();
  }

  time(): Promise<bigint> {
    return this.tx.time();
  }

  metadataVersion(): Promise<Buffer | undefined> {
    return this.tx.metadataVersion();
  }

  get(key: Buffer): Promise<Buffer | undefined> {
    return this.tx.get(this.within(key));
  }

  async getRange(begin: Buffer, end: Buffer, options: RangeOptions = {}): Promise<readonly KeyValue[]> {
    const { targetBytes, ...others } = options;
    // The bytes that are counted are the caller's, without the prefix: enough is read, and what is too much is left out.
    const inAll =
      targetBytes === undefined ? {} : { targetBytes: targetBytes + this.prefix.length * (options.limit ?? Infinity) };
    const pairs = await this.tx.getRange(this.within(begin), this.within(end), { ...others, ...inAll });
    const own: KeyValue[] = [];
    let bytes = 0;
    for (const { key, value } of pairs) {
      // A copy: the caller's own, as a buffer of its own is.
      own.push({ key: Buffer.from(key.subarray(this.prefix.length)), value });
      bytes += key.length - this.prefix.length + value.length;
      if (targetBytes !== undefined && bytes >= targetBytes) break;
    }
    return own;
  }

  protected within(key: Buffer): Buffer {
    return Buffer.concat([this.prefix, key]);
  }
}

class Confined extends ConfinedReads<Transaction> implements Transaction {
  get snapshot(): ReadTransaction {
    return new ConfinedReads(this.tx.snapshot, this.prefix);
  }

  set(key: Buffer, value: Buffer): void {
    this.tx.set(this.within(key), value);
  }

  clear(key: Buffer): void {
    this.tx.clear(this.within(key));
  }

  clearRange(begin: Buffer, end: Buffer): void {
    this.tx.clearRange(this.within(begin), this.within(end));
  }

  add(key: Buffer, delta: bigint): void {
    this.tx.add(this.within(key), delta);
  }

  max(key: Buffer, value: bigint): void {
    this.tx.max(this.within(key), value);
  }

  setVersionstampedKey(template: Buffer, offset: number, value: Buffer): void {
    this.tx.setVersionstampedKey(this.within(template), offset + this.prefix.length, value);
  }

  setVersionstampedValue(key: Buffer, template: Buffer, offset: number): void {
    this.tx.setVersionstampedValue(this.within(key), template, offset);
  }

  touchMetadata(): void {
    this.tx.touchMetadata();
  }

  addReadConflictRange(begin: Buffer, end: Buffer): void {
    this.tx.addReadConflictRange(this.within(begin), this.within(end));
  }

  addWriteConflictRange(begin: Buffer, end: Buffer): void {
    this.tx.addWriteConflictRange(this.within(begin), this.within(end));
  }

  watch(key: Buffer): ReturnType<Transaction['watch']> {
    return this.tx.watch(this.within(key));
  }

  versionstamp(): Promise<Buffer> {
    return this.tx.versionstamp();
  }
}
