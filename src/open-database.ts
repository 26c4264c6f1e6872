import { constants } from 'node:fs';
import { access, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';

import { unusable, type DatabaseSetting } from './config.js';
import { DatabaseUnusableError, type Database } from './keyvalue/database.js';
import { directoryPrefix, type KeyBounds } from './keyvalue/keyspace.js';
import { openLmdb } from './keyvalue/lmdb.js';

/** A database of whichever engine, as the composition root sees it. */
export interface OpenedDatabase {
  readonly database: Database;
  /** As ARTS_DATABASE would name it. */
  readonly name: string;
  /** What the log says of it at a start. */
  readonly described: Readonly<Record<string, string>>;
  /** The prefix of a directory's keys; undefined where the engine has none of that name and is not to create it. */
  openDirectory(name: string, options: { readonly create: boolean }): Promise<Buffer | undefined>;
  /** Where versions are no times: from here on the newest of these samples tells the time. */
  keepTimeBy(samples: KeyBounds): void;
  /** Throws when what is open is not what the next start would find. */
  checkThere(): Promise<void>;
  close(): Promise<void>;
}

/** `create`: an embedded store is made where there is none; a cluster has to be there. Throws ConfigError. */
export function openDatabase(setting: DatabaseSetting, create: boolean): Promise<OpenedDatabase> {
  return setting.engine === 'lmdb' ? openEmbedded(setting.folder, create) : openCluster(setting);
}

async function openEmbedded(folder: string, create: boolean): Promise<OpenedDatabase> {
  const name = `lmdb:${folder}`;
  let database: Database;
  try {
    database = await openLmdb(folder, { create });
  } catch (error) {
    const accepted = create ? 'lmdb:<folder>, a folder to write to' : "the server's own setting, after its first start";
    throw unusable('ARTS_DATABASE', name, error, `${accepted}; a damaged store comes back from its backup`);
  }
  // A process that ends with the store open, by an error that nobody caught, would wait for ever: lmdb-js's own end locks what is gone (cleanupStrayTxns).
  // What was acknowledged is on the disk.
  const endAtOnce = (): void => void process.kill(process.pid, 'SIGKILL');
  process.once('exit', endAtOnce);
  const close = async (): Promise<void> => {
    await database.close();
    process.off('exit', endAtOnce);
  };
  try {
    const file = join(folder, 'store.mdb');
    const { ino } = await stat(file);
    return {
      database,
      name,
      described: { database: name },
      openDirectory: (directory) => Promise.resolve(directoryPrefix(directory)),
      keepTimeBy: () => undefined,
      async checkThere() {
        const now = await stat(file).catch(() => undefined);
        if (now?.ino !== ino)
          throw new Error("the database's file was taken away; what is written now is lost at the next start");
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

type ClusterSetting = Extract<DatabaseSetting, { readonly engine: 'foundationdb' }>;

async function openCluster(setting: ClusterSetting): Promise<OpenedDatabase> {
  const { clusterFile } = setting;
  for (const { variable, file } of setting.tlsFiles) await checkPem(variable, file);
  // The library and its binary are for those alone who chose it.
  const { openFoundationDb } = await import('./keyvalue/foundationdb.js');
  try {
    const database = await openFoundationDb(clusterFile === undefined ? {} : { clusterFile });
    const name = `fdb:${database.clusterFile}`;
    return {
      database,
      name,
      described: { database: name, client: database.clientVersion },
      openDirectory: (directory, options) => database.openDirectory(directory.split('/'), options),
      keepTimeBy: (samples) => database.keepTimeBy(samples),
      checkThere: () => Promise.resolve(),
      close: () => database.close(),
    };
  } catch (error) {
    if (!(error instanceof DatabaseUnusableError)) throw error;
    const value = setting.variable === 'ARTS_DATABASE' ? `fdb:${clusterFile ?? ''}` : (clusterFile ?? '');
    throw unusable(setting.variable, value, error);
  }
}

/** The client library tells nobody why it finds no peer when it can't read one of its files: a cluster would seem silent. */
async function checkPem(variable: string, file: string): Promise<void> {
  const accepted = 'a PEM file that this user can read';
  try {
    await access(file, constants.R_OK);
    if ((await readFile(file)).includes('-----BEGIN ')) return;
  } catch (error) {
    throw unusable(variable, file, error, accepted);
  }
  throw unusable(variable, file, 'it is no PEM file', accepted);
}
