import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, test } from 'vitest';

import { clientOf, randomImage } from '../support/client.js';
import { run } from '../support/processes.js';
import { startServer, storeSettings, type Server } from '../support/server.js';

const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

let server: Server;
beforeAll(async () => {
  server = await startServer();
  await clientOf(server).pushImage('p/r', 'first', randomImage());
});
afterAll(() => server.remove());

async function incarnation(...args: readonly string[]) {
  const env = { PATH: process.env['PATH'], ...storeSettings(server.directory) };
  const { code, stdout, stderr } = await run(process.execPath, [program, 'incarnation', ...args], { env });
  return { code, stdout: stdout.toString(), stderr };
}

test('the incarnation is shown, and not raised where nothing needs it', async () => {
  const shown = await incarnation();
  expect([shown.code, shown.stderr]).toEqual([0, '']);
  expect(shown.stdout).toMatch(
    /^registry \(\S+\): incarnation 1, newest event 1-[0-9a-f]{24}; the database is at version \d+, not behind it\nplatform \(\S+\): incarnation 1, newest event 1-[0-9a-f]{24}; /,
  );
  expect(await incarnation('raise')).toEqual({
    code: 1,
    stdout: '',
    stderr:
      'artifact-store: nothing was raised: the log was written on this cluster, whose versions are not behind it; --force begins a new incarnation all the same\n',
  });
});

test('a raise that is forced is gone on in by the server that runs, and the past is all there', async () => {
  const image = randomImage();
  const raised = await incarnation('raise', '--force');
  expect([raised.code, raised.stderr]).toEqual([0, '']);
  expect(raised.stdout).toMatch(
    /^registry \(\S+\): incarnation raised from 1 to 2\nplatform \(\S+\): incarnation raised from 1 to 2\n$/,
  );
  const client = clientOf(server);
  await client.pushImage('p/r', 'second', image);
  for (const tag of ['first', 'second']) await client.pullImage('p/r', tag);
  expect((await incarnation('show')).stdout).toMatch(/^registry \(\S+\): incarnation 2, newest event 2-/);
  const history = await client.request('GET', '/api/v1/projects/p/repositories/r/history', { auth: 'basic' });
  expect(history.text()).toContain('"first"');
  expect(history.text()).toContain('"second"');
  await server.restart();
  await clientOf(server).pullImage('p/r', 'second');
});

test.each([['lower'], ['show', '--force'], ['raise', '--hard'], ['raise', '--force', 'registry']])(
  'what is not understood is status 2 with the usage: %s',
  async (...args) => {
    const { code, stderr } = await incarnation(...args);
    expect([code, stderr.split('\n')[0]]).toEqual([2, `artifact-store: incarnation ${args.join(' ')} is not understood`]);
  },
);
