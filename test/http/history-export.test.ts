import parquet from 'parquetjs-lite';
import { expect, test } from 'vitest';

import { entryLine, ndjsonOf, parquetOf } from '../../src/http/history-export.js';
import type { Uid } from '../../src/identifiers.js';
import type { HistoryEntry } from '../../src/projections/history-entries.js';

const uid = '0190a000-0000-7000-8000-111111111111' as Uid;

function entryOf(index: number): HistoryEntry {
  const position = `1-${index.toString(16).padStart(24, '0')}`;
  return {
    position,
    time: `2026-11-01T09:00:00.${String(index).padStart(6, '0')}Z`,
    occurredAt: '2026-11-01T08:59:59.999999Z',
    id: uid,
    kind: 'BlobUnlinked',
    text: `removed blob ${index}`,
    stream: `repository/${uid}` as HistoryEntry['stream'],
    actor: { kind: 'user', uid, authentication: 'token', erased: true, text: 'somebody' },
    client: { erased: true },
    requestId: uid,
    commandId: uid,
    correlationId: uid,
    payload: { digest: `sha256:${'0'.repeat(64)}` },
  };
}

async function* pagesOf(pages: number, rows: number): AsyncGenerator<readonly HistoryEntry[]> {
  for (let page = 0; page < pages; page += 1) yield Array.from({ length: rows }, (_, row) => entryOf(page * rows + row));
}

/** All that comes out, and how often others had a turn meanwhile. */
async function taken(chunks: AsyncIterable<Buffer>): Promise<{ readonly bytes: Buffer; readonly turns: number }> {
  let turns = 0;
  let done = false;
  const turn = (): void => {
    turns += 1;
    if (!done) setImmediate(turn);
  };
  setImmediate(turn);
  const all: Buffer[] = [];
  for await (const chunk of chunks) all.push(chunk);
  done = true;
  return { bytes: Buffer.concat(all), turns };
}

test('others have a turn after each page, though the embedded store never waits', async () => {
  expect((await taken(ndjsonOf(pagesOf(20, 3)))).turns).toBeGreaterThanOrEqual(20);
  expect((await taken(parquetOf(pagesOf(4, 100)))).turns).toBeGreaterThanOrEqual(16);
});

test('Parquet of several row groups has every row once, in order, with its microseconds', async () => {
  const { bytes } = await taken(parquetOf(pagesOf(24, 500)));
  const cursor = (await parquet.ParquetReader.openBuffer(bytes)).getCursor();
  let count = 0;
  for (let row = await cursor.next(); row !== null; row = await cursor.next()) {
    expect(row['position']).toBe(entryOf(count).position);
    if (count === 0) {
      expect(row).toMatchObject({ actor_erased: true, client_erased: true, kind: 'BlobUnlinked' });
      expect(Object.keys(row)).not.toContain('client_address');
    }
    count += 1;
  }
  expect(count).toBe(12_000);
});

test('of nothing, NDJSON is empty and Parquet a file without rows', async () => {
  expect((await taken(ndjsonOf(pagesOf(0, 0)))).bytes).toHaveLength(0);
  const reader = await parquet.ParquetReader.openBuffer((await taken(parquetOf(pagesOf(0, 0)))).bytes);
  expect(await reader.getCursor().next()).toBeNull();
});

test('no byte of a line moves a cursor, and the line is still the entry', () => {
  const entry = { ...entryOf(1), client: { address: '10.0.0.7', userAgent: '\u009b2J\u007f\u2028\n\u001b[1m' } };
  const line = entryLine(entry);
  // eslint-disable-next-line no-control-regex -- it looks for them
  expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/);
  expect(JSON.parse(line)).toEqual(entry);
});
