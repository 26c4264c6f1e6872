import type { FastifyReply } from 'fastify';

import { errorTable, messageOf, type Refusal } from '../errors.js';
import { bearerChallenge, publicOriginOf, type BearerError } from './challenge.js';

/** Sent as bytes: of text, fastify would say its charset. */
export function sendJson(reply: FastifyReply, status: number, body: unknown, mediaType = 'application/json'): FastifyReply {
  const bytes = Buffer.from(JSON.stringify(body));
  return reply.status(status).header('content-type', mediaType).header('content-length', bytes.length).send(bytes);
}

const bearerErrors: Readonly<Record<string, BearerError>> = {
  TOKEN_INVALID: 'invalid_token',
  SCOPE_INSUFFICIENT: 'insufficient_scope',
};

/** The specification's error body; a 401 also carries the challenge. OCI distribution 1.1, "Error Codes". */
export function sendRefusal(reply: FastifyReply, refusal: Refusal, publicUrl: string | undefined): FastifyReply {
  const { status, oci } = errorTable[refusal.refused];
  if (status === 401 && reply.getHeader('www-authenticate') === undefined) {
    const scope = refusal.details['scope'];
    const error = bearerErrors[refusal.refused];
    const challenge = bearerChallenge(publicOriginOf(reply.request.raw, publicUrl), {
      scope: scope === undefined ? undefined : String(scope),
      error,
    });
    reply.header('www-authenticate', challenge);
  }
  if (status === 503 || status === 429) reply.header('retry-after', String(refusal.details['seconds'] ?? 2));
  return sendJson(reply, status, { errors: [{ code: oci, message: messageOf(refusal), detail: refusal.details }] });
}
