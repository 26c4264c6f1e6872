import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';

import { errorTable, messageOf, reject, RefusalError, type ErrorCode } from '../src/errors.js';

interface Row {
  readonly status: number;
  readonly oci: string;
  readonly message: string;
}

function documented(): ReadonlyMap<string, Row & { readonly when: string }> {
  const text = readFileSync(new URL('../docs/errors.md', import.meta.url), 'utf8');
  const rows = text
    .split('\n')
    .map((line) => /^\| ([A-Z_]+) +\| (\d{3}) +\| ([A-Z_]+) +\| `(.+)` +\| (.+?) +\|$/.exec(line))
    .filter((match) => match !== null);
  return new Map(
    rows.map(([, name = '', status = '', oci = '', message = '', when = '']) => [
      name,
      { status: Number(status), oci, message, when },
    ]),
  );
}

test('docs/errors.md has every error with its status, code and message, and no other', () => {
  const found = [...documented()].map(([name, { status, oci, message }]) => [name, { status, oci, message }] as const);
  expect(Object.fromEntries(found)).toEqual(errorTable);
});

test('docs/errors.md says of every error when it comes', () => {
  for (const [name, { when }] of documented()) expect(when.length, name).toBeGreaterThan(10);
});

test('every status goes with its code', () => {
  for (const [name, { status, oci }] of Object.entries(errorTable)) {
    if (status === 401) expect(oci, name).toBe('UNAUTHORIZED');
    if (status === 403) expect(oci, name).toBe('DENIED');
    if (status === 429) expect(oci, name).toBe('TOOMANYREQUESTS');
    if (oci === 'UNKNOWN') expect(status, name).toBeGreaterThanOrEqual(500);
    if (oci.endsWith('_UNKNOWN')) expect(status, name).toBe(404);
  }
});

test('details fill the holes of a message, and one that is missing leaves its hole', () => {
  expect(messageOf({ refused: 'MANIFEST_UNKNOWN', details: { name: 'p/r', reference: 'v1' } })).toBe('p/r has no manifest v1');
  expect(messageOf({ refused: 'MANIFEST_UNKNOWN', details: { name: '{reference}' } })).toBe(
    '{reference} has no manifest {reference}',
  );
});

test('a refusal on its way carries itself', () => {
  const refused: ErrorCode = 'PAGE_INVALID';
  try {
    reject(refused, { reason: 'why' });
  } catch (error) {
    expect(error).toBeInstanceOf(RefusalError);
    expect(error).toMatchObject({ message: 'why', refusal: { refused, details: { reason: 'why' } } });
  }
  expect.assertions(2);
});
