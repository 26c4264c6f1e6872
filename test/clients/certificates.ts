import { readFileSync, writeFileSync } from 'node:fs';
import { mustRun } from '../support/processes.js';
import { findTool } from './tools.js';

export interface Certificates {
  /** Files, PEM. */
  readonly authorityFile: string;
  readonly certificateFile: string;
  readonly keyFile: string;
  readonly authority: string;
}

/** An authority of our own and a server's certificate by it, for localhost and this address. */
export async function makeCertificates(folder: string, address = '127.0.0.1'): Promise<Certificates> {
  const openssl = findTool('openssl');
  if (openssl === undefined) throw new Error('openssl is missing');
  const run = (...args: readonly string[]) => mustRun(openssl, args, { cwd: folder });
  const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes'];
  await run('req', '-x509', ...newKey, '-days', '2', '-subj', '/CN=Test Authority', '-keyout', 'ca.key', '-out', 'ca.crt');
  await run('req', ...newKey, '-subj', '/CN=localhost', '-keyout', 'tls.key', '-out', 'tls.csr');
  writeFileSync(`${folder}/extensions`, `subjectAltName=DNS:localhost,IP:${address}\nextendedKeyUsage=serverAuth\n`);
  const signed = ['-CA', 'ca.crt', '-CAkey', 'ca.key', '-CAcreateserial', '-extfile', 'extensions', '-days', '2'];
  await run('x509', '-req', '-in', 'tls.csr', ...signed, '-out', 'tls.crt');
  return {
    authorityFile: `${folder}/ca.crt`,
    certificateFile: `${folder}/tls.crt`,
    keyFile: `${folder}/tls.key`,
    authority: readFileSync(`${folder}/ca.crt`, 'utf8'),
  };
}
