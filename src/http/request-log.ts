import type { IncomingMessage } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';

/** One line for each request. Never a header's or a query's value that could hold a credential. */
export function logRequest(logger: Logger, request: FastifyRequest, reply: FastifyReply): void {
  const { raw, told } = request;
  const status = reply.raw.headersSent ? reply.raw.statusCode : 499;
  // Set by who broke off an answer that had begun, for a fault of ours.
  const fault = reply.raw.errored ?? undefined;
  const line = {
    request: told.requestId,
    method: raw.method,
    path: loggedPath(raw),
    name: told.name,
    reference: told.reference,
    digest: told.digest,
    status,
    error: told.error,
    received: told.received,
    bytes: sentBytes(request, reply),
    ms: Math.round((performance.now() - told.startedAt) * 1_000) / 1_000,
    actor: told.actor,
    address: told.address,
    agent: raw.headers['user-agent'],
    cut: reply.raw.writableFinished ? undefined : true,
    err: fault,
  };
  // A no to whether it is ready is no fault of this request; what keeps it is a line of its own.
  const failed = (status >= 500 && line.path !== '/readyz') || fault !== undefined;
  if (failed) logger.error(line, 'request');
  else logger.info(line, 'request');
}

/** Without the query and without an authority, which may hold what nobody should read in a log. */
export function loggedPath({ url = '' }: IncomingMessage): string {
  return withoutAuthority(url).split('?', 1)[0] ?? '';
}

/** RFC 9112, section 3.2.2: a server MUST accept the absolute form, which clients of a proxy send. */
export function withoutAuthority(url: string): string {
  const rest = url.replace(/^[a-z][a-z\d+.-]*:\/\/[^/?#]*/i, '');
  return rest === url || rest.startsWith('/') ? rest : `/${rest}`;
}

/** Of the body; undefined where the answer did not end: nobody knows how much of it arrived. */
function sentBytes({ raw, told }: FastifyRequest, reply: FastifyReply): number | undefined {
  if (!reply.raw.writableFinished) return undefined;
  if (raw.method === 'HEAD' || reply.raw.statusCode === 304) return 0;
  // An answer that fastify sent has its length there, whatever else was going to be sent before it failed.
  return Number(reply.getHeader('content-length') ?? told.bytes ?? 0);
}
