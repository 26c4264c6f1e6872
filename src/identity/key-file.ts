import { createHmac, createPrivateKey, createPublicKey, generateKeyPairSync, randomBytes, type KeyObject } from 'node:crypto';

import { parseUid, type Uid } from '../identifiers.js';
import { BoundedCache } from './bounded-cache.js';

/**
 * The file that a machine logs in with, shown once when its key is made. The registry keeps the public half alone. Its form is for ever: such files lie in other people's
 * secret stores.
 */
export interface KeyFile {
  readonly type: typeof KEY_FILE_TYPE;
  readonly project: string;
  readonly account: string;
  readonly key_id: Uid;
  /** Ed25519 (RFC 8032), PKCS #8, PEM. */
  readonly private_key: string;
  /** RFC 3339. */
  readonly created: string;
  /** RFC 3339; null: never. */
  readonly expires: string | null;
}

export const KEY_FILE_TYPE = 'artifact_store_service_account_key';

/** The user name that goes with a key file as password; with its base64 form, for what can't hold line breaks and quotes. */
export const KEY_FILE_USER = '_json_key';
export const KEY_FILE_BASE64_USER = '_json_key_base64';

/** A new key pair: the private half as a key file has it, the public one as 64 hex digits. */
export function generateAccountKey(): { readonly privateKey: string; readonly publicKey: string } {
  const { privateKey, publicKey } = generateKeyPairSync('ed25519');
  const pem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
  return { privateKey: pem, publicKey: rawPublicKey(publicKey).toString('hex') };
}

/** What a key file says, and the public half of the key in it; not yet believed. */
export interface ParsedKeyFile {
  readonly project: string;
  readonly account: string;
  readonly key: Uid;
  /** 32 bytes. */
  readonly publicKey: Buffer;
}

/** Why a text is no key file. Nothing of the text is in the words. */
export interface KeyFileProblem {
  readonly problem: string;
}

/** As JSON, whatever shells and editors did to white space and to the order of fields. */
export function parseKeyFile(text: string): ParsedKeyFile | KeyFileProblem {
  const file = parseObject(text);
  if (file === undefined) return { problem: 'it is no JSON object' };
  if (file['type'] !== KEY_FILE_TYPE) return { problem: `its type is not ${KEY_FILE_TYPE}` };
  const { project, account, key_id: id, private_key: pem } = file;
  if (typeof project !== 'string' || typeof account !== 'string') return { problem: 'its project or its account is no text' };
  const key = typeof id === 'string' ? parseUid(id) : undefined;
  if (key === undefined) return { problem: 'its key_id is no UUID' };
  const publicKey = typeof pem === 'string' ? publicHalfOf(pem) : undefined;
  if (publicKey === undefined) return { problem: 'its private_key is no Ed25519 key in PEM' };
  return { project, account, key, publicKey };
}

const CACHE_GENERATION = 1_024;

/**
 * As `parseKeyFile`, and remembers what was found: to read a private key takes half a millisecond, and a key file may come with each request. What is kept is an
 * HMAC of the text under a key of this process, and the public half.
 */
export function createKeyFileReader(): typeof parseKeyFile {
  const secret = randomBytes(32);
  const known = new BoundedCache<ParsedKeyFile>(CACHE_GENERATION);
  return (text) => {
    const entry = createHmac('sha256', secret).update(text).digest('base64');
    const found = known.get(entry);
    if (found !== undefined) return found;
    const parsed = parseKeyFile(text);
    if (!('problem' in parsed)) known.set(entry, parsed);
    return parsed;
  };
}

function parseObject(text: string): Readonly<Record<string, unknown>> | undefined {
  // A quote without an end runs to the end of the text: each character is looked at once, whatever is sent.
  // PowerShell puts a byte order mark before what it pipes; the `echo` of some shells turns the \n in the private key into line breaks.
  const mended = text.replace(/^\uFEFF/, '').replace(/"(?:[^"\\]|\\.?)*"?/gs, (string) => string.replace(/\r?\n/g, '\\n'));
  try {
    const value: unknown = JSON.parse(mended);
    return typeof value === 'object' && value !== null && !Array.isArray(value)
      ? (value as Readonly<Record<string, unknown>>)
      : undefined;
  } catch {
    return undefined;
  }
}

// An Ed25519 key has 119. Of other kinds are keys that cost seconds to read.
const PEM_MOST_CHARACTERS = 256;

function publicHalfOf(pem: string): Buffer | undefined {
  if (pem.length > PEM_MOST_CHARACTERS) return undefined;
  try {
    const privateKey = createPrivateKey(pem);
    return privateKey.asymmetricKeyType === 'ed25519' ? rawPublicKey(createPublicKey(privateKey)) : undefined;
  } catch {
    return undefined;
  }
}

function rawPublicKey(key: KeyObject): Buffer {
  // RFC 8037, section 2.
  return Buffer.from(String(key.export({ format: 'jwk' }).x), 'base64url');
}
