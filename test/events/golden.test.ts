import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import { createKeyspace, directoryPrefix } from '../../src/keyvalue/keyspace.js';
import { decodeEvent, encodeEvent, EVENT_GENERATION } from '../../src/events/codec.js';
import { goldenEvents, goldenKeys } from './samples.js';

const root = new URL('../golden/', import.meta.url);
const schema = readFileSync(new URL('../../src/events/events.proto', import.meta.url), 'utf8');

interface Golden {
  readonly bytes: string;
  readonly event: unknown;
}

const golden = Array.from({ length: EVENT_GENERATION }, (_, index) => index + 1).flatMap((generation) => {
  const folder = generation === 1 ? 'events' : `events-${generation}`;
  return readdirSync(new URL(folder, root)).map((file) => {
    const name = file.replace(/\.json$/, '');
    const held = JSON.parse(readFileSync(new URL(`${folder}/${file}`, root), 'utf8')) as Golden;
    return { path: `${folder}/${name}`, name, generation, ...held };
  });
});

/** `[message, field]` of every case of the oneof, in the schema's own text. */
const cases = [...(/oneof payload \{(.*?)\n {2}\}/s.exec(schema)?.[1] ?? '').matchAll(/^ +(\w+) (\w+) = \d+;/gm)].map(
  ([, message = '', field = '']) => ({
    message,
    name: field.replace(/_([a-z0-9])/g, (_, letter: string) => letter.toUpperCase()),
  }),
);

// A message is the newest of its kind when no other has its name with a higher version behind it.
const versions = new Map<string, { readonly version: number; readonly name: string }>();
for (const { message, name } of cases) {
  const [, kind = message, version = '1'] = /^(.*?)(?:V(\d+))?$/.exec(message) ?? [];
  if ((versions.get(kind)?.version ?? 0) < Number(version)) versions.set(kind, { version: Number(version), name });
}
const newest = new Set([...versions.values()].map(({ name }) => name));
const messageOf = (name: string): string => name.split('.')[0] ?? name;

test('every message of the schema has golden bytes', () => {
  expect(cases.length).toBeGreaterThan(15);
  const has = new Set(golden.map(({ name }) => messageOf(name)));
  expect(
    cases.map(({ name }) => name).filter((name) => !has.has(name)),
    'add a sample to test/events/samples.ts, then run: node scripts/write-golden.js',
  ).toEqual([]);
});

test('every sample has its golden file, for every generation that it is written in', () => {
  expect(
    [...goldenEvents().keys()].filter((sample) => !golden.some(({ path }) => path === sample)),
    'run: node scripts/write-golden.js',
  ).toEqual([]);
});

describe.each(golden)('$path', ({ name, generation, bytes, event }) => {
  test('its golden bytes decode to its event', () => {
    expect(JSON.parse(JSON.stringify(decodeEvent(Buffer.from(bytes, 'hex'))))).toEqual(event);
  });

  test.runIf(newest.has(messageOf(name)))('its event encodes to its golden bytes', () => {
    expect(encodeEvent(decodeEvent(Buffer.from(bytes, 'hex')), generation).toString('hex')).toBe(bytes);
  });
});

test('every key is built as it was when stores were written', () => {
  const stored: unknown = JSON.parse(readFileSync(new URL('keys.json', root), 'utf8'));
  expect(goldenKeys()).toEqual(stored);
  expect(
    Object.keys(createKeyspace(directoryPrefix('registry'))).filter((name) => !Object.hasOwn(goldenKeys(), name)),
    'add a sample to test/events/samples.ts, then run: node scripts/write-golden.js',
  ).toEqual([]);
});
