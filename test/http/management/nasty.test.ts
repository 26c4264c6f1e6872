import { beforeAll, expect, test } from 'vitest';

import { base, openManagement, type Management } from './fixture.js';
import { bodies, fill, named, operationsOf, type Fields, type Operation } from './valid-requests.js';

/** Every text of every request, one at a time, with each of these in place of it or as a part of it, all else right, by the owner: none is a fault of the server. */

const nasty = [
  ...[
    '',
    ' ',
    '.',
    '..',
    '%',
    '%00',
    '/',
    '\\',
    ':',
    '@',
    ',',
    '-',
    '*',
    '"',
    "' or 1=1",
    '{}',
    '[]',
    '${x}',
    '<script>',
    '#',
    '?',
  ],
  ...[
    '\0',
    '\n',
    '\r\n',
    '\t',
    '\u007f',
    '\u0085',
    '\u2028',
    '\u200b',
    '\ufeff',
    '\ufffe',
    '\uffff',
    '\ud800',
    '\udc00',
    '\udc00\ud800',
  ],
  ...['__proto__', 'constructor', 'toString', 'hasOwnProperty', 'null', 'undefined', 'NaN', '-1', '0x10', '1e9'],
  ...['É', 'İ', 'ß', 'e\u0301', '🚀', '日本', 'x'.repeat(129), 'x'.repeat(5_000), '\ud83d'.repeat(100)],
];
// Each is the rest of something that is right.
const parts = [
  'team/',
  '/ci',
  'team/ci',
  '@example.org',
  'ann@',
  'sha256:',
  '1-',
  '2026-11-01T09:00:00Z',
  'api/',
  'latest',
  '0190a000-0000-7000-8000-000000000000',
];
const worst = ['\0', '\ud800', '__proto__', '🚀', '%'];
const values = [
  ...nasty,
  ...parts,
  ...worst.flatMap((one) => parts.map((part) => (/^[/@]/.test(part) ? one + part : part + one))),
];

let api: Management;
let operations: readonly Operation[];
beforeAll(async () => {
  api = await openManagement();
  operations = await operationsOf(api);
  await fill(api);
});

interface Place {
  readonly operation: Operation;
  readonly where: 'path' | 'query' | 'header' | 'body';
  readonly name: string;
}

/** Of a text without a choice, or a list of such. */
const isText = ({ type, enum: choices, anyOf, items }: Fields): boolean =>
  choices === undefined &&
  (type === 'string' ||
    (type === 'array' && isText(items as Fields)) ||
    (Array.isArray(anyOf) && (anyOf as readonly Fields[]).some(isText)));

function placesOf(operation: Operation): readonly Place[] {
  const fields = (operation.body?.['properties'] ?? {}) as Readonly<Record<string, Fields>>;
  return [
    ...operation.parameters.filter(({ schema }) => isText(schema)).map(({ name, in: where }) => ({ operation, where, name })),
    ...Object.entries(fields)
      .filter(([, schema]) => isText(schema))
      .map(([name]) => ({ operation, where: 'body', name }) as const),
  ];
}

// What of a text has no UTF-8 is sent as its bytes would be, which no reader takes.
const escaped = (text: string): string =>
  [...text]
    .map((one) => {
      const code = one.codePointAt(0) ?? 0;
      const half = [0xe0 | (code >> 12), 0x80 | ((code >> 6) & 63), 0x80 | (code & 63)];
      return code >= 0xd800 && code < 0xe000 ? half.map((byte) => `%${byte.toString(16)}`).join('') : encodeURIComponent(one);
    })
    .join('');

async function sendTo(
  { operation, where, name }: Place,
  value: string,
): Promise<{ readonly status: number; readonly said: string }> {
  const fill = (path: string) =>
    path.replace(/\{(\w+)\}/g, (_all, each: string) =>
      where === 'path' && each === name ? escaped(value) : escaped(named[each] ?? ''),
    );
  const fields = (operation.body?.['properties'] ?? {}) as Readonly<Record<string, Fields>>;
  const given = fields[name]?.['type'] === 'array' ? [value] : value;
  const body = where === 'body' ? { ...bodies[operation.id], [name]: given } : bodies[operation.id];
  const search = where === 'query' ? `?${name}=${value.includes('&sort=') ? value : escaped(value)}` : '';
  // What Node refuses to send in a header, a client can't either.
  const headers = where === 'header' ? { [name]: value.replace(/[^\t\x20-\x7e\x80-\xff]/g, '.') } : {};
  const answer = await api.send(operation.method, `${base}${fill(operation.template)}${search}`, {
    headers,
    ...(body === undefined ? {} : { body }),
  });
  return { status: answer.status, said: answer.bytes.toString() };
}

test('the description names what is tried', () => {
  const ids = operations.filter((one) => one.body !== undefined).map(({ id }) => id);
  expect(ids.filter((id) => bodies[id] === undefined)).toEqual([]);
  expect(operations.flatMap(placesOf).length).toBeGreaterThan(150);
});

test('no text in any place of any request is a fault of the server', { timeout: 300_000 }, async () => {
  const faults: string[] = [];
  for (const place of operations.flatMap(placesOf)) {
    // What is accepted here costs a password's hash, which keeps a processor for a while.
    const isSlow = ['createUser', 'resetPassword', 'changeMyPassword'].includes(place.operation.id);
    for (const value of isSlow && place.name !== 'email' ? worst : place.where === 'header' ? nasty : values) {
      // A client that follows RFC 3986, section 5.2.4, sends something else for these, and another operation is meant.
      if (place.where === 'path' && ['.', '..'].includes(value)) continue;
      const found = await sendTo(place, value).catch((error: unknown) => ({ status: 599, said: String(error) }));
      const asked = `${place.operation.id} ${place.where} ${place.name}=${JSON.stringify(value.slice(0, 60))}`;
      if (found.status >= 500) faults.push(`${asked} -> ${found.status} ${found.said.slice(0, 200)}`);
    }
  }
  expect(faults).toEqual([]);
});

test('no place in a list that a cursor names is a fault of the server', { timeout: 60_000 }, async () => {
  for (const place of operations.flatMap(placesOf).filter(({ where, name }) => where === 'query' && name === 'after')) {
    for (const sort of ['name', '-name', 'created', '-created']) {
      for (const value of nasty) {
        const cursor = Buffer.from(JSON.stringify([sort, value, value])).toString('base64url');
        expect((await sendTo(place, `${cursor}&sort=${sort}`)).status).toBeLessThan(500);
      }
    }
  }
});
