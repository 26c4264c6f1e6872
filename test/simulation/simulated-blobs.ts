import { createHash } from 'node:crypto';
import type { Readable, Writable } from 'node:stream';

import {
  BlobStoreError,
  type AppendOptions,
  type BlobAddress,
  type BlobStore,
  type ByteRange,
  type CopyOptions,
  type StagedUpload,
} from '../../src/blobs/blob-store.js';
import { parseStagedName } from '../../src/blobs/staged-name.js';
import type { Digest, DigestAlgorithm } from '../../src/digest.js';
import { below, type Random } from './random.js';

/** A file of the disk: it may have a staged and a committed name. */
interface File {
  bytes: Buffer;
  /** So many of the bytes survive a power cut. */
  synced: number;
  links: number;
}

interface CommittedName {
  readonly address: BlobAddress;
  readonly file: File;
  /** Survives a power cut. */
  synced: boolean;
}

/** A disk's refusal, ordered by the simulation. */
export class BlobFaultError extends BlobStoreError {
  constructor(what: string) {
    super('storage_failed', `simulated: ${what} failed`);
  }
}

/** What a call of the blob store meets: others go first, the process may die, the disk may fail. */
export interface BlobCalls {
  /** Awaited before a call's effect, between its parts and after it. Throws where the process dies, and where the disk fails. */
  readonly pause: (what: string, when: 'before' | 'within' | 'after') => Promise<void>;
}

/**
 * The folder of blobs that all processes share, in memory. As on a local disk with hard links: a commit gives the staged file a second name, which readers
 * see at once and a power cut may take until file and name are synced. What is only staged may vanish or be cut. The name of a staged file that is committed
 * stays: it was made before, and a journal keeps the order.
 */
export class SimulatedDisk {
  identity: string | undefined;
  readonly staged = new Map<string, File>();
  readonly committed = new Map<string, CommittedName>();

  /** One process's way to the disk. */
  open(calls: BlobCalls): BlobStore {
    return new SimulatedBlobs(this, calls);
  }

  /** The bytes of a committed generation; undefined when it is not there. */
  bytes({ digest, generation }: BlobAddress): Buffer | undefined {
    return this.committed.get(nameOf({ digest, generation }))?.file.bytes;
  }

  powerCut(random: Random): void {
    for (const [name, { file, synced }] of [...this.committed]) {
      if (!synced && random() < 0.5) {
        this.committed.delete(name);
        file.links -= 1;
      }
    }
    for (const [id, file] of [...this.staged]) if (file.links === 1 && random() < 0.4) this.staged.delete(id);
    for (const file of new Set([...this.staged.values(), ...[...this.committed.values()].map((name) => name.file)])) {
      file.bytes = file.bytes.subarray(0, file.synced + below(random, file.bytes.length - file.synced + 1));
    }
  }
}

function nameOf({ digest, generation }: BlobAddress): string {
  return `${digest}/${generation}`;
}

function generationOf(id: string): string {
  const name = parseStagedName(id);
  if (name === undefined) throw new TypeError(`${id} is no upload id`);
  return name.file;
}

class SimulatedBlobs implements BlobStore {
  readonly #disk: SimulatedDisk;
  readonly #calls: BlobCalls;
  /** As the local store: an append and a commit of one upload never overlap in a process. */
  readonly #busy = new Set<string>();

  constructor(disk: SimulatedDisk, calls: BlobCalls) {
    this.#disk = disk;
    this.#calls = calls;
  }

