import { createLog } from '../../src/events/log.js';
import type { Position } from '../../src/events/position.js';
import type { RecordedEvent } from '../../src/events/types.js';
import { KeyValueError, type Database, type KeyValue, type Transaction } from '../../src/keyvalue/database.js';
import { boundsOf, type Keyspace } from '../../src/keyvalue/keyspace.js';
import { SimulatedStore, VirtualClock } from '../../src/keyvalue/simulated.js';
import { pack, unpack } from '../../src/keyvalue/tuple.js';
import { parseLive } from '../../src/projections/live.js';
import { applyEvent, type DirectoryName, type Projection } from '../../src/projections/projection.js';
import { registered } from '../../src/projections/registered.js';
import { versionOf, type Store } from '../../src/projections/store.js';
import { BuildView } from '../../src/projections/views.js';

const DIFFERENCES_SHOWN = 20;

/**
 * Folds the whole log of both directories into fresh stores, and compares every key and value of every projection with the live ones, byte for byte. A
 * line for each difference; none when they are equal. Nobody may write meanwhile. `projections`: what the release knows that wrote the store.
 */
export async function compareWithFold(
  store: Pick<Store, 'database' | 'keyspaces'>,
  projections: readonly Projection[] = registered,
): Promise<readonly string[]> {
  const differences = [
    ...(await compareDirectory(store, 'registry', projections)),
    ...(await compareDirectory(store, 'platform', projections)),
  ];
  const more = differences.length - DIFFERENCES_SHOWN;
  return more > 0 ? [...differences.slice(0, DIFFERENCES_SHOWN), `and ${more} more`] : differences;
}

async function compareDirectory(
  { database, keyspaces }: Pick<Store, 'database' | 'keyspaces'>,
  name: DirectoryName,
  projections: readonly Projection[],
) {
  const keyspace = keyspaces[name];
  const live = parseLive((await database.read((tx) => tx.get(keyspace.metaLive))) ?? Buffer.from('{}'));
  const builds = new Map(
    live.projections.map(({ name: projectionName, version, build }) => {
      const newest = projections.find((candidate) => candidate.name === projectionName);
      const found = newest && versionOf(newest, version);
      if (found === undefined) throw new Error(`projection ${projectionName} v${version} is live and not known`);
      return [found, keyspace.projection(projectionName, build)] as const;
    }),
  );
  const fresh = new SimulatedStore({ seed: 1, clock: new VirtualClock() }).connect();
  // What was erased goes on holding what it held.
  for (const kind of ['content', 'erased']) await copy(database, fresh, pack(keyspace.directory, [kind]));
  const log = createLog(keyspace);
  for (let after: Position | undefined; ;) {
    const from = after;
    const batch = await database.read((tx) => log.readFrom(tx, live.incarnation, from, { limit: 100 }));
    const apply = (events: readonly RecordedEvent[]) => fresh.transact((tx) => applyAll(tx, keyspace, builds, events));
    try {
      await apply(batch.events);
    } catch (error) {
      if (!(error instanceof KeyValueError) || error.code !== 'transaction_too_large') throw error;
      for (const event of batch.events) await apply([event]);
    }
    after = batch.next;
    if (batch.tailReached) break;
  }
  // All of them, so that a key of no live build is a difference, too.
  const all = pack(keyspace.directory, ['projection']);
  return compare(await read(database, all), await read(fresh, all), all);
}

/** The plainest way to do it, which no rebuild takes. */
export async function applyAll(
  tx: Transaction,
  keyspace: Keyspace,
  builds: ReadonlyMap<Projection, Buffer>,
  events: readonly RecordedEvent[],
): Promise<void> {
  for (const event of events) {
    for (const [projection, prefix] of builds) {
      await applyEvent(projection, event, new BuildView(tx, keyspace, prefix).at(event.position));
    }
  }
}

async function copy(from: Database, to: Database, prefix: Buffer): Promise<void> {
  const pairs = [...(await read(from, prefix))];
  while (pairs.length > 0) {
    const some = pairs.splice(0, 50);
    await to.transact((tx) => {
      for (const { key, value } of some) tx.set(key, value);
      return Promise.resolve();
    });
  }
}

async function read(database: Database, prefix: Buffer): Promise<readonly KeyValue[]> {
  const { begin, end } = boundsOf(prefix);
  const pairs: KeyValue[] = [];
  for (let from = begin; ;) {
    const start = from;
    const page = await database.read((tx) => tx.getRange(start, end, { targetBytes: 1_000_000 }));
    const last = page.at(-1);
    if (last === undefined) return pairs;
    pairs.push(...page);
    from = Buffer.concat([last.key, Buffer.from([0x00])]);
  }
}

function compare(live: readonly KeyValue[], folded: readonly KeyValue[], prefix: Buffer): string[] {
  const expected = new Map(folded.map(({ key, value }) => [key.toString('hex'), value]));
  const differences: string[] = [];
  for (const { key, value } of live) {
    const other = expected.get(key.toString('hex'));
    expected.delete(key.toString('hex'));
    if (other === undefined) differences.push(`only live: ${show(key, prefix)} = ${text(value)}`);
    else if (!other.equals(value)) differences.push(`${show(key, prefix)} is ${text(value)}, folded ${text(other)}`);
  }
  for (const [key, value] of expected) differences.push(`only folded: ${show(Buffer.from(key, 'hex'), prefix)} = ${text(value)}`);
  return differences;
}

function show(key: Buffer, prefix: Buffer): string {
  const items = unpack(key.subarray(prefix.length)).map((item) => {
    const value = typeof item === 'object' && item !== null && 'value' in item ? item.value : item;
    return Buffer.isBuffer(value) ? value.toString('hex') : String(value);
  });
  return items.join('/');
}

function text(value: Buffer): string {
  return `${value.toString('hex', 0, 60)} (${value.length} bytes) ${JSON.stringify(value.toString('latin1').slice(0, 80))}`;
}
