import fc from 'fast-check';
import { execFileSync, spawnSync } from 'node:child_process';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

import { ConfigError, readConfig } from '../src/config.js';

function problemOf(env: Record<string, string>): string {
  try {
    readConfig(env);
  } catch (error) {
    if (error instanceof ConfigError) return error.message;
    throw error;
  }
  return '';
}

describe('without a setting', () => {
  test('serve has the defaults of its table', () => {
    expect(readConfig({})).toEqual({
      address: { host: '0.0.0.0', port: 7111 },
      database: { engine: 'lmdb', folder: resolve('data') },
      directory: 'registry',
      metadataDirectory: 'topaz',
      blobs: { driver: 'local', folder: resolve('data/blobs') },
      debug: false,
      scanOnPush: true,
      createOnPush: true,
      sparseManifests: false,
      firstUser: undefined,
      firstPassword: undefined,
      publicUrl: undefined,
      trustedProxies: [],
      tls: undefined,
      tokenLifetimeSeconds: 300,
      idleSeconds: 60,
      uploadIdleSeconds: 3_600,
      uploadTimeoutSeconds: 86_400,
      drainSeconds: 30,
    });
  });

  test('an empty one is none', () => {
    const names = Object.keys(bad);
    expect(readConfig(Object.fromEntries(names.map((name) => [name, ''])))).toEqual(readConfig({}));
  });
});

/** Values that are refused, and what the message says of what is accepted. */
const bad: Readonly<Record<string, readonly [accepted: string, ...values: string[]]>> = {
  ARTIFACT_STORE_ADDRESS: ['<host>:<port>', '7111', 'localhost', 'localhost:', ':70000', 'a:b', '::1:7111', 'http://x:1', 'x:-1'],
  ARTS_DATABASE: ['lmdb:<folder>, fdb:<cluster file>', 'lmdb:', './data', 'postgres://x', 'lmdb', 'fdb', 'fdb:/x\0'],
  ARTIFACT_STORE_DIRECTORY: ['a name of 1 to 64', 'a/b', 'x'.repeat(65), 'ä', 'a b'],
  ARTS_METADATA_DIRECTORY: ['a name of 1 to 64', 'a/b', '../x'],
  FDB_DIRECTORY: ['a name of 1 to 64', 'a/b', 'x y'],
  ARES_CLIENT_ADDRESS: ['a folder', 'gopher://x', 'ftp:x', 'file://host/x', 'file:///a%2Fb'],
  DEBUG: ['true or false', '2', 'maybe', ' true', 'true\n'],
  ARTS_SCAN_ON_PUSH: ['true or false', 'never'],
  ARTS_CREATE_ON_PUSH: ['true or false', 'x'],
  ARTS_SPARSE_MANIFESTS: ['true or false', '10'],
  ARTS_FIRST_USER: ['a name of 1 to 255', 'a:b', 'a b', 'x'.repeat(256), 'a\u0001'],
  ARTS_FIRST_PASSWORD: ['8 to 1024 characters', 'seven77', 'x'.repeat(1_025)],
  ARTS_PUBLIC_URL: [
    'http(s)://<host>',
    'example.test',
    'ftp://example.test',
    'https://example.test/path',
    'https://u@example.test',
    'https://example.test?q',
  ],
  ARTS_TRUSTED_PROXIES: [
    'IP addresses',
    'proxy',
    '10.0.0.0/33',
    '::1/129',
    '10.0.0.1,',
    '10.0.0.0/8/8',
    '1.2.3',
    '0.0.0.0/0',
    '::/0',
  ],
  ARTS_TOKEN_LIFETIME_SECS: ['a whole number from 60 to 86400', '59', '86401', '-1', '1.5', '1e3', '60s'],
  ARTS_IDLE_TIMEOUT_SECS: ['a whole number from 1 to 86400', '0', '86401', 'x'],
  ARTS_UPLOAD_IDLE_SECS: ['a whole number from 1 to 31536000', '0', '31536001'],
  ARTS_UPLOAD_TIMEOUT_SECS: ['a whole number from 1 to 31536000', '0', 'never'],
  ARTS_DRAIN_SECS: ['a whole number from 0 to 3600', '3601', '-1'],
};

