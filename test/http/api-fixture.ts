import type { FastifyInstance } from 'fastify';
import { Writable } from 'node:stream';
import { pino } from 'pino';

import { createTurns } from '../../src/commands/in-turn.js';
import type { Actor, Role } from '../../src/events/types.js';
import { createApp, type AppDeps } from '../../src/http/app.js';
import { parseUid, type Uid } from '../../src/identifiers.js';
import { createKeyLookup, createUserLookup, readSalt } from '../../src/identity/directory.js';
import { Guessing } from '../../src/identity/guessing.js';
import type { TokenAccess } from '../../src/identity/scopes.js';
import type { TokenClaims } from '../../src/identity/tokens.js';
import { VerifiedPasswords } from '../../src/identity/verified-passwords.js';
import { VirtualClock } from '../../src/keyvalue/simulated.js';
import { findProject } from '../../src/projections/projects.js';
import { grant, nameOf, simulate, type Simulation, type Workplace } from '../commands/fixture.js';

/** Who sends a request: somebody by uid, by a token where `access` narrows it; nobody without. */
export interface As {
  readonly uid: Uid;
  readonly access?: readonly TokenAccess[];
}

export interface ApiAnswer {
  readonly status: number;
  readonly headers: Readonly<Record<string, unknown>>;
  readonly bytes: Buffer;
  /** Of JSON; empty where there is no body. */
  readonly body: Readonly<Record<string, unknown>>;
}

export type Method = 'GET' | 'HEAD' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';

export interface Sent {
  readonly as?: As | 'nobody';
  /** Sent as JSON; text as it is. */
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** The HTTP server on a simulated store, whose owner works from a client at an address. */
export interface Api {
  readonly at: Simulation;
  readonly clock: VirtualClock;
  readonly owner: As;
  readonly app: FastifyInstance;
  /** What the server said. */
  readonly log: readonly string[];
  get(path: string, as?: As | 'nobody', method?: 'GET' | 'HEAD' | 'POST' | 'DELETE'): Promise<ApiAnswer>;
  send(method: Method, path: string, sent?: Sent): Promise<ApiAnswer>;
  /** Somebody with a role on a project; without a role, somebody else. */
  somebody(project: string, role: Role | undefined): Promise<As>;
}

export const client = { address: '10.0.0.7', userAgent: 'docker/27.1 go/go1.21 os/linux', hash: 'c1'.repeat(32) };

export async function openApi(start = Date.UTC(2026, 10, 1, 9), versions?: (time: bigint) => bigint): Promise<Api> {
  const clock = new VirtualClock(start);
  const simulated = await simulate({ clock, ...(versions === undefined ? {} : { versions }) });
  const at = withClient(simulated);
  const owner = { uid: at.owner.uid ?? at.newId() };
  const log: string[] = [];
  const sink = new Writable({
    write(line: Buffer, _encoding, done) {
      log.push(line.toString());
      done();
    },
  });
  const logger = pino(sink);
  const deps = {
    logger,
    checkReady: () => Promise.resolve({}),
    authentication: {
      tokens: { known: (token: string) => claimsOf(token) },
      passwords: new VerifiedPasswords(),
      guessing: new Guessing({ sleep: () => Promise.resolve() }),
      findUser: createUserLookup(at.store, await readSalt(at.store)),
      findKey: createKeyLookup(at.store),
    },
    tokens: {},
    services: {
      config: { trustedProxies: [], idleSeconds: 60, publicUrl: undefined, tls: undefined, scanOnPush: true },
      newId: at.newId,
      logger,
      hashClient: () => client.hash,
      executor: at.executor,
      inTurn: createTurns(),
    },
  };
  const app = createApp(deps as unknown as AppDeps);
  const send: Api['send'] = async (method, path, { as = owner, body, headers } = {}) => {
    const answer = await app.inject({
      method,
      url: path,
      headers: {
        host: 'registry.test',
        ...(as === 'nobody' ? {} : { authorization: `Bearer ${JSON.stringify(as)}` }),
        ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        ...headers,
      },
      ...(body === undefined ? {} : { payload: typeof body === 'string' ? body : JSON.stringify(body) }),
    });
    const isJson = /\/(?:problem\+)?json$/.test(String(answer.headers['content-type'])) && method !== 'HEAD';
    return {
      status: answer.statusCode,
      headers: answer.headers,
      bytes: answer.rawPayload,
      body: (isJson ? JSON.parse(answer.body) : {}) as Readonly<Record<string, unknown>>,
    };
  };
  return {
    send,
    at,
    clock,
    owner,
    app,
    log,
    get: (path, as = owner, method = 'GET') => send(method, path, { as }),
    async somebody(project, role) {
      const uid = at.newId();
      const found = await at.store.read((reading) => findProject(reading, nameOf(`${project}/any`).project));
      if (found === undefined) throw new Error(`no project ${project}`);
      if (role !== undefined) await grant(at, uid, found.uid, role);
      return { uid };
    },
  };
}

function withClient<W extends Workplace>(at: W): W {
  return { ...at, context: (actor?: Actor) => ({ ...at.context(actor), client }) };
}

// Stands in for a signed token: what it says is believed.
function claimsOf(token: string): TokenClaims | undefined {
  const { uid, access } = JSON.parse(token) as As;
  if (parseUid(uid) === undefined) return undefined;
  return { auth: 'password', uid, access } as unknown as TokenClaims;
}

/** All pages from a path on. */
export async function pagesOf(api: Api, path: string, as?: As): Promise<readonly ApiAnswer[]> {
  const pages: ApiAnswer[] = [];
  for (let next: unknown = path; typeof next === 'string'; next = pages.at(-1)?.body['next']) {
    if (pages.length > 100) throw new Error(`${path} has no end`);
    pages.push(await api.get(next, as));
  }
  return pages;
}

/** What an answer has in a list, one property of each. */
export function of(answer: ApiAnswer, list: string, property: string): readonly unknown[] {
  const items = answer.body[list];
  if (!Array.isArray(items)) throw new Error(`no ${list} in ${JSON.stringify(answer.body)}`);
  return items.map((item: Readonly<Record<string, unknown>>) => item[property]);
}
