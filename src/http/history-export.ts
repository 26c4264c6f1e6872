import { setImmediate } from 'node:timers/promises';
import type { ParquetColumn } from 'parquetjs-lite';

import { parseTime } from '../events/database-time.js';
import type { HistoryEntry } from '../projections/history-entries.js';

/** Pages of entries, in the order in which they are written. */
export type EntryPages = AsyncIterable<readonly HistoryEntry[]>;

/** An entry as one line of JSON, without the line's end. No byte of it moves a terminal's cursor. */
export function entryLine(entry: HistoryEntry): string {
  return JSON.stringify(entry).replace(
    /[\u007f-\u009f\u2028\u2029]/g,
    (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** NDJSON: an entry a line, the lines of a page together. */
export async function* ndjsonOf(pages: EntryPages): AsyncGenerator<Buffer> {
  for await (const page of pages) {
    yield Buffer.from(page.map((entry) => `${entryLine(entry)}\n`).join(''));
    // The embedded store reads without waiting: nothing else would have a turn until the end.
    await setImmediate();
  }
}

/** Rows held in memory, and rows that readers can pass over at once. */
const ROW_GROUP = 5_000;
/** Encoded and compressed in one go, on the thread that serves pulls. */
const PAGE_ROWS = 500;
const ROWS_IN_ONE_GO = 25;

const text: ParquetColumn = { type: 'UTF8', optional: true, compression: 'SNAPPY', statistics: false };
const present: ParquetColumn = { ...text, optional: false };
const flag: ParquetColumn = { type: 'BOOLEAN', optional: true, statistics: false };
// What readers look for by range: they pass over the row groups that cannot have it.
const time: ParquetColumn = { type: 'TIMESTAMP_MICROS', compression: 'SNAPPY' };

/** docs/api.md, "Parquet", has what each column holds. */
const columns = {
  position: { ...present, statistics: true },
  time,
  occurred_at: time,
  id: present,
  kind: { ...present, statistics: true },
  text: present,
  stream: present,
  project: text,
  project_uid: text,
  repository: text,
  repository_uid: text,
  repository_current: flag,
  actor_kind: present,
  actor_uid: text,
  actor_name: text,
  actor_erased: { ...flag, optional: false },
  authentication: present,
  client_address: text,
  client_user_agent: text,
  client_erased: { ...flag, optional: false },
  request_id: present,
  command_id: present,
  correlation_id: present,
  causation_id: text,
  image: text,
  tag: text,
  digest: text,
  previous: text,
  size: { type: 'INT64', optional: true, compression: 'SNAPPY', statistics: false },
  payload: { type: 'JSON', compression: 'SNAPPY', statistics: false },
} as const satisfies Readonly<Record<string, ParquetColumn>>;

type Row = { readonly [C in keyof typeof columns]: unknown };

function rowOf(entry: HistoryEntry): Row {
  const { position, id, kind, text: words, stream, repository, actor, client, payload } = entry;
  const known = client !== undefined && 'address' in client ? client : undefined;
  return {
    position,
    time: microsecondsOf(entry.time),
    occurred_at: microsecondsOf(entry.occurredAt),
    id,
    kind,
    text: words,
    stream,
    project: repository?.project.id,
    project_uid: repository?.project.uid,
    repository: repository?.id,
    repository_uid: repository?.uid,
    repository_current: repository?.current,
    actor_kind: actor.kind,
    actor_uid: actor.uid,
    actor_name: actor.name,
    actor_erased: actor.erased ?? false,
    authentication: actor.authentication,
    client_address: known?.address,
    client_user_agent: known?.userAgent,
    client_erased: client !== undefined && 'erased' in client,
    request_id: entry.requestId,
    command_id: entry.commandId,
    correlation_id: entry.correlationId,
    causation_id: entry.causationId,
    image: payload['image'],
    tag: payload['tag'],
    digest: payload['to'] ?? payload['digest'],
    previous: typeof payload['from'] === 'string' ? payload['from'] : undefined,
    size: payload['size'],
    payload,
  };
}

function microsecondsOf(text: string): number {
  const time = parseTime(text);
  if (typeof time !== 'number') throw new Error(time.reason);
  return time;
}

/** Apache Parquet, version 1 pages, SNAPPY. Memory: one row group, and a few kilobytes for each that was written. */
export async function* parquetOf(pages: EntryPages): AsyncGenerator<Buffer> {
  // Loaded by who exports alone: a server's start does not wait for it.
  const { ParquetEnvelopeWriter, ParquetSchema, ParquetWriter } = (await import('parquetjs-lite')).default;
  let written: Buffer[] = [];
  const options = { rowGroupSize: ROW_GROUP, pageSize: PAGE_ROWS, useDataPageV2: false, pageIndex: false };
  const schema = new ParquetSchema(columns);
  const sink = (bytes: Buffer): void => void written.push(bytes);
  const envelope = new ParquetEnvelopeWriter(schema, sink, () => undefined, 0, options);
  const writer = new ParquetWriter(schema, envelope, options);
  const taken = (): readonly Buffer[] => {
    const bytes = written;
    written = [];
    return bytes;
  };
  let rows = 0;
  for await (const page of pages) {
    for (const entry of page) {
      await writer.appendRow(rowOf(entry));
      rows += 1;
      // Pulls go on in between.
      if (rows % ROWS_IN_ONE_GO === 0) await setImmediate();
    }
    yield* taken();
  }
  await writer.close();
  yield* taken();
}
