import { existsSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

import { RegistryClient } from '../support/client.js';
import { run } from '../support/processes.js';
import { startServer, storeSettings } from '../support/server.js';

const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const server = await startServer();
afterAll(() => server.remove());

async function artifactStore(args: readonly string[], more: Readonly<Record<string, string>> = {}) {
  const env = {
    PATH: process.env['PATH'],
    ARTS_SERVER: server.url,
    ARTS_USER: server.user,
    ARTS_PASSWORD: server.password,
    ...storeSettings(server.directory),
    ...more,
  };
  const { code, stdout, stderr } = await run(process.execPath, [program, ...args], { env });
  return { code, stdout: stdout.toString(), stderr };
}

const admin = (...args: readonly string[]) => artifactStore(['admin', ...args]);

async function json(...args: readonly string[]): Promise<unknown> {
  const { code, stdout, stderr } = await admin(...args, '--json');
  expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
  return JSON.parse(stdout);
}

test('a project, its repository, its people and machines are made and shown, in tables and as JSON', async () => {
  expect(await json('me')).toMatchObject({ kind: 'user', name: server.user, administrator: true });
  expect(await json('projects', 'create', 'team', '--display-name', 'The team')).toMatchObject({
    id: 'team',
    organization: 'default',
  });
  const made = await json('repositories', 'create', 'team/web', '--immutable-tags', 'on', '--exempt', 'nightly-*');
  expect(made).toMatchObject({ id: 'web', immutableTags: true, immutableTagExemptions: ['nightly-*'] });
  expect(await json('repositories', 'set', 'team/web', '--immutable-tags', 'off')).toMatchObject({ immutableTags: false });
  const user = (await json('users', 'create', 'ann@example.test')) as { password: string };
  expect(user.password).toHaveLength(24);
  await json('grant', 'Ann@Example.test', 'editor', 'repository/team/web');
  await json('service-accounts', 'create', 'team/ci');
  await json('grant', 'team/ci', 'viewer', 'project/team');
  const table = await admin('roles', 'repository/team/web');
  expect(table.stdout.split('\n').map((line) => line.split(/  +/))).toEqual([
    ['PRINCIPAL', 'ROLE', 'ON', 'INHERITED'],
    ['ann@example.test', 'artifact_store_editor', 'repository/team/web', 'false'],
    [server.user, 'artifact_store_owner', 'organization/default', 'true'],
    ['team/ci', 'artifact_store_viewer', 'project/team', 'true'],
    [''],
  ]);
  const ann = new RegistryClient({ url: server.url, user: 'ann@example.test', password: user.password });
  expect((await ann.request('POST', '/v2/team/web/blobs/uploads/', { auth: 'basic' })).status).toBe(202);
  expect((await admin('revoke', 'ann@example.test', 'repository/team/web')).code).toBe(0);
  expect((await ann.request('POST', '/v2/team/web/blobs/uploads/', { auth: 'basic' })).status).toBe(403);
});

test("a key is written once, to a file that is its holder's alone, and logs in", async () => {
  const file = join(server.directory, 'key.json');
  const made = await admin('keys', 'create', 'team/ci', '--output', file);
  expect(made).toMatchObject({ code: 0, stdout: expect.stringContaining(file) as string });
  expect(statSync(file).mode & 0o777).toBe(0o600);
  expect(await admin('keys', 'create', 'team/ci', '--output', file)).toMatchObject({
    code: 1,
    stderr: expect.stringContaining('EEXIST') as string,
  });
  const other = join(server.directory, 'none.json');
  expect(await admin('keys', 'create', 'team/none', '--output', other)).toMatchObject({ code: 1 });
  expect(existsSync(other)).toBe(false);
  const login = await artifactStore(['login', '--key-file', file]);
  expect(login).toEqual({ code: 0, stdout: `docker login ${server.host} -u _json_key --password-stdin < ${file}\n`, stderr: '' });
  const config = JSON.parse((await artifactStore(['login', '--key-file', file, '--json'])).stdout) as {
    auths: Record<string, { auth: string }>;
  };
  const [user, ...password] = Buffer.from(config.auths[server.host]?.auth ?? '', 'base64')
    .toString()
    .split(':');
  expect(user).toBe('_json_key');
  expect(JSON.parse(password.join(':'))).toEqual(JSON.parse(readFileSync(file, 'utf8')));
  const { key_id: key } = JSON.parse(readFileSync(file, 'utf8')) as { key_id: string };
  expect((await admin('keys', 'revoke', 'team/ci', key)).code).toBe(0);
  expect(await artifactStore(['login', '--key-file', file])).toMatchObject({
    code: 1,
    stderr: 'artifact-store: the user name or the password is wrong\n',
  });
});

test.each([
  [['grant', 'bob@example.test', 'viewer', 'project/team'], 1, /no user with the e-mail bob@example\.test/],
  [['grant', 'team/none', 'viewer', 'project/team'], 1, /no service account team\/none/],
  [['grant', 'everybody', 'viewer', 'project/team'], 1, /neither an e-mail, nor a service account/],
  [['grant', 'allusers', 'viewer', 'project/team'], 1, /written so/],
  [['grant', 'allUsers', 'editor', 'project/team'], 1, /artifact_store_viewer only/],
  [['grant', 'allUsers', 'viewer', 'organization/default'], 1, /only on a project or a repository/],
  [['revoke', server.user, 'organization/default'], 1, /without an owner/],
  [['users', 'disable', server.user], 1, /without an owner/],
  [['forget', 'ann@example.test'], 2, /--yes/],
  [['erase', 'sha256:x'], 2, /--yes/],
  [['roles', 'team'], 2, /organization\/<id>, project\/<id> or repository/],
  [
    ['grant', 'ann@example.test', 'boss', 'project/team'],
    1,
    /artifact_store_viewer, artifact_store_editor, artifact_store_owner/,
  ],
  [['nothing'], 2, /not a command/],
  [['constructor'], 2, /not a command/],
  [['keys', 'lend', 'team/ci'], 2, /not list, create or revoke/],
  [['projects', 'create', 'Team'], 1, /lower-case letters/],
] as const)('%j is refused in a line', async (args, code, message) => {
  const outcome = await admin(...args);
  expect(outcome.code).toBe(code);
  expect(outcome.stderr.split('\n')[0]).toMatch(message);
});

test('a password that nobody knows any more is set straight on the store, while the server runs', async () => {
  const made = await admin('reset-password', server.user, '--store');
  expect(made).toMatchObject({ code: 0, stderr: '' });
  expect(await admin('me')).toMatchObject({ code: 1, stderr: 'artifact-store: the user name or the password is wrong\n' });
  const env = { ARTS_PASSWORD: made.stdout.trim() };
  expect(await artifactStore(['admin', 'me'], env)).toMatchObject({ code: 0 });
  expect(await artifactStore(['admin', 'reset-password', 'nobody@x', '--store'])).toMatchObject({ code: 1 });
});

test('a server that is not there is said in a line', async () => {
  const outcome = await artifactStore(['admin', 'me'], { ARTS_SERVER: 'http://127.0.0.1:2' });
  expect(outcome).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^artifact-store: http:\/\/127\.0\.0\.1:2 does not answer: .*\n$/) as string,
  });
});
