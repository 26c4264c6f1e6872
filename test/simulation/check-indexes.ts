import { createLog } from '../../src/events/log.js';
import type { Position } from '../../src/events/position.js';
import type { KeyValue } from '../../src/keyvalue/database.js';
import { boundsOf, type Keyspace } from '../../src/keyvalue/keyspace.js';
import { pack, unpack } from '../../src/keyvalue/tuple.js';
import { findBuild, listBuilds } from '../../src/projections/builds.js';
import { parseLive } from '../../src/projections/live.js';
import type { Projection } from '../../src/projections/projection.js';
import type { Store } from '../../src/projections/store.js';
import { versionOf } from '../../src/projections/store.js';
import { applyAll } from '../support/fold.js';
import { plainStore } from './plain-store.js';

const SHOWN = 5;

/**
 * Folds the log of a frozen store anew and compares it with its live builds, key by key and byte for byte; the build of an async projection with the fold up to
 * its checkpoint. `atRest`: nothing is under way, so an async projection has the whole log, no build but the live ones has a key or a record that waits.
 */
export async function checkIndexes(
  like: Pick<Store, 'keyspaces' | 'projections'>,
  pairs: readonly KeyValue[],
  atRest: boolean,
): Promise<readonly string[]> {
  const store = plainStore(pairs);
  const differences: string[] = [];
  for (const name of ['registry', 'platform'] as const) {
    differences.push(...(await checkDirectory(store, like.keyspaces[name], like.projections, atRest)));
  }
  return differences.slice(0, SHOWN);
}

async function checkDirectory(
  store: ReturnType<typeof plainStore>,
  keyspace: Keyspace,
  projections: readonly Projection[],
  atRest: boolean,
): Promise<readonly string[]> {
  const live = parseLive((await store.read((tx) => tx.get(keyspace.metaLive))) ?? Buffer.from('{}'));
  const log = createLog(keyspace);
  const { events } = await store.read((tx) => log.readFrom(tx, live.incarnation, undefined, { limit: 1e6, targetBytes: 1e9 }));
  const fresh = plainStore(pairsUnder(store, pack(keyspace.directory, ['content'])));
  const differences: string[] = [];
  const allPrefix = pack(keyspace.directory, ['projection']);
  const expected = new Map<string, Buffer>();
  for (const { name, version, build, mode } of live.projections) {
    const newest = projections.find((candidate) => candidate.name === name);
    const projection = newest && versionOf(newest, version);
    if (projection === undefined) throw new Error(`${name} ${version} is live and nobody knows it`);
    const prefix = keyspace.projection(name, build);
    const checkpoint =
      mode === 'inline' ? undefined : ((await store.read((tx) => findBuild(tx, keyspace, build)))?.checkpoint ?? 'none');
    const last = events.at(-1)?.position;
    if (
      atRest &&
      mode === 'async' &&
      last !== undefined &&
      (checkpoint === 'none' || checkpoint?.stamp.equals(last.stamp) !== true)
    )
      differences.push(`${name} does not follow to the end of the log`);
    const folded = checkpoint === undefined ? events : events.filter(({ position }) => isIn(position, checkpoint));
    for (let at = 0; at < folded.length; at += 100) {
      await fresh.transact((tx) => applyAll(tx, keyspace, new Map([[projection, prefix]]), folded.slice(at, at + 100)));
    }
    for (const { key, value } of pairsUnder(fresh, prefix)) expected.set(key.toString('hex'), value);
    if (!atRest) differences.push(...compare(pairsUnder(store, prefix), new Map(under(expected, prefix)), allPrefix));
  }
  if (atRest) {
    differences.push(...compare(pairsUnder(store, allPrefix), expected, allPrefix));
    const builds = await store.read((tx) => listBuilds(tx, keyspace));
    for (const { build, state, replaced } of builds) {
      const isLive = live.projections.some((entry) => entry.build === build);
      if (state !== 'live' || replaced.length > 0 || !isLive) differences.push(`build ${build} is left behind, ${state}`);
    }
  }
  return differences;
}

function isIn({ stamp }: Position, checkpoint: Position | 'none'): boolean {
  return checkpoint !== 'none' && Buffer.compare(stamp, checkpoint.stamp) <= 0;
}

function pairsUnder({ pairs }: ReturnType<typeof plainStore>, prefix: Buffer): readonly KeyValue[] {
  const { begin, end } = boundsOf(prefix);
  return [...pairs.range(begin, end, false)];
}

function under(pairs: ReadonlyMap<string, Buffer>, prefix: Buffer): readonly (readonly [string, Buffer])[] {
  return [...pairs].filter(([key]) => key.startsWith(prefix.toString('hex')));
}

function compare(live: readonly KeyValue[], expected: ReadonlyMap<string, Buffer>, prefix: Buffer): readonly string[] {
  const missing = new Map(expected);
  const differences: string[] = [];
  for (const { key, value } of live) {
    const folded = expected.get(key.toString('hex'));
    missing.delete(key.toString('hex'));
    if (folded === undefined) differences.push(`only live: ${show(key, prefix)} = ${value.toString('hex')}`);
    else if (!folded.equals(value))
      differences.push(`${show(key, prefix)} is ${value.toString('hex')}, folded ${folded.toString('hex')}`);
  }
  for (const [key, value] of missing)
    differences.push(`only folded: ${show(Buffer.from(key, 'hex'), prefix)} = ${value.toString('hex')}`);
  return differences;
}

function show(key: Buffer, prefix: Buffer): string {
  const items = unpack(key.subarray(prefix.length)).map((item) => {
    const value = typeof item === 'object' && item !== null && 'value' in item ? item.value : item;
    return Buffer.isBuffer(value) ? value.toString('hex') : String(value);
  });
  return items.join('/');
}
