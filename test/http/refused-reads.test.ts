import { expect, test } from 'vitest';

import { deleteBlob } from '../../src/commands/blob.js';
import { deleteTag } from '../../src/commands/tag.js';
import { RefusalError } from '../../src/errors.js';
import type { Actor } from '../../src/events/types.js';
import type { Exchange } from '../../src/http/exchange.js';
import { getManifest } from '../../src/http/manifests.js';
import type { Database, ReadTransaction } from '../../src/keyvalue/database.js';
import { SimulatedStore, VirtualClock } from '../../src/keyvalue/simulated.js';
import { blobOf, create, found, nameOf, pushImage, tagOf, type Workplace } from '../commands/fixture.js';

/** A registry with shop/web:latest, somebody who may nothing, and how many keys and ranges a task reads. */
async function setUp(): Promise<{ at: Workplace; stranger: Actor; readsOf: (task: () => Promise<unknown>) => Promise<number> }> {
  let reads = 0;
  const counting = <Tx extends ReadTransaction>(tx: Tx): Tx =>
    new Proxy(tx, {
      get(target, property) {
        if (property === 'get' || property === 'getRange') reads += 1;
        const value: unknown = Reflect.get(target, property, target);
        return typeof value === 'function' ? (value.bind(target) as unknown) : value;
      },
    });
  const simulated = new SimulatedStore({ seed: 1, clock: new VirtualClock(), faults: {} }).connect('counted');
  const database: Database = {
    quietVersions: simulated.quietVersions,
    transact: (body, options) => simulated.transact((tx) => body(counting(tx)), options),
    read: (body) => simulated.read((tx) => body(counting(tx))),
    close: () => simulated.close(),
  };
  const at = await found(database);
  await create(at, 'shop/web');
  await pushImage(at, 'shop/web', 'x', ['latest']);
  const readsOf = async (task: () => Promise<unknown>): Promise<number> => {
    reads = 0;
    await task();
    return reads;
  };
  return { at, stranger: { kind: 'user', uid: at.newId(), authentication: 'password' }, readsOf };
}

const query = new URLSearchParams();

/** The handlers of a reference touch no more of an exchange than this before they refuse. */
const exchangeOf = (at: Workplace, actor: Actor) =>
  ({
    services: { executor: at.executor },
    request: { told: {}, headers: {}, method: 'GET' },
    caller: { actor, access: undefined, viaToken: false },
    query,
  }) as unknown as Exchange;

const layer = blobOf('layer of x').digest;
const other = blobOf('other').digest;

test.each([
  [
    'GET of a manifest',
    (at: Workplace, actor: Actor, name: string, tag: string) =>
      expect(getManifest(exchangeOf(at, actor), nameOf(name), tag)).rejects.toThrow(RefusalError),
  ],
  [
    'GET of a tag at a time',
    (at: Workplace, actor: Actor, name: string, tag: string) =>
      expect(getManifest(exchangeOf(at, actor), nameOf(name), `${tag}.at.2025-01-01T00-00-00Z`)).rejects.toThrow(RefusalError),
  ],
  [
    'DELETE of a tag',
    async (at: Workplace, actor: Actor, name: string, tag: string) => {
      const deleted = await deleteTag(at.executor, at.context(actor), { kind: 'DeleteTag', name: nameOf(name), tag: tagOf(tag) });
      expect(deleted).toMatchObject({ refused: 'DENIED' });
    },
  ],
  [
    'DELETE of a blob',
    async (at: Workplace, actor: Actor, name: string, tag: string) => {
      const digest = tag === 'latest' ? layer : other;
      const deleted = await deleteBlob(at.executor, at.context(actor), { kind: 'DeleteBlob', name: nameOf(name), digest });
      expect(deleted).toMatchObject({ refused: 'DENIED' });
    },
  ],
] as const)('a %s by a stranger reads the same, whatever is there: no time tells', async (_, ask) => {
  const { at, stranger, readsOf } = await setUp();
  const there = await readsOf(() => ask(at, stranger, 'shop/web', 'latest'));
  expect(there).toBeGreaterThan(0);
  expect(await readsOf(() => ask(at, stranger, 'shop/web', 'none'))).toBe(there);
  expect(await readsOf(() => ask(at, stranger, 'shop/none', 'latest'))).toBe(there);
});
