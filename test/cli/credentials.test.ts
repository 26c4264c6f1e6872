import { expect, test } from 'vitest';

import { Misused } from '../../src/cli/complaints.js';
import { parseServer, readCredentials } from '../../src/cli/credentials.js';

test.each([
  ['registry.example.com', 'https://registry.example.com'],
  ['registry.example.com:7111', 'https://registry.example.com:7111'],
  ['127.0.0.1.example.com', 'https://127.0.0.1.example.com'],
  ['192.168.0.1:7111', 'https://192.168.0.1:7111'],
  ['localhost.example.com', 'https://localhost.example.com'],
  ['[2001:db8::1]:7111', 'https://[2001:db8::1]:7111'],
  ['localhost', 'http://localhost'],
  ['localhost:7111', 'http://localhost:7111'],
  ['localhost:443', 'http://localhost:443'],
  ['127.0.0.1:7111', 'http://127.0.0.1:7111'],
  ['127.1.2.3', 'http://127.1.2.3'],
  ['[::1]:7111', 'http://[::1]:7111'],
  ['http://registry.example.com', 'http://registry.example.com'],
  ['HTTPS://localhost:7111/', 'https://localhost:7111'],
])('a password goes in the clear to this machine alone, unless http:// is written: %s is %s', (text, origin) => {
  expect(parseServer(text)).toBe(origin);
});

test.each([
  '',
  'ftp://host',
  'http://',
  'host/path',
  'https://host/v2',
  'https://ann:secret@host',
  'host?x',
  'two words',
  'host:port',
])('the server %j is not understood', (text) => expect(() => parseServer(text)).toThrow(Misused));

const env = { ARTS_SERVER: 'localhost:7111', ARTS_USER: 'ann@example.test', ARTS_PASSWORD: 'secret' };

test.each([
  [{ ARTS_SERVER: 'x' }, {}, 'who asks?'],
  [{ ARTS_USER: 'ann@example.test' }, {}, 'the password of ann@example.test is missing'],
  [env, { 'key-file': 'key.json', user: 'bob@example.test' }, '--key-file and --user exclude each other'],
  [env, { 'key-file': 'key.json', 'password-stdin': true }, '--key-file and --password-stdin exclude each other'],
])('credentials of %j and %j are misuse', async (environment, flags, reason) => {
  await expect(readCredentials(environment, flags)).rejects.toThrow(reason);
});

test('a file that is no key file is sent to nobody', async () => {
  await expect(readCredentials({ ...env, ARTS_KEY_FILE: 'package.json' }, {})).rejects.toThrow(
    'package.json is no key file: its type is not artifact_store_service_account_key',
  );
});
