import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, describe, expect, test } from 'vitest';

import { readConfig } from '../src/config.js';
import { welcome } from '../src/welcome.js';
import { makeCertificates } from './clients/certificates.js';
import { RegistryClient } from './support/client.js';
import { mustRun, run, startDaemon, temporaryFolder, waitFor } from './support/processes.js';
import { freePort } from './support/server.js';

const program = fileURLToPath(new URL('../dist/main.js', import.meta.url));
const running: (() => Promise<unknown>)[] = [];
afterAll(() => Promise.all(running.map((stop) => stop())));

function environment(folder: string, port: number, more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  return {
    PATH: process.env['PATH'],
    ARTIFACT_STORE_ADDRESS: `127.0.0.1:${port}`,
    ARTS_DATABASE: `lmdb:${join(folder, 'db')}`,
    ARES_CLIENT_ADDRESS: join(folder, 'blobs'),
    ...more,
  };
}

/** What a start that fails says: exactly one line, and status 1. */
async function problemOf(folder: string, port: number, more: Readonly<Record<string, string>> = {}): Promise<string> {
  const { code, stdout, stderr } = await run(process.execPath, [program, 'serve'], { env: environment(folder, port, more) });
  expect(stderr).toMatch(/^artifact-store: [^\n]+\n$/);
  expect({ code, stdout: stdout.toString() }).toEqual({ code: 1, stdout: '' });
  return stderr.slice('artifact-store: '.length, -1);
}

/** Starts a server whose stdout and stderr are apart, and waits until it is ready. */
async function start(folder: string, port: number, more: Readonly<Record<string, string>> = {}) {
  const errors = join(folder, 'stderr');
  const daemon = await startDaemon('/bin/sh', ['-c', `exec "$0" "$@" 2>"${errors}"`, process.execPath, program, 'serve'], {
    env: environment(folder, port, more),
    cwd: folder,
  });
  running.push(() => daemon.stop());
  const client = new RegistryClient({ url: `http://127.0.0.1:${port}` });
  await waitFor(
    async () => {
      try {
        return (await client.request('GET', '/readyz', { timeoutMs: 2_000 })).status === 200 ? true : undefined;
      } catch {
        return undefined;
      }
    },
    30_000,
    () => daemon.log(),
  );
  const { stdout } = await mustRun('cat', [errors]);
  return { daemon, client, welcome: stdout.toString() };
}

async function occupiedPort(): Promise<number> {
  const listener = createServer();
  const port = await freePort();
  await new Promise<void>((resolve) => listener.listen(port, '127.0.0.1', resolve));
  running.push(() => new Promise((resolve) => listener.close(resolve)));
  return port;
}

test("a first start whose port is in use, or whose certificate is missing, leaves the owner's password to the next start", async () => {
  const folder = temporaryFolder('start');
  const taken = await occupiedPort();
  expect(await problemOf(folder, taken)).toBe(
    `ARTIFACT_STORE_ADDRESS=127.0.0.1:${taken} cannot be used: another program listens on the port (EADDRINUSE); accepted: <host>:<port> with an address or a name of this machine and a port that is free`,
  );
  await problemOf(folder, taken, { ARTS_TLS_CERT: join(folder, 'no.crt'), ARTS_TLS_KEY: join(folder, 'no.key') });
  const port = await freePort();
  const started = await start(folder, port, { DEBUG: 'true' });
  const password = /^ {2}password {2}(\S+)$/m.exec(started.welcome)?.[1] ?? '';
  expect(started.welcome).toContain('  user      admin@localhost\n');
  const client = new RegistryClient({ url: `http://127.0.0.1:${port}`, user: 'admin@localhost', password });
  expect((await client.request('GET', '/v2/', { auth: 'basic' })).status).toBe(200);

  // The same start: what people read is on stderr, and stdout has JSON lines alone, at DEBUG one for the command that made the owner.
  expect(started.welcome).toContain(`docker login 127.0.0.1:${port} -u admin@localhost`);
  const lines = started.daemon
    .log()
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as Record<string, unknown>);
  expect(lines).toContainEqual(expect.objectContaining({ level: 'debug', msg: 'a command ran', actor: 'system', attempts: 1 }));
  expect(lines).toContainEqual(expect.objectContaining({ msg: 'serving', address: `127.0.0.1:${port}` }));
});