  stage(id: string): Promise<void> {
    return this.#call('stage', () => {
      if (!this.#disk.staged.has(id)) this.#disk.staged.set(id, { bytes: Buffer.alloc(0), synced: 0, links: 1 });
    });
  }

  staged(id: string): Promise<StagedUpload | undefined> {
    return this.#call('staged', () => {
      const file = this.#disk.staged.get(id);
      return file === undefined ? undefined : { size: file.bytes.length, ...(file.links > 1 ? { committed: true } : {}) };
    });
  }

  append(id: string, source: Readable, { offset, signal }: AppendOptions): Promise<StagedUpload> {
    return this.#exclusively(id, async () => {
      await this.#calls.pause('append', 'before');
      const file = this.#stagedFile(id);
      if (file.links > 1) throw new BlobStoreError('upload_unknown', `upload ${id} is committed`);
      if (file.bytes.length !== offset) throw new BlobStoreError('wrong_offset', `not ${offset}`, file.bytes.length);
      const abort = (): void => void source.destroy(new Error('taken over'));
      signal?.addEventListener('abort', abort);
      try {
        if (signal?.aborted === true) abort();
        for await (const chunk of source) {
          await this.#calls.pause('append', 'within');
          file.bytes = Buffer.concat([file.bytes, chunk as Buffer]);
        }
      } catch (error) {
        if (error instanceof BlobFaultError) {
          file.bytes = file.bytes.subarray(0, offset);
          throw error;
        }
        // The process's own death passes through: the source has no errors of its own but these.
        if (!(error instanceof Error) || error.name === 'CrashedError') throw error;
        throw new BlobStoreError('source_failed', error.message, file.bytes.length, { cause: error });
      } finally {
        signal?.removeEventListener('abort', abort);
      }
      await this.#calls.pause('append', 'after');
      return { size: file.bytes.length };
    });
  }

  copy(from: string, to: string, { signal }: CopyOptions): Promise<StagedUpload> {
    return this.#exclusively(to, async () => {
      await this.#calls.pause('copy', 'before');
      const source = this.#stagedFile(from);
      const bytes = Buffer.from(source.bytes);
      const committed = source.links > 1;
      const file = { bytes: bytes.subarray(0, bytes.length >> 1), synced: 0, links: 1 };
      this.#disk.staged.set(to, file);
      try {
        await this.#calls.pause('copy', 'within');
        if (signal?.aborted === true) throw new BlobStoreError('source_failed', 'aborted');
      } catch (error) {
        // A process that dies leaves the half.
        if (error instanceof BlobStoreError) this.#disk.staged.delete(to);
        throw error;
      }
      file.bytes = bytes;
      await this.#calls.pause('copy', 'after');
      return { size: bytes.length, ...(committed ? { committed } : {}) };
    });
  }

  digest(id: string, algorithm: DigestAlgorithm): Promise<Digest> {
    return this.#call(
      'digest',
      () => `${algorithm}:${createHash(algorithm).update(this.#stagedFile(id).bytes).digest('hex')}` as Digest,
    );
  }

  commit(id: string, digest: Digest): Promise<BlobAddress> {
    return this.#exclusively(id, async () => {
      await this.#calls.pause('commit', 'before');
      return this.#place(this.#stagedFile(id), { digest, generation: generationOf(id) });
    });
  }

  put(id: string, bytes: Uint8Array, digest: Digest): Promise<BlobAddress> {
    return this.#exclusively(id, async () => {
      await this.#calls.pause('put', 'before');
      const before = this.#disk.staged.get(id);
      if (before !== undefined) before.links -= 1;
      const file = { bytes: Buffer.from(bytes), synced: 0, links: 1 };
      this.#disk.staged.set(id, file);
      return this.#place(file, { digest, generation: generationOf(id) });
    });
  }

  /** Name first, then the sync, as the local store has it. */
  async #place(file: File, address: BlobAddress): Promise<BlobAddress> {
    const name = nameOf(address);
    const before = this.#disk.committed.get(name);
    if (before?.file !== file) {
      if (before !== undefined) before.file.links -= 1;
      file.links += 1;
      this.#disk.committed.set(name, { address, file, synced: false });
    }
    await this.#calls.pause('commit', 'within');
    const entry = this.#disk.committed.get(name);
    file.synced = file.bytes.length;
    if (entry?.file === file) entry.synced = true;
    await this.#calls.pause('commit', 'after');
    return address;
  }

  release(id: string): Promise<void> {
    return this.#call('release', () => {
      const file = this.#disk.staged.get(id);
      if (file !== undefined) file.links -= 1;
      this.#disk.staged.delete(id);
    });
  }

  remove(address: BlobAddress): Promise<void> {
    return this.#call('remove', () => {
      const name = nameOf(address);
      const entry = this.#disk.committed.get(name);
      if (entry !== undefined) entry.file.links -= 1;
      this.#disk.committed.delete(name);
    });
  }

  stat(address: BlobAddress): Promise<number | undefined> {
    return this.#call('stat', () => this.#disk.bytes(address)?.length);
  }

  async send(address: BlobAddress, range: ByteRange | undefined, sink: () => Writable): Promise<boolean> {
    await this.#calls.pause('send', 'before');
    const bytes = this.#disk.bytes(address);
    if (bytes === undefined) return false;
    const part = range === undefined ? bytes : bytes.subarray(range.first, range.last + 1);
    if (range !== undefined && part.length <= range.last - range.first) {
      throw new BlobStoreError('storage_failed', `${nameOf(address)} has fewer bytes than were asked for`);
    }
    const out = sink();
    out.write(Buffer.from(part.subarray(0, part.length >> 1)));
    await this.#calls.pause('send', 'within');
    out.write(Buffer.from(part.subarray(part.length >> 1)));
    return true;
  }

  readSmall(address: BlobAddress, limit: number): Promise<Buffer | undefined> {
    return this.#call('readSmall', () => {
      const bytes = this.#disk.bytes(address);
      if (bytes !== undefined && bytes.length > limit) throw new BlobStoreError('too_large', nameOf(address));
      return bytes === undefined ? undefined : Buffer.from(bytes);
    });
  }

  async *listStaged(): AsyncIterable<string> {
    for (const id of await this.#call('listStaged', () => [...this.#disk.staged.keys()])) yield id;
  }

  readIdentity(): Promise<string | undefined> {
    return Promise.resolve(this.#disk.identity);
  }

  isEmpty(): Promise<boolean> {
    return Promise.resolve(this.#disk.staged.size + this.#disk.committed.size === 0);
  }

  writeIdentity(identity: string): Promise<void> {
    this.#disk.identity = identity;
    return Promise.resolve();
  }

  markFounded(): Promise<void> {
    return Promise.resolve();
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  async #call<T>(what: string, effect: () => T): Promise<T> {
    await this.#calls.pause(what, 'before');
    const result = effect();
    await this.#calls.pause(what, 'after');
    return result;
  }

  async #exclusively<T>(id: string, work: () => Promise<T>): Promise<T> {
    if (this.#busy.has(id)) {
      throw new BlobStoreError('wrong_offset', `upload ${id} is being written to`, this.#disk.staged.get(id)?.bytes.length);
    }
    this.#busy.add(id);
    try {
      return await work();
    } finally {
      this.#busy.delete(id);
    }
  }

  #stagedFile(id: string): File {
    const file = this.#disk.staged.get(id);
    if (file === undefined) throw new BlobStoreError('upload_unknown', `no upload ${id} is staged`);
    return file;
  }
}
