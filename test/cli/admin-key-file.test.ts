import { existsSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, afterEach, expect, test } from 'vitest';

import { run, temporaryFolder } from '../support/processes.js';
import { startServer } from '../support/server.js';

const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const folder = temporaryFolder('keys');
const registry = await startServer();
afterAll(() => registry.remove());

const others: Server[] = [];
afterEach(() => others.splice(0).forEach((server) => server.close().closeAllConnections()));

const quoted = (word: string): string => `'${word}'`;

/** `shell`: what comes before the command and after it. */
async function admin(url: string, args: readonly string[], [before, after] = ['exec', '']) {
  const env = { PATH: process.env['PATH'], ARTS_SERVER: url, ARTS_USER: registry.user, ARTS_PASSWORD: registry.password };
  const line = [before, process.execPath, program, 'admin', ...args.map(quoted), after].join(' ');
  const { code, stdout, stderr } = await run('/bin/sh', ['-c', line], { env });
  return { code, stdout: stdout.toString(), stderr };
}

// No file takes a byte, as on a full disk.
const full = ['ulimit -f 0; exec', ''] as const;

test('a key whose file can not be written is revoked again, and no trace of the file is left', async () => {
  expect((await admin(registry.url, ['projects', 'create', 'team'])).code).toBe(0);
  expect((await admin(registry.url, ['service-accounts', 'create', 'team/ci'])).code).toBe(0);
  const output = join(folder, 'ci.json');
  const made = await admin(registry.url, ['keys', 'create', 'team/ci', '--output', output], [...full]);
  expect(made).toEqual({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(
      /^artifact-store: the key's file can't be written: EFBIG: file too large, write; the key [0-9a-f-]{36} is revoked again\n$/,
    ) as string,
  });
  expect(existsSync(output)).toBe(false);
  const { stdout } = await admin(registry.url, ['keys', 'list', 'team/ci', '--json']);
  expect(JSON.parse(stdout)).toEqual([]);
});

test('a key that can not be printed is revoked again', async () => {
  const made = await admin(registry.url, ['keys', 'create', 'team/ci'], ['exec', '> /dev/full']);
  expect(made).toMatchObject({ code: 1, stderr: expect.stringMatching(/ENOSPC.*; the key \S+ is revoked again\n$/) as string });
  const { stdout } = await admin(registry.url, ['keys', 'list', 'team/ci', '--json']);
  expect(JSON.parse(stdout)).toEqual([]);
});

test('an output that takes nothing is said in a line', async () => {
  expect(await admin(registry.url, ['me'], ['exec', '> /dev/full'])).toEqual({
    code: 1,
    stdout: '',
    stderr: "artifact-store: the output can't be written: ENOSPC: no space left on device, write\n",
  });
});

test('a key that can be neither written nor revoked is named', async () => {
  const server = createServer(({ method }, response) => {
    const [status, body] =
      method === 'POST' ? [201, { key_id: 'the-key', private_key: 'secret' }] : [503, { detail: 'not now', code: 'UNAVAILABLE' }];
    response.writeHead(status, { 'content-type': 'application/json' }).end(JSON.stringify(body));
  });
  others.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const made = await admin(url, ['keys', 'create', 'team/ci', '--output', join(folder, 'other.json')], [...full]);
  expect(made).toEqual({
    code: 1,
    stdout: '',
    stderr:
      "artifact-store: the key's file can't be written: EFBIG: file too large, write; the key the-key is still good, and could not be revoked: not now. Revoke it: artifact-store admin keys revoke team/ci the-key\n",
  });
});

test('what is printed of a key in a file is no secret', async () => {
  const output = join(folder, 'whole.json');
  const made = await admin(registry.url, ['keys', 'create', 'team/ci', '--output', output, '--json']);
  expect(JSON.parse(made.stdout)).toEqual({ key_id: expect.any(String) as string, expires: null, output });
  const { key_id: key } = JSON.parse(made.stdout) as { key_id: string };
  const shown = await admin(registry.url, ['keys', 'show', 'team/ci', key]);
  expect(shown.stdout).toMatch(/^expires +never$/m);
});
