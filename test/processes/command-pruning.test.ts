import { expect, test } from 'vitest';

import { parseUid, type Uid } from '../../src/identifiers.js';
import type { KeyBounds } from '../../src/keyvalue/keyspace.js';
import { pruneCommands } from '../../src/processes/command-pruning.js';
import { encodeJson } from '../../src/projections/projection.js';
import { simulate } from '../commands/fixture.js';
import { newClock } from '../support/database.js';

const DAY = 24 * 3_600 * 1_000_000;

function idOf(first: string, number: number, version: 7 | 8): Uid {
  const uid = parseUid(`${first}-0000-${version}000-8000-${String(number).padStart(12, '0')}`);
  if (uid === undefined) throw new Error('no uid');
  return uid;
}

test('outcomes older than a day are forgotten, in whatever order their ids are', async () => {
  const at = await simulate({ clock: newClock() });
  const keyspace = at.store.keyspaces.registry;
  const now = Number(await at.store.database.read((tx) => tx.time()));
  const outcome = (age: number) => encodeJson({ outcome: true, at: now - age });
  const left = ({ begin, end }: KeyBounds) => at.store.database.read((tx) => tx.getRange(begin, end));
  await at.store.database.transact((tx) => {
    const { begin, end } = keyspace.commands;
    tx.clearRange(begin, end);
    for (let number = 0; number < 1_300; number += 1) {
      tx.set(keyspace.command(idOf('01900000', number, 7)), outcome(DAY + 60_000_000));
      // Every other of a client's keys is old, all through the range.
      const first = number.toString(16).padStart(8, '0');
      tx.set(keyspace.idempotent(idOf(first, number, 8)), outcome(number % 2 === 0 ? DAY + 60_000_000 : 60_000_000));
    }
    // A server whose clock was behind made this id.
    tx.set(keyspace.command(idOf('01800000', 1, 7)), outcome(60_000_000));
    for (let number = 0; number < 600; number += 1) tx.set(keyspace.command(idOf('01910000', number, 7)), outcome(60_000_000));
    return Promise.resolve();
  });
  expect(await pruneCommands(at.store)).toBe(1_300 + 650);
  expect(await pruneCommands(at.store)).toBe(0);
  expect(await left(keyspace.commands)).toHaveLength(601);
  expect(await left(keyspace.idempotents)).toHaveLength(650);
});
