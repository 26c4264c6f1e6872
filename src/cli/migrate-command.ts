import { realpath } from 'node:fs/promises';
import { hostname } from 'node:os';
import { parseArgs } from 'node:util';

import { ConfigError, readConfig, type Config } from '../config.js';
import { EventDecodeError } from '../events/codec.js';
import { createKeyspace } from '../keyvalue/keyspace.js';
import { openDatabase, type OpenedDatabase } from '../open-database.js';
import { newId } from '../open-registry.js';
import { BuildStoppedError, type Progress } from '../processes/build-run.js';
import type { CopyProgress } from '../processes/migrate-copy.js';
import { abandonMigration, migrate } from '../processes/migrate.js';
import { checkIdle, MigrationError, openEnd, readSource, type End } from '../processes/migration-ends.js';
import { BuildLostError } from '../projections/builds.js';
import { settingsOf, type Place } from '../projections/migration.js';
import { registered } from '../projections/registered.js';
import { ReplayError } from '../projections/replay.js';
import { readRelease } from '../release.js';
import { misused, told } from './complaints.js';
import { describeCopy, ProgressLine } from './progress-line.js';

const usage = `usage: artifact-store migrate --to <database> [--to-directory <name>] [--to-metadata-directory <name>]
       artifact-store migrate --abandon [--to <database> ...]

Moves the store of the settings into another database: its log and what lies beside it are copied, the indexes are made from the log, all of it is compared with
the source and verified. The blobs stay where they are. Stop the servers first; the source is neither read nor written by anybody from then on. When it is
stopped, or killed, the same command goes on where it was.

  --to                      lmdb:<folder>, fdb:<cluster file>, or fdb: for the default cluster file
  --to-directory            directory of the registry's keys there, to be empty; the one of the settings by default
  --to-metadata-directory   of the platform's keys
  --abandon                 gives a migration up that is not at its end: the source is usable again, the target is cleared
`;

/** A process's own batches: nobody else waits for its thread. */
const LIMIT = 24_000;

/** What names the target in place of the settings' variables. */
const flagOf = {
  ARTS_DATABASE: '--to',
  ARTIFACT_STORE_DIRECTORY: '--to-directory',
  ARTS_METADATA_DIRECTORY: '--to-metadata-directory',
} as const;

interface Flags {
  readonly abandon?: boolean | undefined;
  readonly help?: boolean | undefined;
  readonly to?: string | undefined;
  readonly 'to-directory'?: string | undefined;
  readonly 'to-metadata-directory'?: string | undefined;
}

/** `artifact-store migrate`: from the database of the settings in `env` to another. Exit status. Throws ConfigError and LiveMismatchError. */
export async function migrateStore(env: NodeJS.ProcessEnv, args: readonly string[]): Promise<number> {
  let flags: Flags;
  try {
    const options = {
      abandon: { type: 'boolean' },
      help: { type: 'boolean', short: 'h' },
      to: { type: 'string' },
      'to-directory': { type: 'string' },
      'to-metadata-directory': { type: 'string' },
    } as const;
    flags = parseArgs({ args: [...args], options }).values;
  } catch (error) {
    return misused(error instanceof Error ? error.message : String(error), usage);
  }
  if (flags.help === true) {
    process.stdout.write(usage);
    return 0;
  }
  const { to } = flags;
  if (to === undefined && flags.abandon !== true) return misused('--to is missing: the database to move to', usage);
  if (to === '') return misused('--to is empty; accepted is lmdb:<folder> or fdb:<cluster file>', usage);
  const abort = new AbortController();
  const stop = (): void => abort.abort();
  for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, stop);
  try {
    const config = readConfig(env);
    return flags.abandon === true ? await abandon(config, env, flags) : await move(config, env, { ...flags, to }, abort.signal);
  } catch (error) {
    if (error instanceof BuildStoppedError)
      return told('stopped; the same command goes on where it stopped, --abandon gives it up', 130);
    if (error instanceof EventDecodeError || error instanceof ReplayError) {
      return told(`the log is damaged: ${error.message}; "artifact-store migrate --abandon" makes the source usable again`, 1);
    }
    if (error instanceof MigrationError || error instanceof BuildLostError) return told(error.message, 1);
    throw error;
  } finally {
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.removeListener(signal, stop);
  }
}

async function move(config: Config, env: NodeJS.ProcessEnv, flags: Flags, signal: AbortSignal): Promise<number> {
  const wanted = readTarget(env, flags, config);
  await checkOther(config, wanted);
  return withOpened(config, 'source', async (source) => {
    await checkIdle(source);
    return withOpened(wanted, 'target', async (target) => {
      const begun = performance.now();
      const report = new Report();
      const builder = { owner: `${hostname()}:${process.pid} ${newId()}`, release: readRelease() };
      try {
        await migrate(source, target, {
          ...{ builder, newId, signal, limit: LIMIT },
          progress: (title, state) => report.show(title, state),
          done: (what) => report.done(what),
        });
      } finally {
        report.end();
      }
      const seconds = ((performance.now() - begun) / 1_000).toFixed(1);
      process.stdout.write(
        `moved to ${target.place.database} in ${seconds} s; start the servers with ${settingsOf(target.place)}\n`,
      );
      return 0;
    });
  });
}

