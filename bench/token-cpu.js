import { createPrivateKey, sign } from 'node:crypto';
import http from 'node:http';
import { tmpdir } from 'node:os';
import { setTimeout as sleep } from 'node:timers/promises';
import { URLSearchParams } from 'node:url';
import { parseArgs } from 'node:util';
import { build } from './build.js';
import { ownDirectory } from './cleanup.js';
import { startRegistry } from './registry.js';
import { format } from './table.js';
import { ours } from './targets/index.js';

/**
 * What a token request costs the server in processor time, by each kind of credentials, once the credentials have been seen. One client, one request after the other:
 * nothing is shared by requests at the same time. All threads of the server count, and what it does beside.
 */

const { requests, 'no-build': built } = parse();
if (!built) build();
const found = ours.find();
if (found === undefined) throw new Error(ours.missing);
const registry = await startRegistry(ours, found, ownDirectory(tmpdir()));
const agent = new http.Agent({ keepAlive: true, maxSockets: 1 });
const [user = '', password = ''] = (ours.credentials ?? '').split(':');
const service = `127.0.0.1:${registry.port}`;
const scope = 'repository:bench/app:pull,push';
const owner = { authorization: basic(user, password) };

// It listens before its first user is there.
while ((await fetch(`http://${service}/readyz`)).status !== 200) await sleep(50);
await api('/projects', { id: 'bench' });
await api('/projects/bench/service-accounts', { id: 'ci' });
await api('/projects/bench/members', { principal: 'bench/ci', role: 'artifact_store_editor' });
const keyFile = await api('/projects/bench/service-accounts/ci/keys', {});
const login = { grant_type: 'password', username: user, password, service, scope };
const refreshToken = (await post({ ...login, access_type: 'offline' })).refresh_token;

const query = new URLSearchParams({ service, scope });
const rows = [
  ['GET, nobody', () => get({})],
  ['GET, user name and password', () => get(owner)],
  ['GET, key file', () => get({ authorization: basic('_json_key', JSON.stringify(keyFile)) })],
  ['POST, user name and password', () => post(login)],
  ['POST, refresh token', () => post({ grant_type: 'refresh_token', refresh_token: refreshToken, service, scope })],
  ['POST, assertion', () => post({ grant_type: 'urn:ietf:params:oauth:grant-type:jwt-bearer', assertion: assertion(), scope })],
];

console.log(`processor time of a token request, over ${requests} requests each`);
for (const [name, ask] of rows) {
  // The code is compiled, the password verified.
  for (let index = 0; index < 200; index += 1) await ask();
  const before = registry.cpuMs();
  for (let index = 0; index < requests; index += 1) await ask();
  console.log(`${name.padEnd(30)} ${format((registry.cpuMs() - before) / requests).padStart(7)} ms`);
}
agent.destroy();
await registry.stop();

/** @param {Record<string, string>} headers */
function get(headers) {
  return ask('GET', `/token?${query}`, headers);
}

/** @param {Record<string, string>} form */
function post(form) {
  return ask('POST', '/token', { 'content-type': 'application/x-www-form-urlencoded' }, new URLSearchParams(form).toString());
}

/** @param {string} path @param {object} body */
function api(path, body) {
  return ask('POST', `/api/v1${path}`, { ...owner, 'content-type': 'application/json' }, JSON.stringify(body));
}

/** @param {string} method @param {string} path @param {Record<string, string>} headers @param {string} [body] @returns {Promise<any>} */
function ask(method, path, headers, body) {
  const length = body === undefined ? {} : { 'content-length': Buffer.byteLength(body) };
  return new Promise((resolve, reject) => {
    const request = http.request({
      host: '127.0.0.1',
      port: registry.port,
      method,
      path,
      agent,
      headers: { ...headers, ...length },
    });
    request.once('error', reject).once('response', async (response) => {
      const parts = [];
      for await (const part of response) parts.push(part);
      const text = Buffer.concat(parts).toString();
      if (response.statusCode === 200 || response.statusCode === 201) resolve(JSON.parse(text));
      else reject(new Error(`${method} ${path} was answered ${response.statusCode}: ${text}`));
    });
    request.end(body);
  });
}

function assertion() {
  const now = Math.floor(Date.now() / 1000);
  const claims = { iss: 'bench/ci', sub: 'bench/ci', aud: `http://${service}/token`, iat: now, exp: now + 60 };
  const signed = [{ alg: 'EdDSA', kid: keyFile.key_id }, claims].map((part) =>
    Buffer.from(JSON.stringify(part)).toString('base64url'),
  );
  const signature = sign(null, Buffer.from(signed.join('.')), createPrivateKey(keyFile.private_key));
  return `${signed.join('.')}.${signature.toString('base64url')}`;
}

/** @param {string} name @param {string} secret */
function basic(name, secret) {
  return `Basic ${Buffer.from(`${name}:${secret}`).toString('base64')}`;
}

function parse() {
  try {
    const options = /** @type {const} */ ({
      requests: { type: 'string', default: '1000' },
      'no-build': { type: 'boolean', default: false },
    });
    const { values } = parseArgs({ options });
    const requests = Number(values.requests);
    if (!Number.isSafeInteger(requests) || requests < 1)
      throw new Error(`--requests ${values.requests} is no whole number from 1 up`);
    return { ...values, requests };
  } catch (error) {
    console.error(/** @type {Error} */ (error).message.split('. ')[0]);
    console.error('node bench/token-cpu.js [--requests N] [--no-build]: what a token request costs the server.');
    return process.exit(2);
  }
}
