import { randomBytes, scrypt, timingSafeEqual, type ScryptOptions } from 'node:crypto';

import { Turns } from './turns.js';

/**
 * Passwords as scrypt (RFC 7914) hashes in the PHC string format. A hash names its own cost, so that the cost can be raised while old hashes still verify.
 */

const LOG_N = 15;
const BLOCK_SIZE = 8;
const PARALLELISM = 1;
const SALT_BYTES = 16;
const KEY_BYTES = 32;

const phcGrammar =
  /^\$scrypt\$ln=([1-9]|1\d|20),r=([1-9]|[12]\d|3[0-2]),p=([1-9]|1[0-6])\$([A-Za-z0-9+/]{11,86})\$([A-Za-z0-9+/]{22,86})$/;

/**
 * The process's, for scrypt: each takes 32 MiB and a thread of the pool that the blobs' files are read on, for about 100 ms. Strangers wait in lines; passwords that were
 * right before go ahead of them, and so does what somebody who is known already asks for.
 */
export const scryptTurns = new Turns({ atOnce: 2, waitingAtMost: 128 });

/** `by`: who wants it, and was let in. Throws TOO_MANY_REQUESTS when too many wait. */
export async function hashPassword(password: string, by = ''): Promise<string> {
  const salt = randomBytes(SALT_BYTES);
  return formatHash(salt, await deriveInTurn(password, salt, by));
}

/** What stands for a text that holds a password, the same for the same `salt`: as dear to guess from as a hash. `by`, and what it throws: as `hashPassword`. */
export async function fingerprintOf(text: string, salt: string, by = ''): Promise<string> {
  return (await deriveInTurn(text, Buffer.from(salt), by)).toString('base64url');
}

/** Compares in constant time. Throws on a hash that is none. Takes no turn: VerifiedPasswords does, who knows whose it is. */
export async function verifyPassword(password: string, hash: string): Promise<boolean> {
  const [, logN, r, p, salt, key] = phcGrammar.exec(hash) ?? [];
  if (salt === undefined || key === undefined) throw new Error('a stored password hash cannot be read');
  const expected = Buffer.from(key, 'base64');
  const actual = await derive(password, Buffer.from(salt, 'base64'), expected.length, Number(logN), Number(r), Number(p));
  return timingSafeEqual(actual, expected);
}

/** A hash that no password has: verifying against it costs what verifying a user's does. */
export function unmatchableHash(): string {
  return formatHash(randomBytes(SALT_BYTES), randomBytes(KEY_BYTES));
}

function formatHash(salt: Buffer, key: Buffer): string {
  return `$scrypt$ln=${LOG_N},r=${BLOCK_SIZE},p=${PARALLELISM}$${phcBase64(salt)}$${phcBase64(key)}`;
}

// The PHC string format's base64 has no padding.
function phcBase64(bytes: Buffer): string {
  return bytes.toString('base64').replaceAll('=', '');
}

function deriveInTurn(password: string, salt: Buffer, by: string): Promise<Buffer> {
  return scryptTurns.ahead(`hashing ${by}`, () => derive(password, salt, KEY_BYTES, LOG_N, BLOCK_SIZE, PARALLELISM));
}

function derive(password: string, salt: Buffer, length: number, logN: number, r: number, p: number): Promise<Buffer> {
  const N = 2 ** logN;
  const options: ScryptOptions = { N, r, p, maxmem: 2 * 128 * N * r * p };
  // RFC 8265, section 4.2.2: one password, whichever way the keyboard composes its letters.
  const bytes = Buffer.from(password.normalize('NFC'));
  return new Promise((resolve, fail) =>
    scrypt(bytes, salt, length, options, (error, key) => (error === null ? resolve(key) : fail(error))),
  );
}
