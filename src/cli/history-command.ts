import { setImmediate } from 'node:timers/promises';
import { defer, merge } from 'rxjs';

import { createTurns } from '../commands/in-turn.js';
import type { Config } from '../config.js';
import { RefusalError } from '../errors.js';
import { EventDecodeError } from '../events/codec.js';
import type { Moment } from '../events/database-time.js';
import { createLog } from '../events/log.js';
import { comparePositions, parsePosition, type Position } from '../events/position.js';
import { subscribe } from '../events/subscribe.js';
import { oneLine } from '../events/words.js';
import { historyUsage, parseHistoryArguments, UsageError, type HistoryArguments, type Said } from './history-arguments.js';
import { createLines } from './history-lines.js';
import { entryLine, ndjsonOf, parquetOf, type EntryPages } from '../http/history-export.js';
import { actorWithoutLookup, findActor } from '../identity/actor-lookup.js';
import { openRegistry } from '../open-registry.js';
import type { HistoryEntry } from '../projections/history-entries.js';
import { findHistory, type FoundHistory } from '../projections/history-scope.js';
import {
  boundsOfSpan,
  newestPlace,
  positionAfter,
  positionBefore,
  readEvents,
  walkEntries,
  type Asked,
  type WalkOptions,
} from '../projections/history-walk.js';
import { parseLive } from '../projections/live.js';
import { ProjectionNotLiveError, type LiveDirectory, type Reading, type Store } from '../projections/store.js';
import { Output } from './output.js';
import { FileError, writeWholeFile } from './whole-file.js';

const INTERRUPTED = 130;

/** `artifact-store history <what>`: straight on the store, while servers run. Exit status. */
export async function showHistory(config: Config, args: readonly string[]): Promise<number> {
  if (args.includes('--help') || args.includes('-h')) {
    process.stdout.write(`${historyUsage}\n`);
    return 0;
  }
  let asked: HistoryArguments;
  try {
    asked = parseHistoryArguments(args);
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    return complain(`${error.message}; artifact-store history --help says more`, 2);
  }
  const registry = await openRegistry(config, false);
  const output = new Output(process.stdout);
  try {
    const status = await run(registry.store, asked, output);
    return output.failure === undefined ? status : complain(`the output cannot be written: ${output.failure.message}`, 1);
  } catch (error) {
    if (error instanceof UsageError) return complain(error.message, 2);
    const told = [RefusalError, EventDecodeError, ProjectionNotLiveError, FileError].some((kind) => error instanceof kind);
    if (!told || !(error instanceof Error)) throw error;
    return complain(error.message, 1);
  } finally {
    output.close();
    await registry.close();
  }
}

function complain(message: string, status: number): number {
  process.stderr.write(`artifact-store: ${oneLineOf(message)}\n`);
  return status;
}

function oneLineOf(message: string): string {
  return message.replace(/\s*\n\s*/g, ' ');
}

async function run(store: Store, asked: HistoryArguments, output: Output): Promise<number> {
  const ask = async (reading: Reading): Promise<Asked & FoundHistory> => {
    const found = await findHistory(reading, asked.scope);
    if ('refused' in found) throw new RefusalError(found);
    return { ...found, sight: { people: true, project: undefined } };
  };
  const begin = await store.read((reading) => beginning(reading, asked, ask));
  const { range, damage } =
    asked.limit === undefined ? { range: begin.range } : await lastOf(store, ask, begin.range, asked.limit);
  const pages = stoppable(walkEntries(store, ask, { ...range, newestFirst: asked.newestFirst }), output);
  if ('file' in asked.output) return exportTo(asked.output, pages, output);
  const { bearers } = begin.found;
  const borders = bearers.length > 1 ? 'all' : bearers.length === 1 ? 'changes' : 'none';
  const lines = createLines({ colors: output.colors, borders });
  const show = asked.output.form === 'json' ? (entry: HistoryEntry) => `${entryLine(entry)}\n` : lines;
  let shown = 0;
  for await (const page of pages) {
    await output.write(page.map(show).join(''));
    shown += page.length;
  }
  if (damage !== undefined) throw damage;
  if (output.interrupted && !asked.follow) return INTERRUPTED;
  if (asked.follow) await follow(store, ask, { ...begin, show, output, asked });
  else if (shown === 0) return nothingShown(store, ask, asked);
  return 0;
}

interface Beginning {
  readonly found: FoundHistory;
  readonly range: WalkRange;
  /** Of the registry's log and of the platform's. */
  readonly newest: readonly (Position | undefined)[];
}

type WalkRange = Omit<WalkOptions, 'newestFirst'>;

/** Bounds to what is there now: a store under load has no end. */
async function beginning(
  reading: Reading,
  asked: HistoryArguments,
  ask: (reading: Reading) => Promise<FoundHistory>,
): Promise<Beginning> {
  const found = await ask(reading);
  const now = Number(await reading.tx.time());
  const { after, before } = await boundsOfSpan(reading, { since: momentOf(asked.since, now), until: momentOf(asked.until, now) });
  const newest = await newestPlace(reading, 'both');
  const end = newest && positionAfter(newest.position);
  const actors = asked.actors && (await Promise.all(asked.actors.map((text) => actorOf(reading, text))));
  const logs = [reading.registry, reading.platform].map(({ keyspace, live }) =>
    createLog(keyspace).newest(reading.tx, live.incarnation),
  );
  return {
    found,
    range: {
      after,
      before: before === undefined || (end && comparePositions(end, before) < 0) ? end : before,
      kinds: asked.kinds,
      actors,
    },
    newest: await Promise.all(logs),
  };
}