async function abandon(config: Config, env: NodeJS.ProcessEnv, flags: Flags): Promise<number> {
  return withOpened(config, 'source', async (source) => {
    const mark = (await readSource(source)).marks.registry;
    if (mark === undefined && flags.to === undefined) {
      throw new MigrationError('no migration of this store is under way; with --to what an earlier one left there is cleared');
    }
    const place = mark === undefined || flags.to !== undefined ? flags : flagsOf(mark.to);
    const wanted = readTarget(env, place, config);
    await checkOther(config, wanted);
    try {
      return await withOpened(wanted, 'target that was filled', async (target) => {
        const { freed, cleared } = await abandonMigration(source, target);
        if (!freed && cleared === undefined) {
          throw new MigrationError(
            `no migration of this store is under way, and none has left anything in ${target.place.database}`,
          );
        }
        const usable = freed ? `given up: ${config.directory} of ${source.place.database} is usable; ` : '';
        process.stdout.write(`${usable}${target.place.database} is cleared\n`);
        return 0;
      });
    } catch (error) {
      const isLost = error instanceof ConfigError || error instanceof MissingDirectoryError;
      if (!isLost || mark?.state === 'moved') throw error;
      const { freed } = await abandonMigration(source, undefined);
      const what = freed
        ? `given up: ${source.place.database} is usable; but the target is not cleared`
        : 'the target is not cleared';
      return told(`${what}: ${error.message}`, 1);
    }
  });
}

function flagsOf({ database, directories }: Place): Flags {
  return { to: database, 'to-directory': directories.registry, 'to-metadata-directory': directories.platform };
}

/** The settings of the servers that will run on the target. Throws ConfigError that names the flag. */
function readTarget(env: NodeJS.ProcessEnv, flags: Flags, source: Config): Config {
  return namingFlags(() =>
    readConfig({
      ...env,
      FDB_DIRECTORY: undefined,
      ARTS_DATABASE: flags.to,
      ARTIFACT_STORE_DIRECTORY: flags['to-directory'] ?? source.directory,
      ARTS_METADATA_DIRECTORY: flags['to-metadata-directory'] ?? source.metadataDirectory,
    }),
  );
}

function namingFlags<T>(read: () => T): T {
  try {
    return read();
  } catch (error) {
    throw flagged(error);
  }
}

function flagged(error: unknown): unknown {
  if (!(error instanceof ConfigError)) return error;
  const [name = ''] = error.message.split('=', 1);
  if (!Object.hasOwn(flagOf, name)) return error;
  return new ConfigError(`${flagOf[name as keyof typeof flagOf]}${error.message.slice(name.length)}`, { cause: error });
}

/** An embedded store is open once in a process. */
async function checkOther({ database: source }: Config, { database: target }: Config): Promise<void> {
  if (source.engine !== 'lmdb' || target.engine !== 'lmdb') return;
  const [from, to] = await Promise.all([source, target].map(({ folder }) => realpath(folder).catch(() => folder)));
  if (from === to)
    throw new MigrationError(`lmdb:${target.folder} is the source itself; accepted is another folder, or a cluster`);
}

type Role = 'source' | 'target' | 'target that was filled';

class MissingDirectoryError extends MigrationError {}

/** In a target what is not there is made. Errors of its settings name its flags. */
async function withOpened<T>(config: Config, role: Role, body: (end: End) => Promise<T>): Promise<T> {
  const { directory, metadataDirectory } = config;
  if (directory === metadataDirectory) {
    throw new MigrationError(`both directories are ${directory}; the registry and the platform need one each`);
  }
  const opened = await openDatabase(config.database, role === 'target').catch((error: unknown) => {
    throw role === 'source' ? error : flagged(error);
  });
  try {
    return await body(await endOf(opened, config, role));
  } finally {
    await opened.close();
  }
}

async function endOf(opened: OpenedDatabase, { directory, metadataDirectory }: Config, role: Role): Promise<End> {
  const [registry, platform] = await Promise.all(
    [directory, metadataDirectory].map(async (name) => {
      const prefix = await opened.openDirectory(name, { create: role === 'target' });
      if (prefix !== undefined) return prefix;
      const settings = role === 'source' ? Object.keys(flagOf) : Object.values(flagOf);
      throw new MissingDirectoryError(`${opened.name} has no directory ${name}; check ${settings.join(', ')}`);
    }),
  );
  if (registry === undefined || platform === undefined) throw new Error('a directory without a prefix');
  // As for whoever serves from it; in a target the samples that are copied are of another database's versions.
  if (role === 'source') opened.keepTimeBy(createKeyspace(platform).times);
  const place = { database: opened.name, directories: { registry: directory, platform: metadataDirectory } };
  return openEnd(opened.database, place, { registry, platform }, registered);
}

/** One line at a time on stderr, what is done on stdout. */
class Report {
  #title = '';
  #line: ProgressLine | undefined;

  show(title: string, state: CopyProgress | Progress | undefined): void {
    if (title !== this.#title) {
      this.end();
      this.#title = title;
      this.#line = new ProgressLine(title);
    }
    if (state === undefined) this.#line?.tell(() => 'under way');
    else if ('phase' in state) this.#line?.show(state);
    else this.#line?.tell(() => describeCopy(state));
  }

  done(what: string): void {
    this.end();
    process.stdout.write(`${what}\n`);
  }

  end(): void {
    this.#line?.end();
    this.#line = undefined;
    this.#title = '';
  }
}
