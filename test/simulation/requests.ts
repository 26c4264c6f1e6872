import { Readable, Writable } from 'node:stream';

import type { ErrorCode } from '../../src/errors.js';
import { RefusalError } from '../../src/errors.js';
import type { Exchange } from '../../src/http/exchange.js';
import type { Uid } from '../../src/identifiers.js';
import { KeyValueError } from '../../src/keyvalue/database.js';
import { CrashedError } from '../../src/keyvalue/simulated.js';
import { BuildStoppedError } from '../../src/processes/build-run.js';
import { VerifyDisturbedError } from '../../src/processes/verify.js';
import { LiveMismatchError } from '../../src/projections/live.js';
import { BuildLostError } from '../../src/projections/builds.js';
import type { Server } from './cluster.js';
import { BlobFaultError } from './simulated-blobs.js';

/** What a client sees of its request. */
export type Answer =
  | {
      readonly kind: 'answered';
      readonly status: number;
      readonly headers: ReadonlyMap<string, string>;
      readonly body: Buffer;
    }
  | { readonly kind: 'refused'; readonly code: ErrorCode }
  /** The process died first: it may have happened. */
  | { readonly kind: 'died' }
  /** 503, or 500 for a disk that failed: it may have happened. */
  | { readonly kind: 'failed'; readonly why: string }
  /** An error that no fault explains. */
  | { readonly kind: 'broken'; readonly error: unknown };

export interface HttpRequest {
  readonly id: Uid;
  readonly method: string;
  readonly query?: Readonly<Record<string, string | readonly string[]>>;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: Readable | undefined;
}

/** Sends a request to one of the server's routes, past fastify: what it would read of the wire is said by `request`, what it would write is the answer. */
export async function send(
  server: Server,
  request: HttpRequest,
  route: (exchange: Exchange) => Promise<unknown>,
): Promise<Answer> {
  const reply = new Reply();
  return answerOf(server, async () => {
    await route(exchangeFor(server, request, reply));
    // Broken off behind its head: the client knows by the length.
    if (reply.raw.errored !== null) throw reply.raw.errored;
    return reply.answer();
  });
}

/** Runs something in a server's process, and says how it ended. */
export async function answerOf(server: Server, work: () => Promise<Answer>): Promise<Answer> {
  let answer: Answer;
  try {
    answer = await work();
  } catch (error) {
    answer = failureOf(error, server);
  }
  return server.alive ? answer : { kind: 'died' };
}

function failureOf(error: unknown, server: Server): Answer {
  // A newer release has switched to what this one does not know.
  if (error instanceof LiveMismatchError && !server.isNewest) return { kind: 'failed', why: error.message };
  if (error instanceof RefusalError) return { kind: 'refused', code: error.refusal.refused };
  if (error instanceof CrashedError) return { kind: 'died' };
  if (error instanceof BlobFaultError) return { kind: 'failed', why: error.message };
  if (error instanceof KeyValueError && error.code === 'retries_exhausted') return { kind: 'failed', why: error.message };
  // Others build, too: one of them took this build over, dropped it or made the switch, or it took too long.
  if (error instanceof BuildLostError || error instanceof BuildStoppedError || error instanceof VerifyDisturbedError)
    return { kind: 'failed', why: error.message };
  if (error instanceof AggregateError) {
    const all = error.errors.map((one) => failureOf(one, server));
    return all.find(({ kind }) => kind === 'broken') ?? all[0] ?? { kind: 'broken', error };
  }
  return { kind: 'broken', error };
}

function exchangeFor(server: Server, request: HttpRequest, reply: Reply): Exchange {
  const query = new URLSearchParams();
  for (const [name, values] of Object.entries(request.query ?? {})) {
    for (const value of typeof values === 'string' ? [values] : values) query.append(name, value);
  }
  const body = request.body ?? Readable.from([]);
  const raw = Object.assign(body, {
    headers: request.headers ?? {},
    method: request.method,
    socket: { setTimeout: () => undefined },
  });
  const asked = {
    raw,
    headers: request.headers ?? {},
    method: request.method,
    ip: '192.0.2.1',
    told: { startedAt: 0, address: '192.0.2.1', requestId: request.id },
    pushedType: undefined,
  };
  return {
    services: server.services,
    request: asked as unknown as Exchange['request'],
    reply: reply as unknown as Exchange['reply'],
    caller: { actor: server.cluster.owner, access: undefined, viaToken: false },
    query,
  };
}

/** What a route uses of fastify's reply and of Node's. */
class Reply {
  #status = 200;
  readonly #headers = new Map<string, string>();
  readonly #chunks: Buffer[] = [];
  readonly raw: Writable;

  constructor() {
    const chunks = this.#chunks;
    const raw = new Writable({
      write(chunk: Buffer, _encoding, done) {
        chunks.push(Buffer.from(chunk));
        done();
      },
    });
    // An answer that breaks off: its error is the client's to see, by the bytes that are missing.
    raw.on('error', () => undefined);
    this.raw = Object.assign(raw, {
      socket: {},
      writeHead: (status: number, headers: readonly (string | number)[]) => {
        this.#status = status;
        for (let at = 0; at < headers.length; at += 2) this.#headers.set(String(headers[at]), String(headers[at + 1]));
      },
    });
  }

  status(status: number): this {
    this.#status = status;
    return this;
  }

  header(name: string, value: unknown): this {
    this.#headers.set(name, String(value));
    return this;
  }

  getHeader(name: string): string | undefined {
    return this.#headers.get(name);
  }

  hijack(): void {
    // Nothing but this reply writes to `raw`.
  }

  send(body?: Buffer | string): this {
    if (body !== undefined) this.#chunks.push(Buffer.from(body));
    return this;
  }

  answer(): Answer {
    const body = Buffer.concat(this.#chunks);
    return { kind: 'answered', status: this.#status, headers: this.#headers, body };
  }
}
