import type { ServerResponse } from 'node:http';
import type { FastifyReply } from 'fastify';

import { errorTable, messageOf, type Refusal } from '../errors.js';
import { basicChallenge, bearerChallenge, publicOriginOf, type BearerError } from './challenge.js';
import { isApiPath, problemOf, problemType } from './problem.js';

const API_VERSION = ['docker-distribution-api-version', 'registry/2.0'] as const;

/**
 * Sends a pull's answer past fastify, which would look at every header and write head and body apart: in one write, as Latin-1 text, whose characters are the
 * bytes. `headers`: name, value, name, value.
 */
export function sendBytes(
  reply: FastifyReply,
  status: number,
  headers: readonly (string | number)[],
  body: string | undefined,
): FastifyReply {
  reply.hijack();
  const { raw } = reply;
  raw.writeHead(status, [...API_VERSION, ...headers] as string[]);
  if (body === undefined) raw.end();
  else raw.end(body, 'latin1');
  return reply;
}

/** The head of an answer whose body the caller writes to what this gives, and ends. */
export function beginAnswer(reply: FastifyReply, status: number, headers: readonly (string | number)[]): ServerResponse {
  reply.hijack();
  reply.raw.writeHead(status, [...API_VERSION, ...headers] as string[]);
  return reply.raw;
}

/** Sent as bytes: of text, fastify would say its charset. */
export function sendJson(reply: FastifyReply, status: number, body: unknown, mediaType = 'application/json'): FastifyReply {
  const bytes = Buffer.from(JSON.stringify(body));
  return reply.status(status).header('content-type', mediaType).header('content-length', bytes.length).send(bytes);
}

const bearerErrors: Readonly<Record<string, BearerError>> = {
  TOKEN_INVALID: 'invalid_token',
  SCOPE_INSUFFICIENT: 'insufficient_scope',
  // There is no scope that would do; what is needed are credentials that no token narrows.
  MANAGED_BY_TOKEN: 'insufficient_scope',
};

/** The specification's error body, in the management API RFC 9457's; a 401 also carries the challenge. OCI distribution 1.1, "Error Codes". */
export function sendRefusal(reply: FastifyReply, refusal: Refusal, publicUrl: string | undefined): FastifyReply {
  const { status, oci } = errorTable[refusal.refused];
  const forApi = isApiPath(reply.request.raw.url ?? '');
  reply.request.told.error = refusal.refused;
  if (status === 401 && reply.getHeader('www-authenticate') === undefined) {
    const scope = refusal.details['scope'];
    const error = bearerErrors[refusal.refused];
    const origin = publicOriginOf(reply.request.raw, publicUrl);
    const challenge = bearerChallenge(origin, { scope: scope === undefined ? undefined : String(scope), error });
    // The clients of /v2 know Bearer alone; a browser or curl asks for a password when it is told of Basic.
    reply.header('www-authenticate', forApi ? [challenge, basicChallenge(origin)] : challenge);
  }
  if (status === 503 || status === 429) reply.header('retry-after', String(refusal.details['seconds'] ?? 2));
  if (forApi) return sendJson(reply.header('cache-control', 'no-store'), status, problemOf(refusal), problemType);
  const message = messageOf(refusal);
  // RFC 6749's members for the clients of its token endpoint, as in its other refusals (token.ts); its section 5.2 knows no word for this, section 4.1.2.1 does.
  const forGrant = status === 503 && reply.request.method === 'POST' && reply.request.routeOptions.url === '/token';
  const oauth = forGrant ? { error: 'temporarily_unavailable', error_description: message } : {};
  return sendJson(reply, status, { ...oauth, errors: [{ code: oci, message, detail: refusal.details }] });
}
