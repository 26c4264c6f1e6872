import { IncomingMessage } from 'node:http';
import { Socket } from 'node:net';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { basicChallenge, bearerChallenge, publicOriginOf } from '../../src/http/challenge.js';

const latin1 = fc.nat(255).map((code) => String.fromCharCode(code));

function request(headers: Record<string, string>, encrypted = false): IncomingMessage {
  const message = new IncomingMessage(Object.assign(new Socket(), { encrypted }));
  Object.assign(message.headers, headers);
  return message;
}

const origin = (headers: Record<string, string>, encrypted = false, publicUrl?: string): string => {
  const { scheme, host } = publicOriginOf(request(headers, encrypted), publicUrl);
  return `${scheme}://${host}`;
};

describe("the client's name for this registry", () => {
  test('is what the connection and the Host header say', () => {
    expect(origin({ host: 'localhost:7111' })).toBe('http://localhost:7111');
    expect(origin({ host: '[::1]:7111' }, true)).toBe('https://[::1]:7111');
  });

  test("is what the proxy's first values say", () => {
    const headers = { host: '10.0.0.7:7111', 'x-forwarded-proto': 'HTTPS, http', 'x-forwarded-host': 'registry.test, proxy' };
    expect(origin(headers)).toBe('https://registry.test');
    expect(origin({ host: 'registry.test', 'x-forwarded-proto': 'https' })).toBe('https://registry.test');
  });

  test('is the setting before all else', () => {
    expect(origin({ host: 'a', 'x-forwarded-host': 'b' }, false, 'https://registry.test:8443')).toBe(
      'https://registry.test:8443',
    );
  });

  test.each([
    'a"b',
    'a b',
    'a/b',
    'a,b"',
    'user@host',
    'a\\b',
    'a\r\nb',
    'host:port',
    'host:123456',
    '',
    '-',
    'a?b',
    'a#b',
    '[::1',
  ])('is never taken from the forwarded host %j', (host) => {
    expect(origin({ host: 'good.test', 'x-forwarded-host': host })).toMatch(/^http:\/\/(good\.test|a)$/);
    expect(origin({ host })).toBe('http://localhost');
  });

  test('ignores another scheme', () => {
    expect(origin({ host: 'good.test', 'x-forwarded-proto': 'javascript' })).toBe('http://good.test');
  });
});

describe('a challenge', () => {
  const registry = { scheme: 'https' as const, host: 'registry.test' };

  test('says where a token is had, for what, and what was wrong', () => {
    expect(bearerChallenge(registry)).toBe('Bearer realm="https://registry.test/token",service="registry.test"');
    expect(
      bearerChallenge(registry, { scope: 'repository:a/b:pull repository:c/d:pull,push', error: 'insufficient_scope' }),
    ).toBe(
      'Bearer realm="https://registry.test/token",service="registry.test",scope="repository:a/b:pull repository:c/d:pull,push",error="insufficient_scope"',
    );
    expect(basicChallenge(registry)).toBe('Basic realm="registry.test",charset="UTF-8"');
  });

  test('holds any scope in one quoted string', () => {
    fc.assert(
      fc.property(fc.string({ unit: latin1, minLength: 1 }), (scope) => {
        expect(bearerChallenge(registry, { scope })).toMatch(
          /^Bearer realm="[^"]*",service="[^"]*",scope="(?:[\t\x20\x21\x23-\x5b\x5d-\x7e]|\\["\\])*"$/,
        );
      }),
    );
  });
});
