import { createCipheriv, createDecipheriv, createHmac, randomBytes } from 'node:crypto';

import { parseUid } from '../identifiers.js';
import type { CatalogEntry } from '../projections/images.js';
import type { Reading } from '../projections/store.js';

/**
 * A place in the catalog as a Link's `last` where the reader of the Link may not be shown the name that stands there: sealed under the store's salt, so that
 * every server of the store can open it. Not guaranteed: that a place is used by whom it was given to; what it leads to is judged like any listing.
 */

// No name begins with it.
const MARK = '~';
const CIPHER = 'aes-256-gcm';
const IV_BYTES = 12;
const TAG_BYTES = 16;
// Longer than any place: the length of what is sealed says nothing.
const PADDED_LENGTH = 320;

/** The place of an entry, or behind all names below a text. */
export type CatalogPlace = string | CatalogEntry;

/** Seals a place; at most 500 characters. */
export async function sealPlace(reading: Reading, place: CatalogPlace): Promise<string> {
  const iv = randomBytes(IV_BYTES);
  const cipher = createCipheriv(CIPHER, await placeKey(reading), iv);
  const text = JSON.stringify(place);
  const padded = Buffer.alloc(Math.max(PADDED_LENGTH, Buffer.byteLength(text)), ' ');
  padded.write(text);
  return MARK + Buffer.concat([iv, cipher.update(padded), cipher.final(), cipher.getAuthTag()]).toString('base64url');
}

/** Undefined for what `sealPlace` did not make, which is a name like any other. */
export async function openPlace(reading: Reading, text: string): Promise<CatalogPlace | undefined> {
  if (!text.startsWith(MARK)) return undefined;
  const bytes = Buffer.from(text.slice(MARK.length), 'base64url');
  if (bytes.length < IV_BYTES + TAG_BYTES) return undefined;
  const decipher = createDecipheriv(CIPHER, await placeKey(reading), bytes.subarray(0, IV_BYTES), { authTagLength: TAG_BYTES });
  decipher.setAuthTag(bytes.subarray(-TAG_BYTES));
  try {
    const padded = Buffer.concat([decipher.update(bytes.subarray(IV_BYTES, -TAG_BYTES)), decipher.final()]);
    return placeOf(JSON.parse(padded.toString()));
  } catch {
    return undefined;
  }
}

function placeOf(value: unknown): CatalogPlace | undefined {
  if (typeof value === 'string') return value;
  if (typeof value !== 'object' || value === null || !('name' in value) || !('repository' in value)) return undefined;
  const repository = typeof value.repository === 'string' ? parseUid(value.repository) : undefined;
  return typeof value.name !== 'string' || repository === undefined ? undefined : { name: value.name, repository };
}

async function placeKey({ tx, platform }: Reading): Promise<Buffer> {
  const salt = await tx.get(platform.keyspace.metaSalt);
  if (salt === undefined) throw new Error('the store has no salt: it was never set up');
  return createHmac('sha256', salt).update('a place in the catalog').digest();
}
