import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';

/** One line for each request. Never a header's or a query's value that could hold a credential. */
export function logRequest(logger: Logger, request: FastifyRequest, reply: FastifyReply): void {
  const { raw, told } = request;
  const url = raw.url ?? '';
  const mark = url.indexOf('?');
  const status = reply.raw.headersSent ? reply.statusCode : 499;
  const line = {
    request: told.requestId,
    method: raw.method,
    path: mark < 0 ? url : url.slice(0, mark),
    name: told.name,
    reference: told.reference,
    digest: told.digest,
    status,
    received: told.received,
    bytes: sentBytes(request, reply),
    ms: Math.round((performance.now() - told.startedAt) * 1_000) / 1_000,
    actor: told.actor,
    address: told.address,
    agent: raw.headers['user-agent'],
    cut: reply.raw.writableFinished ? undefined : true,
  };
  if (status >= 500) logger.error(line, 'request');
  else logger.info(line, 'request');
}

function sentBytes({ raw, told }: FastifyRequest, reply: FastifyReply): number {
  if (told.bytes !== undefined) return told.bytes;
  return raw.method === 'HEAD' || reply.statusCode === 304 ? 0 : Number(reply.getHeader('content-length') ?? 0);
}