describe.each(Object.entries(bad))('a bad %s', (name, [accepted, ...values]) => {
  test.each(values)('(%j) is one line that names the variable, the value and what is accepted', (value) => {
    const message = problemOf({ [name]: value });
    expect(message.startsWith(`${name}=`)).toBe(true);
    expect(message).toContain(accepted);
    expect(message).not.toContain('\n');
    const shown = value.replace(/\p{Cc}/gu, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
    expect(message.includes(shown)).toBe(name !== 'ARTS_FIRST_PASSWORD');
  });

  test('of any text is never more than one line', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 30 }), (value) => {
        const message = problemOf({ [name]: value });
        expect(message).not.toMatch(/[\p{Cc}\u2028\u2029]/u);
        if (message !== '') expect(message.startsWith(`${name}=`)).toBe(true);
      }),
    );
  });
});

describe('a cluster of FoundationDB', () => {
  const cluster = { engine: 'foundationdb', tlsFiles: [] };

  test.each([
    ['by its file', { ARTS_DATABASE: 'fdb:/etc/x.cluster' }, '/etc/x.cluster', 'ARTS_DATABASE'],
    ['by a file here', { ARTS_DATABASE: 'fdb:x.cluster' }, resolve('x.cluster'), 'ARTS_DATABASE'],
    ["by the client library's own file", { ARTS_DATABASE: 'fdb:' }, undefined, 'ARTS_DATABASE'],
    ['by FDB_CLUSTER_FILE alone', { FDB_CLUSTER_FILE: '/etc/y.cluster' }, '/etc/y.cluster', 'FDB_CLUSTER_FILE'],
    ['by both', { ARTS_DATABASE: 'fdb:', FDB_CLUSTER_FILE: '/etc/y.cluster' }, '/etc/y.cluster', 'FDB_CLUSTER_FILE'],
    ['by its own setting first', { ARTS_DATABASE: 'fdb:/x', FDB_CLUSTER_FILE: '/etc/y.cluster' }, '/x', 'ARTS_DATABASE'],
  ])('is named %s', (_, env, clusterFile, variable) => {
    expect(readConfig(env).database).toEqual({ ...cluster, clusterFile, variable });
  });

  test('is not what a machine with FDB_CLUSTER_FILE uses where the embedded store is asked for', () => {
    const env = { ARTS_DATABASE: 'lmdb:/x', FDB_CLUSTER_FILE: '/etc/y.cluster' };
    expect(readConfig(env).database).toEqual({ engine: 'lmdb', folder: '/x' });
  });

  test('is spoken to with the files that the client library is told of', () => {
    const env = { ARTS_DATABASE: 'fdb:/x', FDB_TLS_CERTIFICATE_FILE: '/c.pem', FDB_TLS_KEY_FILE: '', FDB_TLS_CA_FILE: '/ca.pem' };
    expect(readConfig(env).database).toMatchObject({
      tlsFiles: [
        { variable: 'FDB_TLS_CERTIFICATE_FILE', file: '/c.pem' },
        { variable: 'FDB_TLS_CA_FILE', file: '/ca.pem' },
      ],
    });
  });

  test('has directories inside directories', () => {
    const env = { ARTS_DATABASE: 'fdb:', ARTIFACT_STORE_DIRECTORY: 'prod/registry', ARTS_METADATA_DIRECTORY: 'prod/topaz' };
    expect(readConfig(env)).toMatchObject({ directory: 'prod/registry', metadataDirectory: 'prod/topaz' });
    for (const value of ['/a', 'a/', 'a//b', 'a/b c', '/']) {
      expect(problemOf({ ARTS_DATABASE: 'fdb:', ARTIFACT_STORE_DIRECTORY: value })).toBe(
        `ARTIFACT_STORE_DIRECTORY=${value} is not understood; accepted: a name of 1 to 64 letters, digits, - _ and ., or several such names separated by slashes`,
      );
    }
  });
});