function momentOf(said: Said | undefined, now: number): Moment | undefined {
  return said !== undefined && 'ago' in said ? { time: now - said.ago } : said;
}

async function actorOf(reading: Reading, text: string): Promise<string> {
  const found = actorWithoutLookup(text) ?? (await findActor(reading, text));
  if (found !== undefined) return found;
  throw new UsageError(
    `nobody has the login name ${JSON.stringify(oneLine(text))}; accepted are login names, uids, system and anonymous`,
  );
}

/** The range of the newest `count` events, found from the end, in flat memory; and what can't be read before it, where that is not so many. */
async function lastOf(
  store: Store,
  ask: (reading: Reading) => Promise<Asked>,
  range: WalkRange,
  count: number,
): Promise<{ readonly range: WalkRange; readonly damage?: EventDecodeError }> {
  let before = range.before;
  let missing = count;
  let first: Position | undefined;
  try {
    for (;;) {
      const options = { ...range, before, newestFirst: true, limit: Math.min(missing, 500) };
      const { events, next } = await store.read(async (reading) => readEvents(reading, (await ask(reading)).of, options));
      first = events.at(-1)?.position ?? first;
      missing -= events.length;
      if (next === undefined) return { range };
      if (missing <= 0) return { range: { ...range, after: first && positionBefore(first) } };
      before = next;
    }
  } catch (error) {
    if (!(error instanceof EventDecodeError)) throw error;
    return { range: { ...range, after: before && positionBefore(before) }, damage: error };
  }
}

/** Ends where nobody reads any more. */
async function* stoppable(pages: EntryPages, output: Output): AsyncGenerator<readonly HistoryEntry[], void> {
  for await (const page of pages) {
    yield page;
    // The embedded store reads without waiting: no signal would come through until the end.
    await setImmediate();
    if (output.ended) return;
  }
}

async function exportTo(
  { form, file }: { readonly form: 'ndjson' | 'parquet'; readonly file: string },
  pages: EntryPages,
  output: Output,
): Promise<number> {
  let count = 0;
  const interrupted = new Error('interrupted');
  async function* counted(): EntryPages {
    for await (const page of pages) {
      count += page.length;
      yield page;
    }
    // What is cut off must not look whole.
    if (output.interrupted) throw interrupted;
  }
  try {
    await writeWholeFile(file, form === 'ndjson' ? ndjsonOf(counted()) : parquetOf(counted()));
  } catch (error) {
    if (error === interrupted) return complain(`interrupted; ${file} was not written`, INTERRUPTED);
    throw error;
  }
  await output.write(`wrote ${count} ${count === 1 ? 'event' : 'events'} to ${file}\n`);
  return 0;
}

/** What never was is an error; what did nothing in the span asked for is not. */
async function nothingShown(store: Store, ask: (reading: Reading) => Promise<Asked>, asked: HistoryArguments): Promise<number> {
  let before: Position | undefined;
  for (;;) {
    const options = { before, newestFirst: true, limit: 1 };
    const { events, next } = await store.read(async (reading) => readEvents(reading, (await ask(reading)).of, options));
    if (events.length > 0) return complain(`nothing in the history of ${asked.what} is so`, 0);
    if (next === undefined) return complain(`${asked.what} is not there, nor was it ever`, 1);
    before = next;
  }
}

interface Following extends Beginning {
  readonly show: (entry: HistoryEntry) => string;
  readonly output: Output;
  readonly asked: HistoryArguments;
}

/** Until it is interrupted, or nobody reads any more. */
async function follow(store: Store, ask: (reading: Reading) => Promise<Asked>, following: Following): Promise<void> {
  const { output, show, range, newest } = following;
  const inTurn = createTurns();
  let place = [...newest, range.after]
    .filter((position) => position !== undefined)
    .sort(comparePositions)
    .at(-1);
  const catchUp = async (upTo: Position | undefined): Promise<void> => {
    for await (const page of walkEntries(store, ask, { ...range, before: undefined, after: place, newestFirst: false })) {
      if (output.ended) return;
      await output.write(page.map(show).join(''));
      place = parsePosition(page.at(-1)?.position ?? '') ?? place;
    }
    // The pages were read at a later version than the batch: nothing comes before its end any more.
    if (upTo !== undefined && (place === undefined || comparePositions(place, upTo) < 0)) place = upTo;
  };
  const { registry, platform } = store.keyspaces;
  const followed = [registry, platform].map((keyspace, index) =>
    subscribe(createLog(keyspace), store.database, { after: newest[index], incarnation: incarnationOf(keyspace) }, ({ next }) =>
      defer(() => inTurn('history', () => catchUp(next))),
    ),
  );
  let subscription: { unsubscribe(): void } | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      void output.whenEnded.then(resolve);
      subscription = merge(...followed).subscribe({ error: reject });
    });
  } finally {
    subscription?.unsubscribe();
    await inTurn('history', () => Promise.resolve());
  }
}

function incarnationOf({ metaLive }: LiveDirectory['keyspace']) {
  return async (tx: Reading['tx']): Promise<number> => {
    const bytes = await tx.get(metaLive);
    if (bytes === undefined) throw new Error('meta/live is gone');
    return parseLive(bytes).incarnation;
  };
}
