import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { readConfig } from '../../src/config.js';
import { boundsOf } from '../../src/keyvalue/keyspace.js';
import { openRegistry } from '../../src/open-registry.js';
import { clientOf, randomImage } from '../support/client.js';
import { run } from '../support/processes.js';
import { startServer, storeSettings } from '../support/server.js';

const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const server = await startServer();
afterAll(() => server.remove());

const env = { PATH: process.env['PATH'], ...storeSettings(server.directory) };

async function projections(...args: readonly string[]) {
  const { code, stdout, stderr } = await run(process.execPath, [program, 'projections', ...args], { env });
  return { code, stdout: stdout.toString(), stderr };
}

/** Changes the store behind everybody's back. */
async function tamper(change: (store: Awaited<ReturnType<typeof openRegistry>>['store']) => Promise<void>): Promise<void> {
  const registry = await openRegistry(readConfig(storeSettings(server.directory)), false);
  await change(registry.store);
  await registry.close();
}

const tagsBuild = async (): Promise<string> => {
  const { stdout } = await projections('list', '--json');
  const listed = JSON.parse(stdout) as { readonly projections: readonly { readonly name: string; readonly build: string }[] };
  return listed.projections.find(({ name }) => name === 'tags')?.build ?? '';
};

beforeAll(async () => {
  for (const tag of ['one', 'two', 'three']) await clientOf(server).pushImage('shop/web', tag, randomImage());
});

test('list shows every index, its build, position and size, and the servers', async () => {
  const { code, stdout, stderr } = await projections('list');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  expect(stdout).toMatch(/^INDEX +DIRECTORY +MODE +VERSION +LAG +KEYS +BYTES +POSITION +BUILD\n/);
  expect(stdout).toMatch(/^tags +registry +inline +1 +0 +6 +\d+ +1-[0-9a-f]{24} \(.*Z\) +1$/m);
  expect(stdout).toMatch(/^server .+, release \d+\.\d+\.\d+\+[0-9a-f]{8}$/m);
});

test('a reader that has read enough does not keep it', async () => {
  const code = await new Promise((resolve) => {
    const child = execFile(process.execPath, [program, 'projections', 'list'], { env, timeout: 20_000 });
    child.stdout?.destroy();
    child.once('exit', (status, signal) => resolve(status ?? signal));
  });
  expect(code).toBe(0);
}, 30_000);

test('rebuild makes a build that the server goes on with', async () => {
  const before = await tagsBuild();
  const { code, stdout } = await projections('rebuild', 'tags', 'manifests');
  expect(code).toBe(0);
  expect(stdout).toMatch(/^manifests v1, tags v1: \d+ events in \d+\.\d s, \d+ a second; live as build [0-9a-f-]{36}\n$/);
  expect(await tagsBuild()).not.toBe(before);
  await clientOf(server).pushImage('shop/web', 'four', randomImage());
  const verified = await projections('verify', '--all');
  expect(verified).toMatchObject({ code: 0, stderr: '' });
  expect(verified.stdout).toMatch(/^log of registry: \d+ events and 8 manifests and configs read, 0 damaged$/m);
  expect(verified.stdout).toMatch(/^tags v1: equals the folded log; 8 keys, \d+ bytes$/m);
});

test('verify finds a key that was changed by hand, and rebuild mends it', async () => {
  const build = await tagsBuild();
  await tamper(async ({ database, keyspaces }) => {
    const { begin, end } = boundsOf(keyspaces.registry.projection('tags', build));
    await database.transact(async (tx) => {
      for (const { key } of (await tx.getRange(begin, end)).slice(0, 1)) tx.set(key, Buffer.from('by hand'));
    });
  });
  const found = await projections('verify', 'tags');
  expect(found.code).toBe(1);
  expect(found.stdout).toMatch(/\n {2}the index: by hand\n {2}the log: {3}\S/);
  expect(found.stdout).toMatch(/^tags v1: 1 key differs; 8 keys, /m);
  expect((await projections('rebuild', 'tags')).code).toBe(0);
  expect((await projections('verify', 'tags')).code).toBe(0);
});

test.each([
  [['rebuild', 'nothing'], 'nothing is not an index; there are repositories, '],
  [['rebuild'], 'the name of an index is missing; there are '],
  [['rebuild', 'tags', '--rate', 'fast'], '--rate "fast" is not a number of events a second, 1 and more'],
  [['verify', 'tags', '--all'], 'either names or --all'],
  [['list', '--force'], '--force is for rebuild'],
  [['drop'], 'drop is not list, rebuild or verify'],
])('%j is told what is accepted', async (args, message) => {
  const { code, stdout, stderr } = await projections(...args);
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr.startsWith(`artifact-store: ${message}`)).toBe(true);
});

// The last: the log is damaged from here on.
test('a byte of an event that was flipped is reported with its position, and nothing crashes', async () => {
  let flipped = '';
  await tamper(async ({ database, keyspaces }) => {
    await database.transact(async (tx) => {
      for (let partition = 0; partition < 8 && flipped === ''; partition += 1) {
        const { begin, end } = keyspaces.registry.logBounds(1, partition);
        const [pair] = await tx.getRange(begin, end, { limit: 1 });
        if (pair === undefined) continue;
        const bytes = Buffer.from(pair.value);
        bytes[20] = (bytes[20] ?? 0) ^ 1;
        tx.set(pair.key, bytes);
        flipped = `1-${pair.key.subarray(-12).toString('hex')}`;
      }
    });
  });
  for (const args of [
    ['verify', '--all'],
    ['verify', 'tags'],
    ['rebuild', 'tags'],
  ]) {
    const { code, stderr } = await projections(...args);
    expect({ args, code, stderr }).toEqual({
      args,
      code: 1,
      stderr: expect.stringContaining(`the event at ${flipped}`) as unknown,
    });
    expect(stderr).not.toContain('    at ');
  }
  expect(server.isRunning()).toBe(true);
});