describe('a start that cannot be is one line that names the setting, its value and what to do', () => {
  const folder = temporaryFolder('problems');
  const file = join(folder, 'file');
  writeFileSync(file, 'no folder, and no PEM');

  test('a host that is unknown', async () => {
    const problem = await problemOf(folder, 0, { ARTIFACT_STORE_ADDRESS: 'nohost.invalid:7111' });
    expect(problem).toMatch(/^ARTIFACT_STORE_ADDRESS=nohost\.invalid:7111 cannot be used: the host .+; accepted: <host>:<port>/);
  });

  test("a host that is another machine's", async () => {
    const problem = await problemOf(folder, 0, { ARTIFACT_STORE_ADDRESS: '203.0.113.1:7111' });
    expect(problem).toMatch(
      /^ARTIFACT_STORE_ADDRESS=203\.0\.113\.1:7111 cannot be used: the host is not an address of this machine/,
    );
  });

  test.each(['team/ci', 'allUsers', '_json_key'])('a first owner whose name %s means somebody else', async (name) => {
    expect(await problemOf(temporaryFolder('names'), await freePort(), { ARTS_FIRST_USER: name })).toBe(
      `ARTS_FIRST_USER=${name} cannot be used: it stands for somebody else, a service account or a key file; accepted: an e-mail, for instance`,
    );
  });

  test('a database that is a file', async () => {
    expect(await problemOf(folder, 0, { ARTS_DATABASE: `lmdb:${file}` })).toMatch(
      new RegExp(`^ARTS_DATABASE=lmdb:${file} cannot be used: .*EEXIST.*; accepted: lmdb:<folder>, a folder to write to`),
    );
  });

  test('blobs that are a file', async () => {
    expect(await problemOf(folder, 0, { ARES_CLIENT_ADDRESS: file })).toMatch(
      new RegExp(`^ARES_CLIENT_ADDRESS=${file} cannot be used: .*ENOTDIR.*; accepted: a folder to write to`),
    );
  });

  test('a database that is damaged', async () => {
    const damaged = join(folder, 'damaged');
    mkdirSync(damaged);
    writeFileSync(join(damaged, 'store.mdb'), Buffer.alloc(100_000, 'x'));
    expect(await problemOf(folder, 0, { ARTS_DATABASE: `lmdb:${damaged}` })).toMatch(
      new RegExp(`^ARTS_DATABASE=lmdb:${damaged} cannot be used: .*damaged.*; .*backup`),
    );
  });

  test('TLS files that are missing, no PEM, or not of each other', async () => {
    const made = join(folder, 'tls');
    mkdirSync(made);
    const { certificateFile, keyFile } = await makeCertificates(made);
    const certificate = 'a PEM file with a certificate and those that signed it';
    const key = 'a PEM file with the private key of ARTS_TLS_CERT, without a passphrase';
    const other = join(made, 'ca.key');
    for (const [name, files, accepted] of [
      ['ARTS_TLS_CERT', { ARTS_TLS_CERT: join(folder, 'none'), ARTS_TLS_KEY: keyFile }, certificate],
      ['ARTS_TLS_CERT', { ARTS_TLS_CERT: folder, ARTS_TLS_KEY: keyFile }, certificate],
      ['ARTS_TLS_CERT', { ARTS_TLS_CERT: file, ARTS_TLS_KEY: keyFile }, certificate],
      ['ARTS_TLS_KEY', { ARTS_TLS_CERT: certificateFile, ARTS_TLS_KEY: join(folder, 'none') }, key],
      ['ARTS_TLS_KEY', { ARTS_TLS_CERT: certificateFile, ARTS_TLS_KEY: file }, key],
      ['ARTS_TLS_KEY', { ARTS_TLS_CERT: certificateFile, ARTS_TLS_KEY: other }, key],
    ] as const) {
      const problem = await problemOf(folder, 0, files);
      expect(problem.startsWith(`${name}=${files[name]} cannot be used: `)).toBe(true);
      expect(problem.endsWith(`; accepted: ${accepted}`)).toBe(true);
    }
  });
});

test('a name with two addresses is listened on at one, by the server that has all handlers', async () => {
  const folder = temporaryFolder('names');
  const port = await freePort();
  const hosts = join(folder, 'lookup.mjs');
  // What /etc/hosts says of localhost on most machines, whatever it says here.
  writeFileSync(
    hosts,
    `import dns from 'node:dns';
import { syncBuiltinESMExports } from 'node:module';
const both = [{ address: '::1', family: 6 }, { address: '127.0.0.1', family: 4 }];
const { lookup, promises } = dns;
const one = promises.lookup;
dns.lookup = (host, options, done = options) => {
  if (host !== 'localhost') return lookup(host, options, done);
  return options.all === true ? done(null, both) : done(null, both[0].address, both[0].family);
};
promises.lookup = async (host, options) => (host !== 'localhost' ? one(host, options) : options?.all === true ? both : both[0]);
syncBuiltinESMExports();
`,
  );
  const { daemon, welcome: printed } = await start(folder, port, {
    ARTIFACT_STORE_ADDRESS: `localhost:${port}`,
    NODE_OPTIONS: `--import=${hosts}`,
  });
  expect(printed).toContain(`docker login localhost:${port} `);
  expect(daemon.log()).toContain(`"address":"127.0.0.1:${port}"`);
  const second = createServer();
  const ipv6 = await new Promise<string>((resolve) => {
    second.once('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? ''));
    second.listen(port, '::1', () => second.close(() => resolve('free')));
  });
  expect(ipv6).not.toBe('EADDRINUSE');
});

test('the welcome names localhost where every address is listened on, and else the host of the setting', () => {
  const owner = { name: 'o', password: 'p', generated: true };
  const loginOf = (setting: string, address: string) =>
    /docker login (\S+)/.exec(
      welcome(readConfig({ ARTIFACT_STORE_ADDRESS: setting }), 'lmdb:/x', { address, family: '', port: 80 }, owner),
    )?.[1];
  expect(loginOf('0.0.0.0:80', '0.0.0.0')).toBe('localhost:80');
  expect(loginOf('[0::0]:80', '::')).toBe('localhost:80');
  expect(loginOf('10.1.2.3:80', '10.1.2.3')).toBe('10.1.2.3:80');
  expect(loginOf('[fe80::1]:80', 'fe80::1')).toBe('[fe80::1]:80');
  expect(loginOf('registry.example:80', '10.1.2.3')).toBe('registry.example:80');
});
