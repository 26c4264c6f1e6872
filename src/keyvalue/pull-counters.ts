import type { Digest } from '../digest.js';
import type { ImagePath, Uid } from '../identifiers.js';
import type { ReadTransaction, Transaction } from './database.js';
import type { CounterName, Keyspace } from './keyspace.js';

/**
 * How often a manifest was pulled, and when last. No events: nobody's history has a line for each pull, and a replay does not bring them back. They are of the
 * repository's uid, so that one made anew under its id has none, and of a manifest that is there: they are cleared in the transaction that deletes it
 * (commands/deleted-pulls.ts), and whoever adds to them reads its record in the same transaction (processes/pull-counting.ts).
 */
export interface PulledManifest {
  readonly repository: Uid;
  readonly image: ImagePath;
  readonly digest: Digest;
}

export interface Pulls {
  readonly pulls: number;
  /** Database time in microseconds since 1970; undefined where nobody has pulled it yet. */
  readonly last: number | undefined;
}

/** Reads nothing, so that all servers may add to one manifest at once. `time`: of the last pull; an earlier one than is there changes nothing. */
export function addPulls(tx: Transaction, keyspace: Keyspace, manifest: PulledManifest, pulls: number, time: bigint): void {
  const key = keyOf(keyspace, manifest);
  tx.add(key('pulls'), BigInt(pulls));
  tx.max(key('last'), time);
}

export function clearPulls(tx: Transaction, keyspace: Keyspace, { repository, image, digest }: PulledManifest): void {
  const { begin, end } = keyspace.counters(repository, image, digest);
  tx.clearRange(begin, end);
}

/** Costs one read of a range. Not for `Store.readCached`: they change without an event. */
export async function readPulls(tx: ReadTransaction, keyspace: Keyspace, manifest: PulledManifest): Promise<Pulls> {
  const { begin, end } = keyspace.counters(manifest.repository, manifest.image, manifest.digest);
  const key = keyOf(keyspace, manifest);
  const pairs = await tx.getRange(begin, end);
  const numberAt = (name: CounterName): number | undefined => {
    const value = pairs.find((pair) => pair.key.equals(key(name)))?.value;
    return value && Number(value.readBigUInt64LE());
  };
  return { pulls: numberAt('pulls') ?? 0, last: numberAt('last') };
}

function keyOf(keyspace: Keyspace, { repository, image, digest }: PulledManifest): (name: CounterName) => Buffer {
  return (name) => keyspace.counter(repository, image, digest, name);
}
