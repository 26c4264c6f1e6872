import type { FastifyReply, HTTPMethods } from 'fastify';
import type { Static, TObject, TSchema } from 'typebox';

import type { Verb } from '../../projections/targets.js';
import type { Exchange } from '../exchange.js';

/** One operation of the management API. All that is said of it, what it accepts and what it answers, is said here: the validation and the description follow. */
export interface Operation {
  readonly method: Exclude<HTTPMethods, 'HEAD' | 'OPTIONS'>;
  /** Behind /api/v1, its parameters as `:name`. */
  readonly path: string;
  readonly id: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly params?: TObject;
  readonly query?: TObject;
  readonly body?: TObject;
  /** What is answered where all goes well, and with which status. */
  readonly status: number;
  readonly answer?: TSchema;
  /** An `Idempotency-Key` makes a repetition do nothing more. */
  readonly creates?: boolean;
  /** The answer has an ETag; `If-Match` is held against it where something is changed. */
  readonly editable?: boolean;
  /** What a Bearer token's scope has to have, where one is accepted beside Basic credentials. */
  readonly token?: readonly Verb[];
  /** What is public is answered to nobody in particular. */
  readonly open?: boolean;
  /** By media type, what the answer is where it is not JSON; undefined: bytes that no schema describes. */
  readonly files?: Readonly<Record<string, TSchema | undefined>>;
  /** Headers of the answer where all goes well, beside what follows from the rest. */
  readonly sends?: readonly ('ETag' | 'Artifact-Store-Position' | 'Content-Disposition')[];
  readonly run: (request: ManagementRequest) => Promise<Answer>;
}

/** A request that was authenticated, and whose parts are as the operation's schemas have them. */
export interface ManagementRequest {
  readonly exchange: Exchange;
  readonly params: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, unknown>>;
  readonly body: unknown;
  /** As it was sent, without the query. */
  readonly path: string;
}

export interface Answer {
  readonly body?: unknown;
  readonly etag?: string;
  readonly location?: string;
  /** The answer was sent already, head and all. */
  readonly sent?: FastifyReply;
}

type Of<S extends TSchema | undefined> = S extends TSchema ? Static<S> : Record<string, never>;

interface Described<P extends TObject | undefined, Q extends TObject | undefined, B extends TObject | undefined> {
  readonly params?: P;
  readonly query?: Q;
  readonly body?: B;
}

/** An operation whose `run` sees its parts by their schemas' types. */
export function operation<
  P extends TObject | undefined = undefined,
  Q extends TObject | undefined = undefined,
  B extends TObject | undefined = undefined,
>(
  described: Omit<Operation, 'params' | 'query' | 'body' | 'run'> &
    Described<P, Q, B> & {
      readonly run: (request: {
        readonly exchange: Exchange;
        readonly params: Of<P>;
        readonly query: Of<Q>;
        readonly body: Of<B>;
        readonly path: string;
      }) => Promise<Answer>;
    },
): Operation {
  return described as unknown as Operation;
}
