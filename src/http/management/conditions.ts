import { createHash } from 'node:crypto';
import type { FastifyRequest } from 'fastify';

import type { CommandContext } from '../../commands/execute.js';
import { refuse, reject, type Refusal } from '../../errors.js';
import type { Uid } from '../../identifiers.js';
import { fingerprintOf } from '../../identity/password.js';
import type { Reading } from '../../projections/store.js';
import { commandContext, type Exchange } from '../exchange.js';

/** Of what is shown of a resource: another text, another tag. RFC 9110, section 8.8.3. */
export function entityTag(shown: unknown): string {
  return `"${createHash('sha256').update(JSON.stringify(shown)).digest('base64url').slice(0, 22)}"`;
}

/** Whether a field of entity tags names this one. */
export function namesTag(field: string | undefined, tag: string): boolean {
  if (field === undefined) return false;
  return field.split(',').some((one) => [tag, `W/${tag}`, '*'].includes(one.trim()));
}

/**
 * A context whose command is carried out only while the resource is what the client's If-Match says, held against it in the command's own transaction. `load`: what a
 * GET would show. RFC 9110, section 13.1.1.
 */
export function contextIfMatch(exchange: Exchange, load: (reading: Reading) => Promise<unknown>): CommandContext {
  const context = commandContext(exchange);
  const wanted = exchange.request.headers['if-match'];
  if (wanted === undefined) return context;
  return {
    ...context,
    async expected(reading): Promise<Refusal | undefined> {
      // A strong comparison: a weak tag matches nothing.
      const tag = entityTag(await load(reading));
      const strong = wanted.split(',').map((one) => one.trim());
      return strong.includes(tag) || strong.includes('*') ? undefined : refuse('CHANGED_SINCE');
    },
  };
}

/** As `contextIfMatch`, for a command of several transactions: the first is held against the client's If-Match, and those that end what it began are not. */
export function contextsIfMatch(exchange: Exchange, load: (reading: Reading) => Promise<unknown>): () => CommandContext {
  let isFirst = true;
  return () => {
    const context = isFirst ? contextIfMatch(exchange, load) : commandContext(exchange);
    isFirst = false;
    return context;
  };
}

const keyGrammar = /^[\x21-\x7e]{1,255}$/;

/**
 * A context whose command id follows from the client's Idempotency-Key, who sends it, and the operation with what its path names, however that is written: a repetition,
 * also by another server, or after the first one's answer was lost, has the first one's outcome, for a day. With the key the body has to say the same, in whichever order.
 */
export function contextOnce(exchange: Exchange): CommandContext {
  const context = commandContext(exchange);
  const { request, caller } = exchange;
  const key = request.headers['idempotency-key'];
  if (key === undefined) return context;
  if (typeof key !== 'string' || !keyGrammar.test(key)) {
    return reject('REQUEST_INVALID', { reason: 'Idempotency-Key is not accepted; it is 1 to 255 visible ASCII characters' });
  }
  const { kind, uid = '' } = caller.actor;
  const body = createHash('sha256')
    .update(sortedJson(request.body ?? null))
    .digest('base64url');
  const operation = [request.method, request.routeOptions.url ?? '', sortedJson(request.params)];
  return { ...context, commandId: idOf([kind, uid, ...operation, key]), fingerprint: body };
}

/** For a POST whose repetition nobody would know as one: a client that sends the key relies on it. */
export function refuseIdempotencyKey({ headers }: FastifyRequest): void {
  if (headers['idempotency-key'] === undefined) return;
  reject('REQUEST_INVALID', { reason: 'Idempotency-Key is not accepted here: a repetition would be done again; send none' });
}

/** The same text for the same value, in whichever order its members came. */
function sortedJson(value: unknown): string {
  return JSON.stringify(value, (_name, one: unknown) =>
    typeof one === 'object' && one !== null && !Array.isArray(one)
      ? Object.fromEntries(Object.entries(one).sort(([a], [b]) => (a < b ? -1 : 1)))
      : one,
  );
}

/** As `contextOnce`, where the body holds a password: what is kept of it for a day is no easier to guess from than what is kept of the password. */
export async function contextOnceOfSecret(exchange: Exchange): Promise<CommandContext> {
  const context = contextOnce(exchange);
  if (context.fingerprint === undefined) return context;
  return { ...context, fingerprint: await fingerprintOf(context.fingerprint, context.commandId, exchange.caller.actor.uid) };
}

/** RFC 9562, section 5.8: a UUID of our own making. */
function idOf(parts: readonly string[]): Uid {
  const bytes = createHash('sha256').update(JSON.stringify(parts)).digest().subarray(0, 16);
  bytes.writeUInt8((bytes.readUInt8(6) & 0x0f) | 0x80, 6);
  bytes.writeUInt8((bytes.readUInt8(8) & 0x3f) | 0x80, 8);
  const hex = bytes.toString('hex');
  return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-') as Uid;
}
