import { parseUid } from '../identifiers.js';
import type { Reading } from '../projections/store.js';
import { findUserUid } from '../projections/users.js';
import { nameHash, saltOf } from './directory.js';

/** Those who act without a uid. */
const nameless = ['system', 'anonymous'] as const;

/** As history filters by: a uid, `system` or `anonymous` as it stands; undefined for anything else, which may be a login name. */
export function actorWithoutLookup(text: string): string | undefined {
  return nameless.find((name) => name === text) ?? parseUid(text.toLowerCase());
}

/** The uid behind a login name; undefined where nobody has it. */
export async function findActor(reading: Reading, loginName: string): Promise<string | undefined> {
  return findUserUid(reading, nameHash(await saltOf(reading), loginName));
}
