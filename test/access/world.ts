import { createHash } from 'node:crypto';
import { Agent, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { pino } from 'pino';

import { createFirstOwner } from '../../src/commands/first-owner.js';
import { createTurns } from '../../src/commands/in-turn.js';
import { createUser } from '../../src/commands/user.js';
import { readConfig } from '../../src/config.js';
import type { OrganizationId, Role } from '../../src/events/types.js';
import { createApp } from '../../src/http/app.js';
import { BytesCache } from '../../src/http/bytes-cache.js';
import { RunningUploads } from '../../src/http/running-uploads.js';
import { parseUid, type Uid } from '../../src/identifiers.js';
import { createClientHash } from '../../src/identity/client-hash.js';
import { nameHash, readSalt } from '../../src/identity/directory.js';
import { createLiveIdentity } from '../../src/identity/live-identity.js';
import { hashPassword } from '../../src/identity/password.js';
import type { TokenAccess } from '../../src/identity/scopes.js';
import { SigningKeyRing } from '../../src/identity/signing-key-ring.js';
import { loadSigningKeys } from '../../src/identity/signing-keys.js';
import { TokenIssuer, TokenVerifier } from '../../src/identity/tokens.js';
import { newId, openRegistry, systemContext } from '../../src/open-registry.js';
import { temporaryFolder } from '../support/processes.js';

export interface Sent {
  readonly method: 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly url: string;
  readonly authorization?: string | undefined;
  readonly body?: string | Buffer | undefined;
  readonly type?: string | undefined;
}

export interface Got {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly text: string;
}

/** Somebody who can show credentials, or have a token. */
export interface Principal {
  /** As the API names it. */
  readonly text: string;
  readonly uid: Uid;
  readonly key: Uid | undefined;
  readonly basic: string;
}

/** The whole server in this process, on the embedded store: what `serve` puts together, without its chores. */
export interface World {
  /** Authorization of the first owner, who administers the registry. */
  readonly admin: string;
  /** The Authorization of a token that was given for this. */
  bearer(principal: Principal | undefined, access: readonly TokenAccess[]): string;
  send(sent: Sent): Promise<Got>;
  /** As the administrator, by the management API; throws for all but success. */
  manage(method: Sent['method'], path: string, body?: object): Promise<unknown>;
  user(name: string): Promise<Principal>;
  account(project: string, id: string): Promise<Principal>;
  /** A blob that nobody else has. */
  blob(repository: string): Promise<string>;
  close(): Promise<void>;
}

const host = 'registry.test';
const password = 'correct horse battery staple';
const basicOf = (user: string, secret: string): string => `Basic ${Buffer.from(`${user}:${secret}`).toString('base64')}`;
export const sha256 = (bytes: string | Buffer): string => `sha256:${createHash('sha256').update(bytes).digest('hex')}`;

export async function openWorld(): Promise<World> {
  const folder = temporaryFolder('access');
  const config = readConfig({ ARTS_DATABASE: `lmdb:${folder}/db`, ARES_CLIENT_ADDRESS: `${folder}/blobs` });
  const registry = await openRegistry(config, true);
  const { store, blobs, executor, identity } = registry;
  const salt = await readSalt(store);
  const passwordHash = await hashPassword(password);
  await createFirstOwner(executor, systemContext(), {
    kind: 'CreateFirstOwner',
    user: newId(),
    organization: newId(),
    organizationId: 'default' as OrganizationId,
    loginName: 'admin@example.test',
    nameHash: nameHash(salt, 'admin@example.test'),
    passwordHash,
  });
  const { database, keyspaces } = store;
  const keys = new SigningKeyRing(database, keyspaces.platform, await loadSigningKeys(database, keyspaces.platform));
  const issuer = new TokenIssuer({ issuer: identity, keys, lifetimeSeconds: 300 });
  const { authentication, granting } = createLiveIdentity(store, salt, new TokenVerifier({ issuer: identity, keys }));
  const logger = pino({ level: 'silent' });
  const app = createApp({
    logger,
    authentication,
    tokens: { issuer, ...granting },
    services: {
      executor,
      blobs,
      logger,
      config,
      newId,
      hashClient: createClientHash(salt),
      inTurn: createTurns(),
      runningUploads: new RunningUploads(newId()),
      bytes: new BytesCache(1_000_000, 10_000),
      countPull: () => undefined,
    },
    checkReady: () => Promise.resolve({}),
  });
  const admin = basicOf('admin@example.test', password);
  await app.listen({ host: '127.0.0.1', port: 0 });
  const { port } = app.server.address() as AddressInfo;
  const agent = new Agent({ keepAlive: true });
  // Over a connection: the bytes of a body go past fastify. And a path goes as it is, where a URL would be made proper first.
  const send = ({ method, url, authorization, body, type }: Sent): Promise<Got> =>
    new Promise((resolve, reject) => {
      const headers = {
        host,
        ...(authorization === undefined ? {} : { authorization }),
        ...(type === undefined ? {} : { 'content-type': type }),
        'content-length': Buffer.byteLength(body ?? ''),
      };
      const sending = request({ port, agent, method, path: url, headers }, (answer) => {
        const parts: Buffer[] = [];
        answer.on('data', (part: Buffer) => parts.push(part));
        answer.on('error', reject);
        answer.on('end', () => {
          resolve({ status: answer.statusCode ?? 0, headers: answer.headers, text: Buffer.concat(parts).toString() });
        });
      });
      sending.on('error', reject);
      sending.end(body);
    });
  const manage: World['manage'] = async (method, path, body) => {
    const sent = { method, url: `/api/v1${path}`, authorization: admin };
    const got = await send(body === undefined ? sent : { ...sent, body: JSON.stringify(body), type: 'application/json' });
    if (got.status >= 300) throw new Error(`${method} ${path} was answered ${got.status}: ${got.text}`);
    return got.text === '' ? {} : (JSON.parse(got.text) as unknown);
  };
  let blobsMade = 0;
  return {
    admin,
    send,
    manage,
    bearer(principal, access) {
      const auth = principal === undefined ? 'none' : principal.key === undefined ? 'password' : 'key';
      return `Bearer ${issuer.issue({ uid: principal?.uid, key: principal?.key, auth, access }).token}`;
    },
    async user(name) {
      const text = `${name}@example.test`;
      const uid = newId();
      const command = { kind: 'CreateUser', user: uid, loginName: text, nameHash: nameHash(salt, text), passwordHash } as const;
      await createUser(executor, systemContext(), command);
      return { text, uid, key: undefined, basic: basicOf(text, password) };
    },
    async account(project, id) {
      const made = await manage('POST', `/projects/${project}/service-accounts`, { id });
      const file = await manage('POST', `/projects/${project}/service-accounts/${id}/keys`, {});
      return {
        text: `${project}/${id}`,
        uid: uidIn(made, 'uid'),
        key: uidIn(file, 'key_id'),
        basic: basicOf('_json_key', JSON.stringify(file)),
      };
    },
    async blob(repository) {
      blobsMade += 1;
      const body = Buffer.from(`blob ${blobsMade} of ${repository}`);
      const digest = sha256(body);
      const url = `/v2/${repository}/blobs/uploads/?digest=${digest}`;
      const got = await send({ method: 'POST', url, authorization: admin, body, type: 'application/octet-stream' });
      if (got.status !== 201) throw new Error(`${url} was answered ${got.status}: ${got.text}`);
      return digest;
    },
    async close() {
      agent.destroy();
      await app.close();
      await registry.close();
    },
  };
}

function uidIn(body: unknown, property: string): Uid {
  const value: unknown = Object.entries(body ?? {}).find(([name]) => name === property)?.[1];
  const uid = typeof value === 'string' ? parseUid(value) : undefined;
  if (uid === undefined) throw new Error(`no ${property} in ${JSON.stringify(body)}`);
  return uid;
}

export const roleName = (role: Role): string => `artifact_store_${role}`;
