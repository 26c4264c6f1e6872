import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { AUTHORIZATION_MAX_LENGTH, parseAuthorization } from '../../src/identity/credentials.js';

const latin1 = fc.nat(255).map((code) => String.fromCharCode(code));

const basic = (text: string): string => `Basic ${Buffer.from(text).toString('base64')}`;

describe('an Authorization header', () => {
  test.each([undefined, '', '   ', 'Basic', 'basic ', 'Basic Og==', 'BASIC Og'])('%j is nobody', (header) => {
    expect(parseAuthorization(header)).toEqual({ kind: 'none' });
  });

  test.each([
    [basic('ann:secret'), 'ann', 'secret'],
    [basic('ann:se:cr:et'), 'ann', 'se:cr:et'],
    [basic('ann:'), 'ann', ''],
    [basic(':secret'), '', 'secret'],
    [basic('änn:pässwörd'), 'änn', 'pässwörd'],
    [basic('ann:secret').replace('Basic', 'bAsIc  '), 'ann', 'secret'],
  ])('%j is a name and a password', (header, user, password) => {
    expect(parseAuthorization(header)).toEqual({ kind: 'basic', user, password });
  });

  test.each([
    ['Bearer a.b.c', 'a.b.c'],
    ['bearer   a.b.c ', 'a.b.c'],
    ['Bearer', ''],
  ])('%j is a token', (header, token) => {
    expect(parseAuthorization(header)).toEqual({ kind: 'bearer', token });
  });

  test.each([
    ['Negotiate YII=', 'scheme'],
    ['Basic ***', 'base64'],
    [`Basic ${Buffer.from([0x61, 0x3a, 0xff]).toString('base64')}`, 'UTF-8'],
    [basic('nocolon'), 'colon'],
    [`Bearer ${'a'.repeat(AUTHORIZATION_MAX_LENGTH)}`, `${AUTHORIZATION_MAX_LENGTH}`],
    ['=', 'scheme'],
  ])('%.20j is refused with the reason', (header, reason) => {
    expect(parseAuthorization(header)).toEqual({ kind: 'unreadable', reason: expect.stringContaining(reason) as string });
  });

  test('any name without a colon and any password come back as they were sent', () => {
    const user = fc.string({ unit: 'grapheme', minLength: 1 }).filter((text) => !text.includes(':'));
    fc.assert(
      fc.property(user, fc.string({ unit: 'grapheme' }), (name, password) => {
        expect(parseAuthorization(basic(`${name}:${password}`))).toEqual({ kind: 'basic', user: name, password });
      }),
    );
  });

  test('no text makes it throw', () => {
    const scheme = fc.constantFrom('Basic ', 'Bearer ', 'basic', '');
    fc.assert(
      fc.property(scheme, fc.oneof(fc.string({ unit: latin1 }), fc.base64String()), (prefix, rest) => {
        expect(['none', 'basic', 'bearer', 'unreadable']).toContain(parseAuthorization(prefix + rest).kind);
      }),
    );
  });
});
