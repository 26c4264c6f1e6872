import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';

import { reject } from '../errors.js';
import { authenticate, authenticateKnown, type AuthenticationDeps } from '../identity/caller.js';
import type { RegistryServices } from './exchange.js';
import { registerManagement } from './management/register.js';

const BASE = '/api/v1';
const methods: HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

/** The management API under /api/v1, and the refusal of what it does not have: docs/api.md. */
export function registerApiRoutes(app: FastifyInstance, services: RegistryServices, authentication: AuthenticationDeps): void {
  const methodsAt = registerManagement(app, services, authentication);
  const handler = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    reply.header('cache-control', 'no-store');
    const [target = ''] = (request.raw.url ?? '').split('?');
    const header = request.headers.authorization;
    const caller = authenticateKnown(header, authentication.tokens) ?? (await authenticate(header, request.ip, authentication));
    request.told.actor = caller.actor.uid ?? caller.actor.kind;
    const others = methodsAt(target.slice(BASE.length));
    if (others.length === 0) return reject('ROUTE_UNKNOWN', { method: request.method, path: target });
    const allowed = others.join(', ');
    reply.header('allow', allowed);
    return reject('METHOD_UNSUPPORTED', { method: request.method, allowed });
  };
  app.route({ method: methods, url: BASE, handler });
  app.route({ method: methods, url: `${BASE}/*`, handler });
}
