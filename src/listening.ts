import { readFileSync } from 'node:fs';
import { lookup } from 'node:dns/promises';
import type { AddressInfo } from 'node:net';
import { createSecureContext } from 'node:tls';
import type { FastifyInstance } from 'fastify';

import { unusable, type Config } from './config.js';

/** Looks at the certificate and its key before anything else is done. Throws ConfigError. */
export function checkTls({ tls }: Config): void {
  if (tls === undefined) return;
  const { certificate, key } = tls;
  const attempt = <T>(name: string, file: string, accepted: string, work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw unusable(name, file, error, accepted);
    }
  };
  const ofCertificate = 'a PEM file with a certificate and those that signed it';
  const ofKey = 'a PEM file with the private key of ARTS_TLS_CERT, without a passphrase';
  const cert = attempt('ARTS_TLS_CERT', certificate, ofCertificate, () => {
    const bytes = readFileSync(certificate);
    createSecureContext({ cert: bytes });
    return bytes;
  });
  attempt('ARTS_TLS_KEY', key, ofKey, () => {
    const bytes = readFileSync(key);
    createSecureContext({ key: bytes });
    createSecureContext({ cert, key: bytes });
  });
}

const accepted = '<host>:<port> with an address or a name of this machine and a port that is free';

/** What the system's error means for the one who set the address. */
const meanings: Readonly<Record<string, string>> = {
  ENOTFOUND: 'the host has no address',
  EAI_AGAIN: 'the host could not be looked up now',
  EADDRNOTAVAIL: 'the host is not an address of this machine',
  EADDRINUSE: 'another program listens on the port',
  EACCES: 'this user may not listen on the port',
};

/**
 * Listens on exactly one address. Throws ConfigError.
 *
 * Of a name with several, as localhost often is, the first of IPv4: fastify would make a server of its own for each of the others, which has none of what
 * is set on `app.server`.
 */
export async function listen(app: FastifyInstance, { address: { host, port } }: Config): Promise<AddressInfo> {
  try {
    const found = await lookup(host, { all: true });
    const one = found.find(({ family }) => family === 4) ?? found[0];
    await app.listen({ host: one?.address ?? host, port });
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : '';
    const meaning = meanings[code];
    if (meaning === undefined) throw error;
    throw unusable('ARTIFACT_STORE_ADDRESS', `${bracketed(host)}:${port}`, `${meaning} (${code})`, accepted);
  }
  return app.server.address() as AddressInfo;
}

/** A host as it stands in front of a port. */
export function bracketed(host: string): string {
  return host.includes(':') ? `[${host}]` : host;
}
