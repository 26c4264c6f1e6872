import { createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto';

import { parseUid, type Uid } from '../identifiers.js';

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

/** Compared as JSON: shells and editors change white space and the order of fields. Undefined for what is no key file; nothing of it is told. */
export function parseKeyFile(text: string): ParsedKeyFile | undefined {
  try {
    const file = JSON.parse(text) as Readonly<Record<string, unknown>> | null;
    if (typeof file !== 'object' || file === null || file['type'] !== KEY_FILE_TYPE) return undefined;
    const { project, account, key_id: id, private_key: pem } = file;
    if (typeof project !== 'string' || typeof account !== 'string' || typeof id !== 'string' || typeof pem !== 'string')
      return undefined;
    const key = parseUid(id);
    const privateKey = createPrivateKey(pem);
    if (key === undefined || privateKey.asymmetricKeyType !== 'ed25519') return undefined;
    return { project, account, key, publicKey: rawPublicKey(createPublicKey(privateKey)) };
  } catch {
    return undefined;
  }
}

function rawPublicKey(key: ReturnType<typeof createPublicKey>): Buffer {
  // RFC 8037, section 2.
  return Buffer.from(String(key.export({ format: 'jwk' }).x), 'base64url');
}
