import { KeyValueError, type Database } from './keyvalue/database.js';

/** While the database is away somebody has to ask whether it is back, also where no request comes. */
const PROBE_MS = 1_000;

export interface AvailabilityListener {
  away(error: KeyValueError): void;
  /** `ms`: how long it was away, by what was asked of it. */
  back(ms: number): void;
}

/** The database, and one word when it stops answering and one when it answers again, whoever asked it what. */
export function observeAvailability(database: Database, listener: AvailabilityListener): Database {
  let awaySince: number | undefined;
  let closed = false;

  function answered(): void {
    if (awaySince === undefined) return;
    const ms = performance.now() - awaySince;
    awaySince = undefined;
    listener.back(ms);
  }

  function failed(error: unknown): void {
    if (!isUnavailable(error)) return;
    if (awaySince !== undefined || closed) return;
    awaySince = performance.now();
    listener.away(error);
    probeLater();
  }

  function probeLater(): void {
    setTimeout(() => {
      if (awaySince === undefined || closed) return;
      database.read((tx) => tx.readVersion()).then(answered, probeLater);
    }, PROBE_MS).unref();
  }

  async function observed<T>(work: Promise<T>): Promise<T> {
    try {
      const result = await work;
      answered();
      return result;
    } catch (error) {
      failed(error);
      throw error;
    }
  }

  return {
    quietVersions: database.quietVersions,
    ...(database.clusterId === undefined
      ? {}
      : { clusterId: () => observed(database.clusterId?.() ?? Promise.resolve(undefined)) }),
    read: (body) => observed(database.read(body)),
    transact: (body, options) => observed(database.transact(body, options)),
    close() {
      closed = true;
      return database.close();
    },
  };
}

/**
 * Does work again for as long as the database does not answer. For what may have been done all the same, and must be known to be: `work` does it once, however
 * often it is called.
 */
export async function untilAnswered<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isUnavailable(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, PROBE_MS));
    }
  }
}

/** The cluster is away: it is told once, and what failed by it goes on by itself. */
export function isUnavailable(error: unknown): error is KeyValueError {
  return error instanceof KeyValueError && error.code === 'unavailable';
}
