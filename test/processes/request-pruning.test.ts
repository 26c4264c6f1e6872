import { expect, test } from 'vitest';

import { createRepository } from '../../src/commands/repository.js';
import { createClientHash } from '../../src/identity/client-hash.js';
import type { Uid } from '../../src/identifiers.js';
import { pruneRequests, REQUEST_KEPT_MS } from '../../src/processes/request-pruning.js';
import { decodeJson } from '../../src/projections/projection.js';
import { create, events, nameOf, simulate, type Simulation } from '../commands/fixture.js';
import { newClock } from '../support/database.js';

const client = {
  address: '192.0.2.7',
  userAgent: 'docker/28',
  hash: createClientHash(Buffer.alloc(32, 7))('192.0.2.7', 'docker/28'),
};

function requestAt(milliseconds: number, digit: number): Uid {
  const hex = Math.floor(milliseconds).toString(16).padStart(12, '0');
  return `${hex.slice(0, 8)}-${hex.slice(8)}-7000-8000-${String(digit).padStart(12, '0')}` as Uid;
}

const read = (at: Simulation, request: Uid) =>
  at.store.database.read((tx) => tx.get(at.store.keyspaces.registry.request(request)));

test("a client's address and agent lie beside the log alone; its events have a salted hash", async () => {
  const at = await simulate();
  const context = { ...at.context(), client };
  await createRepository(at.executor, context, {
    kind: 'CreateRepository',
    name: nameOf('shop/web'),
    origin: 'push',
    scanning: true,
    newRepository: at.newId(),
    newProject: at.newId(),
  });
  const [event] = await events(at);
  // printf '192.0.2.7\\ndocker/28' | openssl dgst -sha256 -mac HMAC -macopt hexkey:0707...
  expect(event?.clientHash).toBe('44b96b4bdecaaced9a8f05f602151609288ea986d15b3ae12ab2a5b2a241fa60');
  const beside = await read(at, context.requestId);
  expect(beside && decodeJson(beside)).toEqual({ address: '192.0.2.7', userAgent: 'docker/28' });
  await create(at, 'shop/other');
  expect((await events(at)).at(-1)?.clientHash).toBeUndefined();
});

test('they are forgotten 90 days after the request, however many there are', async () => {
  const clock = newClock();
  const at = await simulate({ clock });
  const now = Number(await at.store.database.read((tx) => tx.time())) / 1_000;
  const old = Array.from({ length: 1_100 }, (_, index) => requestAt(now - REQUEST_KEPT_MS - 60_000, index));
  const young = requestAt(now - REQUEST_KEPT_MS + 60_000, 1);
  await at.store.database.transact((tx) => {
    for (const request of [...old, young]) tx.set(at.store.keyspaces.registry.request(request), Buffer.from('{}'));
    return Promise.resolve();
  });
  expect(await pruneRequests(at.store)).toBe(1_100);
  expect(await pruneRequests(at.store)).toBe(0);
  expect(await read(at, old[0] ?? young)).toBeUndefined();
  expect(await read(at, old.at(-1) ?? young)).toBeUndefined();
  expect(await read(at, young)).toBeDefined();
});
