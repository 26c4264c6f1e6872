import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, expect, test } from 'vitest';

import { findTool } from '../clients/tools.js';
import { RegistryClient } from '../support/client.js';
import { randomImage } from '../support/images.js';
import { run, temporaryFolder } from '../support/processes.js';
import { startServer, storeSettings } from '../support/server.js';

const program = fileURLToPath(new URL('../../dist/main.js', import.meta.url));
const server = await startServer();
afterAll(() => server.remove());

async function artifactStore(args: readonly string[], more: Readonly<Record<string, string>> = {}, input?: string) {
  const env = {
    PATH: process.env['PATH'],
    ARTS_SERVER: server.url,
    ARTS_USER: server.user,
    ARTS_PASSWORD: server.password,
    ...storeSettings(server.directory),
    ...more,
  };
  const { code, stdout, stderr } = await run(process.execPath, [program, ...args], {
    env,
    ...(input === undefined ? {} : { input }),
  });
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

const docker = findTool('docker');

test.skipIf(docker === undefined)('the line that login prints logs docker in', async () => {
  const file = join(server.directory, 'docker.json');
  expect((await admin('service-accounts', 'create', 'team/docker')).code).toBe(0);
  expect((await admin('keys', 'create', 'team/docker', '--output', file)).code).toBe(0);
  const { stdout: line } = await artifactStore(['login', '--key-file', file]);
  // Docker's own client, and no daemon of the machine's.
  const settings = { DOCKER_CONFIG: temporaryFolder('docker'), DOCKER_HOST: `unix://${server.directory}/no-daemon` };
  const { code, output } = await run('/bin/sh', ['-c', line], {
    env: { PATH: `${dirname(docker ?? '')}:/bin:/usr/bin`, ...settings },
  });
  expect({ code, output }).toEqual({ code: 0, output: expect.stringContaining('Login Succeeded') as string });
});

test('what a command takes is said beside its refusal, and for all by --help', async () => {
  const refused = await admin('users', 'disable');
  expect(refused.stderr).toBe(
    [
      'artifact-store: <user> is missing',
      '',
      'accepted is',
      '  users disable <user>                             lets a user in no more, from the next request on',
      '',
      'artifact-store admin --help has the rest.',
      '',
    ].join('\n'),
  );
  const help = await artifactStore(['admin', 'users', '--help'], { ARTS_USER: '' });
  expect(help).toMatchObject({ code: 0, stderr: '' });
  expect(help.stdout.split('\n').filter((line) => /^ {2}[a-z].* {2}/.test(line))).toHaveLength(6);
});

test('what is in a repository is listed, shown, tagged and deleted', async () => {
  const client = new RegistryClient({ url: server.url, user: server.user, password: server.password });
  const image = randomImage();
  await client.pushImage('team/app/api', 'v1', image);
  const { digest } = image.manifest;
  expect(await json('images', 'list', 'team/app')).toEqual([{ image: 'api', name: 'team/app/api' }]);
  const table = await admin('digests', 'list', 'team/app/api');
  expect(table.stdout.split('\n')[0]).toMatch(/^DIGEST +TAGS +TOTAL SIZE +PLATFORM +PUSHED +PULLS +LAST PULLED$/);
  expect(table.stdout.split('\n')[1]?.split(/ +/).slice(0, 2)).toEqual([digest, 'v1']);
  expect(await json('tags', 'set', 'team/app/api:stable', digest)).toEqual({ image: 'api', tag: 'stable', digest });
  expect(await json('tags', 'show', 'team/app/api:stable')).toMatchObject({ digest });
  const shown = await admin('digests', 'show', `team/app/api@${digest}`);
  expect(shown.stdout).toMatch(/^tags +stable\n +v1$/m);
  expect(shown.stdout).toMatch(/^layers +sha256:[0-9a-f]{64} \(application\/vnd\.\S+, \d+ bytes\)$/m);
  const before = new Date().toISOString();
  expect(await admin('tags', 'delete', 'team/app/api:v1')).toMatchObject({ code: 0 });
  expect(await json('tags', 'list', 'team/app/api')).toMatchObject([{ tag: 'stable', digest }]);
  expect(await json('tags', 'list', 'team/app/api', '--at', before)).toMatchObject([{ tag: 'stable' }, { tag: 'v1' }]);
  expect((await admin('tags', 'list', 'team/app/api')).stdout).toMatch(/^stable +sha256:\S+ +20\S+Z$/m);
  expect(await admin('digests', 'delete', `team/app/api@${digest}`)).toMatchObject({ code: 0 });
  expect(await json('digests', 'list', 'team/app/api')).toEqual([]);
  expect(await admin('tags', 'show', 'team/app/api:stable')).toMatchObject({ code: 1 });
});

test('histories are told as artifact-store history tells them', async () => {
  const kinds = async (...args: readonly string[]) => ((await json(...args)) as { kind: string }[]).map(({ kind }) => kind);
  expect((await kinds('organizations', 'history', 'default'))[0]).toBe('OrganizationCreated');
  expect(await kinds('users', 'history', 'ann@example.test')).toEqual(['UserCreated']);
  expect(await kinds('service-accounts', 'history', 'team/ci')).toEqual([
    'ServiceAccountCreated',
    'ServiceAccountKeyAdded',
    'ServiceAccountKeyRevoked',
  ]);
  expect(await kinds('service-accounts', 'history', 'team/ci', '--limit', '2', '--newest')).toEqual([
    'ServiceAccountKeyRevoked',
    'ServiceAccountKeyAdded',
  ]);
  expect(await kinds('projects', 'history', 'team', '--kind', 'ProjectCreated')).toEqual(['ProjectCreated']);
  expect((await kinds('repositories', 'history', 'team/app', '--limit', '1'))[0]).toBe('ManifestDeleted');
  // What is gone is told of by its uid, and bytes by their digest.
  const { uid } = (await json('organizations', 'create', 'brief')) as { uid: string };
  expect(await admin('organizations', 'delete', 'brief')).toMatchObject({ code: 0 });
  expect(await kinds('history', uid)).toEqual(['OrganizationCreated', 'RoleGranted', 'OrganizationDeleted']);
  expect(await kinds('history', '--kind', 'OrganizationDeleted')).toEqual(['OrganizationDeleted']);
  expect(await kinds('content', 'history', `sha256:${'0'.repeat(64)}`)).toEqual([]);
  const lines = await admin('users', 'history', 'ann@example.test');
  expect(lines.stdout).toMatch(/^20\d\d-\d\d-\d\d .* {2}owner@example\.test \(.*\n$/);
});

test('a role and its place are told apart', async () => {
  expect((await admin('me')).stdout).toMatch(/^roles +artifact_store_owner on organization\/default$/m);
  expect(await json('role', 'team/ci', 'project/team')).toMatchObject({ role: 'artifact_store_viewer', inherited: false });
  expect(await json('service-accounts', 'show', 'team/ci')).toMatchObject({ identifier: 'team/ci' });
});

test('a password is changed by its holder, both of them off the command line', async () => {
  const { password } = (await json('users', 'create', 'eve@example.test')) as { password: string };
  const as = (known: string, args: readonly string[], input?: string) =>
    artifactStore(args, { ARTS_USER: 'eve@example.test', ARTS_PASSWORD: known }, input);
  const changed = await as(password, ['admin', 'change-password', '--new-password-stdin'], 'another password\n');
  expect(changed).toEqual({ code: 0, stdout: 'your password is changed\n', stderr: '' });
  const fromInput = await as('wrong', ['admin', 'me', '--password-stdin', '--json'], 'another password\n');
  expect(JSON.parse(fromInput.stdout)).toMatchObject({ name: 'eve@example.test' });
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
  [['keys', 'lend', 'team/ci'], 2, /not list, show, create or revoke/],
  [['signing-keys', '--compromised'], 2, /--compromised is not for signing-keys list/],
  [['forget', 'ann@example.test', 'bob@example.test', '--yes'], 2, /"bob@example\.test" is one too many/],
  [['grant', 'ann@example.test', 'viewer', 'repository/team/web', 'project/team'], 2, /"project\/team" is one too many/],
  [['me', 'extra', 'words'], 2, /"extra" is one too many/],
  [['organizations', 'frobnicate'], 2, /"frobnicate" is not list, create, show, set, delete or history/],
  [['service-accounts', 'set', 'team/ci'], 2, /"set" is not list, create, show, delete or history/],
  [['service-accounts', 'create', 'team/cd', '--description', 'x'], 2, /--description is not for service-accounts create/],
  [['projects', 'set', 'team'], 2, /what is to be changed\? accepted are --display-name, --description/],
  [['projects', 'show', '--user', 'x', '--user', 'y', 'team'], 2, /--user is given twice/],
  [['projects', 'show', ''], 2, /<id> is empty/],
  [['tags'], 2, /<project>\/<repository>\[\/<image>\] is missing/],
  [['users', 'show'], 2, /<user> is missing/],
  [['users', 'list', '--store'], 2, /--store is not for users list/],
  [['reset-password', 'ann@example.test', '--store', '--user', 'x'], 2, /--store and --user/],
  [['change-password'], 2, /--new-password-stdin/],
  [['me', '--colour'], 2, /Unknown option '--colour'/],
  [['tags', 'delete', 'team/web:..'], 2, /"\.\." names nothing/],
  [['keys', 'revoke', 'team/ci', '..'], 2, /"\.\." names nothing/],
  [['digests', 'show', 'team/web'], 2, /@<digest>/],
  [['users', 'history', server.user, '--limit', 'all'], 2, /no whole number/],
  [['keys', 'create', 'team/ci', '--expires', 'tomorrow'], 2, /--expires "tomorrow" is no time; accepted is one like/],
  [[], 2, /a command is missing/],
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
  expect(await artifactStore(['admin', 'reset-password', 'nobody@x', '--store'])).toMatchObject({
    code: 1,
    stderr: 'artifact-store: there is no user nobody@x\n',
  });
  const programs = await artifactStore(['admin', 'reset-password', server.user, '--store', '--json']);
  const { password } = JSON.parse(programs.stdout) as { password: string };
  expect(await artifactStore(['admin', 'me'], { ARTS_PASSWORD: password })).toMatchObject({ code: 0 });
  for (const [tooMany, count] of [
    ['x'.repeat(1_025), 1_025],
    ['\u{1f600}'.repeat(7), 7],
  ] as const) {
    expect(await resetTo(tooMany)).toMatchObject({
      code: 1,
      stderr: `artifact-store: the new password has ${count} characters; 8 to 1024 are accepted\n`,
    });
  }
  expect(await resetTo(server.password, '--json')).toMatchObject({
    code: 0,
    stdout: `{\n  "done": "the password of ${server.user} is set"\n}\n`,
  });
  expect(await json('me')).toMatchObject({ name: server.user });
});

/** Straight on the store. */
function resetTo(password: string, ...flags: readonly string[]) {
  return artifactStore(
    ['admin', 'reset-password', server.user, '--store', '--new-password-stdin', ...flags],
    {},
    `${password}\n`,
  );
}

test('a server that is not there is said in a line', async () => {
  const outcome = await artifactStore(['admin', 'me'], { ARTS_SERVER: 'http://127.0.0.1:2' });
  expect(outcome).toMatchObject({
    code: 1,
    stderr: expect.stringMatching(/^artifact-store: http:\/\/127\.0\.0\.1:2 does not answer: .*\n$/) as string,
  });
});
