import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { listSessions, type UploadSession } from '../../src/blobs/upload-sessions.js';
import { readConfig } from '../../src/config.js';
import { digestToBytes, hexOf, parseDigest } from '../../src/digest.js';
import { boundsOf } from '../../src/keyvalue/keyspace.js';
import { pack } from '../../src/keyvalue/tuple.js';
import { openRegistry, type OpenRegistry } from '../../src/open-registry.js';
import { expireUploads } from '../../src/processes/upload-expiry.js';
import { findBlob } from '../../src/projections/blobs.js';
import { compareWithFold } from '../support/fold.js';
import type { Server } from '../support/server.js';

/**
 * What is wrong with the data of a server that does not run, after its uploads have expired: indexes that are not the folded log, staged bytes, committed
 * bytes that no record names, records without their bytes. A line for each; none when all is well.
 */
export async function findDamage(server: Server): Promise<readonly string[]> {
  if (server.isRunning()) throw new Error('the server still runs');
  const folder = join(server.directory, 'blobs');
  const registry = await openStopped(server);
  try {
    const { store, executor, blobs } = registry;
    const damage = (await compareWithFold(store)).map((line) => `index: ${line}`);
    const read = () => store.read(({ tx, registry: { keyspace } }) => listSessions(tx, keyspace, undefined, 10));
    let sessions = await read();
    // A cluster at rest tells a time that is some seconds old.
    for (let tries = 0; tries < 12 && (tries === 0 || sessions.length > 0); tries += 1) {
      await sleep(1_100);
      await expireUploads(executor, blobs, { idleSeconds: 1, timeoutSeconds: 3_600 });
      sessions = await read();
    }
    damage.push(...sessions.map(({ id }) => `upload ${id} is still known`));
    damage.push(...readdirSync(join(folder, 'uploads')).map((name) => `upload ${name} is still staged`));
    const onDisk = new Set(committed(folder));
    const named = await store.database.read(async (tx) => {
      const { begin, end } = boundsOf(pack(store.keyspaces.registry.directory, ['projection', 'blobs']));
      return (await tx.getRange(begin, end)).length;
    });
    let live = 0;
    for (const path of onDisk) {
      const [algorithm = '', , hex = '', generation = ''] = path.split('/');
      const digest = parseDigest(`${algorithm}:${hex}`);
      if (digest === undefined || hexOf(digest) !== hex) damage.push(`${path} is no blob's place`);
      else {
        const record = await store.read((reading) => findBlob(reading, digest));
        if (record?.generation !== generation) damage.push(`${path} is named by nothing (${digestToBytes(digest).length} bytes)`);
        else live += 1;
      }
    }
    if (live !== named) damage.push(`${named} blobs have a record, ${live} of them have bytes`);
    return damage;
  } finally {
    await registry.close();
  }
}

function openStopped({ settings }: Server): Promise<OpenRegistry> {
  return openRegistry(readConfig(settings), false);
}

/** The uploads that the data of a server that does not run know of. */
export async function sessionsOf(server: Server): Promise<readonly UploadSession[]> {
  const registry = await openStopped(server);
  try {
    const listed = await registry.store.read(({ tx, registry: { keyspace } }) => listSessions(tx, keyspace, undefined, 100));
    return listed.map(({ session }) => session);
  } finally {
    await registry.close();
  }
}

function committed(folder: string): readonly string[] {
  return readdirSync(join(folder, 'blobs'), { recursive: true, encoding: 'utf8', withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name).slice(join(folder, 'blobs').length + 1));
}

/** Lines of a server's log about what should not happen, killed or not. */
export function faultsIn(log: string): readonly string[] {
  return log.split('\n').filter((line) => /"level":(?:50|60|"error"|"fatal")|\bERROR\b|a request failed/.test(line));
}
