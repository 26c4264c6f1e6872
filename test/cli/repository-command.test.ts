import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

import { RegistryClient } from '../support/client.js';
import { onFoundationDb } from '../support/database.js';
import { run, temporaryFolder } from '../support/processes.js';
import { startServer, storeSettings } from '../support/server.js';

const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const server = await startServer();
afterAll(() => server.remove());

async function repository(args: readonly string[], more: Readonly<Record<string, string>> = {}) {
  const { code, stdout, stderr } = await run(process.execPath, [program, 'repository', ...args], {
    env: {
      PATH: process.env['PATH'],
      ...storeSettings(server.directory),
      ...more,
    },
  });
  return { code, stdout: stdout.toString(), stderr };
}

const client = new RegistryClient({ url: server.url, user: server.user, password: server.password });
const startUpload = async (name: string) =>
  (await client.request('POST', `/v2/${name}/blobs/uploads/`, { auth: 'basic' })).status;
const tagsOf = async (name: string) => (await client.request('GET', `/v2/${name}/app/tags/list`, { auth: 'basic' })).status;
const uuid = '[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}';

test('a repository is made with its project, then another in it, and deleted, while the server runs', async () => {
  await server.restart({ ARTS_CREATE_ON_PUSH: 'false' });
  expect(await startUpload('team/backend/app')).toBe(404);
  for (const name of ['team/backend', 'team/frontend']) {
    const made = await repository(['create', name]);
    expect(made).toEqual({
      code: 0,
      stdout: expect.stringMatching(new RegExp(`^created ${name} \\(${uuid}\\)\\n$`)) as unknown,
      stderr: '',
    });
    expect(await startUpload(`${name}/app`)).toBe(202);
  }
  const deleted = await repository(['delete', 'team/backend']);
  expect(deleted).toEqual({ code: 0, stdout: expect.stringMatching(/^deleted team\/backend \(/) as unknown, stderr: '' });
  expect(await startUpload('team/backend/app')).toBe(404);
  expect(await startUpload('team/frontend/app')).toBe(202);
  expect(await tagsOf('team/backend')).toBe(404);
});

test('a repository is made while no server runs, in a store that has only its first owner', async () => {
  const other = await startServer();
  await other.stop();
  const made = await repository(['create', 'new/one'], storeSettings(other.directory));
  expect(made).toMatchObject({ code: 0, stderr: '' });
  await other.remove();
});

test('a repository that exists, and one that does not, are one line', async () => {
  await repository(['create', 'twice/made']);
  expect(await repository(['create', 'twice/made'])).toEqual({
    code: 1,
    stdout: '',
    stderr: 'artifact-store: repository twice/made exists already\n',
  });
  const none = await repository(['delete', 'never/made']);
  expect(none).toEqual({
    code: 1,
    stdout: '',
    stderr: expect.stringMatching(/^artifact-store: [^\n]*never\/made[^\n]*\n$/) as unknown,
  });
});

test.each(['team', 'Team/backend', 'team/backend/app', 'team//x', '/'])(
  '%j is no name of a repository, in one line',
  async (name) => {
    const refused = await repository(['create', name]);
    expect(refused).toMatchObject({ code: 2, stdout: '' });
    expect(refused.stderr).toMatch(/^artifact-store: [^\n]+ is not a repository's name: [^\n]+\n$/);
  },
);

test('a command without its name, or with another verb, says how it is used', async () => {
  for (const args of [[], ['create'], ['rename', 'a/b'], ['create', 'a/b', 'c/d']]) {
    const { code, stderr } = await repository(args);
    expect(code).toBe(2);
    expect(stderr).toMatch(/^usage: /);
  }
});

// What a cluster says is in fdb-start.test.ts.
test.skipIf(onFoundationDb)('a store that is not there is one line that names the setting, and none is made', async () => {
  const folder = temporaryFolder('nowhere');
  for (const verb of ['create', 'delete']) {
    expect(await repository([verb, 'a/b'], { ARTS_DATABASE: `lmdb:${folder}/none` })).toEqual({
      code: 1,
      stdout: '',
      stderr: expect.stringMatching(
        new RegExp(`^artifact-store: ARTS_DATABASE=lmdb:${folder}/none cannot be used: there is no store [^\\n]+\\n$`),
      ) as unknown,
    });
    const wrong = await repository([verb, 'a/b'], { ARTIFACT_STORE_DIRECTORY: 'elsewhere' });
    expect(wrong.stderr).toMatch(/^artifact-store: lmdb:[^\n]+ has no store in the directory elsewhere; [^\n]+\n$/);
    expect(wrong.code).toBe(1);
  }
});
