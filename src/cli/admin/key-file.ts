import { closeSync, fsyncSync, openSync, rmSync, writeFileSync } from 'node:fs';

import type { AdminClient, Fields } from '../admin-client.js';
import { AdminError, Misused } from '../complaints.js';
import { accountPath } from './paths.js';
import type { Shown } from './print.js';

const STDOUT = 1;
// RFC 3339.
const timeForm = /^\d{4}-\d\d-\d\d[Tt ]\d\d:\d\d:\d\d(\.\d+)?([Zz]|[+-]\d\d:\d\d)$/;

/**
 * Makes a key of `<project>/<account>` and hands its only copy over: to a new file of its holder's alone, or on standard output. The file is made before the key. Where
 * the copy can't be written whole, the key is revoked: nobody would hold it, and nobody would know of it.
 */
export async function createKey(
  client: AdminClient,
  account: string,
  expires: string | undefined,
  output: string | undefined,
): Promise<Shown> {
  if (expires !== undefined && !timeForm.test(expires))
    throw new Misused(`--expires ${JSON.stringify(expires)} is no time; accepted is one like 2027-11-01T00:00:00Z`);
  const keys = `${accountPath(account)}/keys`;
  const make = (): Promise<Fields> => client.ask('POST', keys, expires === undefined ? {} : { expires });
  const handOver = async (made: Fields, write: (text: string) => void): Promise<void> => {
    try {
      write(`${JSON.stringify(made, undefined, 2)}\n`);
    } catch (error) {
      const key = String(made['key_id']);
      const failed = `the key's file can't be written: ${reasonOf(error)}`;
      throw new AdminError(await revoked(client, `${keys}/${encodeURIComponent(key)}`, account, key, failed));
    }
  };
  if (output === undefined) {
    // Not by process.stdout, which tells too late that it could not.
    await handOver(await make(), (text) => writeFileSync(STDOUT, text));
    return 'nothing';
  }
  const file = opened(output);
  try {
    const made = await make();
    await handOver(made, (text) => {
      writeFileSync(file, text);
      // A disk may tell only here, or at the close, that it is full.
      fsyncSync(file);
      closeSync(file);
    });
    return {
      line: `key ${String(made['key_id'])} is in ${output}; the registry does not keep it`,
      fields: { key_id: made['key_id'], expires: made['expires'], output },
    };
  } catch (error) {
    rmSync(output, { force: true });
    throw error;
  }
}

function opened(output: string): number {
  try {
    return openSync(output, 'wx', 0o600);
  } catch (error) {
    throw new AdminError(`the key's file can't be made, and no key was: ${reasonOf(error)}`);
  }
}

async function revoked(client: AdminClient, path: string, account: string, key: string, failed: string): Promise<string> {
  try {
    await client.ask('DELETE', path);
    return `${failed}; the key ${key} is revoked again`;
  } catch (error) {
    return `${failed}; the key ${key} is still good, and could not be revoked: ${reasonOf(error)}. Revoke it: artifact-store admin keys revoke ${account} ${key}`;
  }
}

function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
