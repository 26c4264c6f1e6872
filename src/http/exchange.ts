import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';

import type { BlobStore } from '../blobs/blob-store.js';
import type { CommandContext, Executor, Judging } from '../commands/execute.js';
import type { Config } from '../config.js';
import type { Digest } from '../digest.js';
import { refuse, type Refusal } from '../errors.js';
import type { ImagePath, RepositoryName, Uid } from '../identifiers.js';
import type { Caller } from '../identity/caller.js';
import type { HashClient } from '../identity/client-hash.js';
import { judge, judgeManaging, type Question } from '../identity/judge.js';
import type { Sight } from '../projections/history-entries.js';
import type { Reading } from '../projections/store.js';
import { findTarget, type Target, type Verb } from '../projections/targets.js';
import type { BytesCache } from './bytes-cache.js';
import type { RunningUploads } from './running-uploads.js';

/** What the routes of /v2 work with. */
export interface RegistryServices {
  readonly executor: Executor;
  readonly blobs: BlobStore;
  readonly logger: Pick<Logger, 'info'>;
  readonly config: Config;
  readonly newId: () => Uid;
  readonly hashClient: HashClient;
  /** One task at a time for each key, in this process. */
  readonly inTurn: <T>(key: string, task: () => Promise<T>) => Promise<T>;
  readonly runningUploads: RunningUploads;
  /** A manifest was pulled: processes/pull-counting.ts. */
  readonly countPull: (repository: Uid, image: ImagePath, digest: Digest) => void;
  /** Manifests and small blobs: a digest's bytes never change. */
  readonly bytes: BytesCache;
}

/** What the log says of a request besides what HTTP does; routes fill it in. */
export interface Told {
  /** `performance.now()` when it came. */
  readonly startedAt: number;
  /** The client's; read at once, since a closed socket has none. */
  readonly address: string;
  requestId?: Uid;
  actor?: string;
  name?: string;
  reference?: string;
  digest?: string;
  /** The code of the refusal that was the answer: docs/errors.md. */
  error?: string;
  /** Bytes of the body that were taken in. */
  received?: number;
  /** Bytes of the answer's body, where fastify does not know them. */
  bytes?: number;
}

/** One request under /v2 with who sent it. */
export interface Exchange {
  readonly services: RegistryServices;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly caller: Caller;
  readonly query: URLSearchParams;
}

declare module 'fastify' {
  interface FastifyRequest {
    told: Told;
    /** The Content-Type header as it came. */
    pushedType: string | undefined;
  }
}

/** The "no" of a caller's role and token to a verb; undefined: allowed. */
export function deny(caller: Caller, verb: Verb, target: Question['target']): Refusal | undefined {
  return judge({ caller, verb, target });
}

/** Only an owner is told of people, by a token only one that is given for everything that an owner may. */
export function sightOf(caller: Caller, target: Target, project: Uid): Sight {
  const people = target.role === 'owner' && judge({ caller, verb: 'delete', target }) === undefined;
  return { people, project };
}

/** Whose answers may be kept for whom: a key that is revoked is another's than one of the same account that is not. */
export function credentialOf({ actor }: Caller): string {
  return actor.key ?? actor.uid ?? '';
}

/** A repository that is there and that the caller may use so; else the refusal. */
export async function findRepositoryFor(
  reading: Reading,
  caller: Caller,
  verb: Verb,
  name: RepositoryName,
): Promise<Refusal | (Target & { readonly repository: Uid })> {
  const target = await findTarget(reading, caller.actor, name);
  const denied = deny(caller, verb, target);
  if (denied !== undefined) return denied;
  if (target.repository === undefined) return refuse('REPOSITORY_UNKNOWN', { name: name.name });
  return { ...target, repository: target.repository };
}

export function requestIdOf({ request, services }: Exchange): Uid {
  return (request.told.requestId ??= services.newId());
}

export function judgingFor(caller: Caller): Judging {
  return {
    actor: caller.actor,
    judge: (verb, target) => judge({ caller, verb, target }),
    judgeManaging: (role, what) => judgeManaging(caller, role, what),
  };
}

const USER_AGENT_BYTES = 256;

/** A context for one command; call it once for each command, outside its retries. */
export function commandContext(exchange: Exchange): CommandContext {
  const { caller, services, request } = exchange;
  const requestId = requestIdOf(exchange);
  const userAgent = Buffer.from(request.headers['user-agent'] ?? '')
    .subarray(0, USER_AGENT_BYTES)
    .toString();
  return {
    commandId: services.newId(),
    requestId,
    correlationId: requestId,
    occurredAt: Date.now() * 1_000,
    newId: services.newId,
    client: { address: request.ip, userAgent, hash: services.hashClient(request.ip, userAgent) },
    ...judgingFor(caller),
  };
}
