import { createHmac } from 'node:crypto';

import { BoundedCache } from './bounded-cache.js';

export type HashClient = (address: string, userAgent: string) => string;

const CACHED = 512;

/** What stands for a client in events, for ever: HMAC-SHA256 of its address, a line feed and its user agent, 64 hex digits. */
export function createClientHash(salt: Buffer): HashClient {
  // A push is dozens of commands of one client.
  const hashes = new BoundedCache<string>(CACHED);
  return (address, userAgent) => {
    const client = `${address}\n${userAgent}`;
    let hash = hashes.get(client);
    if (hash === undefined) hashes.set(client, (hash = createHmac('sha256', salt).update(client).digest('hex')));
    return hash;
  };
}