test('FDB_DIRECTORY is the same as ARTIFACT_STORE_DIRECTORY, and they may not differ', () => {
  expect(readConfig({ FDB_DIRECTORY: 'one' }).directory).toBe('one');
  expect(readConfig({ FDB_DIRECTORY: 'one', ARTIFACT_STORE_DIRECTORY: 'one' }).directory).toBe('one');
  expect(problemOf({ FDB_DIRECTORY: 'one', ARTIFACT_STORE_DIRECTORY: 'two' })).toBe(
    "FDB_DIRECTORY=one is not ARTIFACT_STORE_DIRECTORY=two; both name the directory of the registry's keys: set one of them, or both to the same",
  );
});

test('TLS needs both its files, and the message names the one that is missing', () => {
  expect(problemOf({ ARTS_TLS_CERT: 'c.pem' })).toMatch(/^ARTS_TLS_KEY is not set/);
  expect(problemOf({ ARTS_TLS_KEY: 'k.pem' })).toMatch(/^ARTS_TLS_CERT is not set/);
  expect(readConfig({ ARTS_TLS_KEY: 'k.pem', ARTS_TLS_CERT: 'c.pem' }).tls).toEqual({
    certificate: resolve('c.pem'),
    key: resolve('k.pem'),
  });
});

test('good values are understood', () => {
  expect(readConfig({ ARTIFACT_STORE_ADDRESS: '[::1]:80' }).address).toEqual({ host: '::1', port: 80 });
  expect(readConfig({ ARTIFACT_STORE_ADDRESS: ':0' }).address).toEqual({ host: '0.0.0.0', port: 0 });
  expect(readConfig({ ARTS_DATABASE: 'lmdb:/x/y' }).database).toEqual({ engine: 'lmdb', folder: '/x/y' });
  expect(readConfig({ ARES_CLIENT_ADDRESS: 'file:///x%20y' }).blobs.folder).toBe('/x y');
  expect(readConfig({ ARTS_PUBLIC_URL: 'HTTPS://Example.test:443/' }).publicUrl).toBe('https://example.test');
  expect(readConfig({ ARTS_TRUSTED_PROXIES: '10.0.0.0/8, ::1' }).trustedProxies).toEqual(['10.0.0.0/8', '::1']);
  for (const on of ['true', '1', 'YES', 'on']) expect(readConfig({ DEBUG: on }).debug).toBe(true);
  for (const off of ['false', '0', 'No', 'off']) expect(readConfig({ DEBUG: off }).debug).toBe(false);
});

test('a bad setting stops the start with one line on stderr, and the first password is not in it', () => {
  const program = fileURLToPath(new URL('../dist/main.js', import.meta.url));
  const start = (env: Record<string, string>) =>
    spawnSync(process.execPath, [program, 'serve'], {
      env: { PATH: process.env['PATH'], ...env },
      encoding: 'utf8',
      timeout: 20_000,
    });
  const bind = start({ ARTS_IDLE_TIMEOUT_SECS: 'soon', ARTS_FIRST_PASSWORD: 'long enough' });
  expect(bind.status).toBe(1);
  expect(bind.stdout).toBe('');
  expect(bind.stderr).toBe(
    'artifact-store: ARTS_IDLE_TIMEOUT_SECS=soon is not understood; accepted: a whole number from 1 to 86400\n',
  );
  const secret = start({ ARTS_FIRST_PASSWORD: 'short' });
  expect(secret.status).toBe(1);
  expect(secret.stderr).toBe('artifact-store: ARTS_FIRST_PASSWORD=(hidden) is not understood; accepted: 8 to 1024 characters\n');
  expect(execFileSync(process.execPath, [program, 'help'], { encoding: 'utf8' })).toContain('usage: artifact-store');
});
