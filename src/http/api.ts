import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';

import { reject } from '../errors.js';
import { authenticate, authenticateKnown, type AuthenticationDeps } from '../identity/caller.js';
import type { Exchange, RegistryServices } from './exchange.js';
import { exportHistory, getHistory } from './history-routes.js';
import { registerManagement } from './management/register.js';
import { getManifestThen, getManifestsThen, getTagsThen } from './past-routes.js';

/** What a path under /api/v1 asks for. */
export type ApiPath =
  | { readonly kind: 'history' | 'export'; readonly project: string; readonly repository: string | undefined }
  | { readonly kind: 'tags' | 'manifests'; readonly project: string; readonly repository: string }
  | { readonly kind: 'manifest'; readonly project: string; readonly repository: string; readonly reference: string };

const BASE = '/api/v1';
const methods: HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];
const allowed = ['GET', 'HEAD'];
const noQuery = new URLSearchParams();

const ofProject = /^\/projects\/([^/]+)\/history(\/export)?$/;
const ofRepository = /^\/projects\/([^/]+)\/repositories\/([^/]+)\/(history|history\/export|tags|manifests)$/;
const ofManifest = /^\/projects\/([^/]+)\/repositories\/([^/]+)\/manifests\/([^/]+)$/;

/** `path`: as it was sent, behind `/api/v1`, without the query. Ids need no escapes: what has them is none. Undefined where nothing is served. */
export function parseApiPath(path: string): ApiPath | undefined {
  const [, project, exported] = ofProject.exec(path) ?? [];
  if (project !== undefined) return { kind: exported === undefined ? 'history' : 'export', project, repository: undefined };
  const [, owner, repository, what] = ofRepository.exec(path) ?? [];
  if (owner !== undefined && repository !== undefined) {
    if (what === 'tags' || what === 'manifests') return { kind: what, project: owner, repository };
    return { kind: what === 'history' ? 'history' : 'export', project: owner, repository };
  }
  const [, above, holder, reference] = ofManifest.exec(path) ?? [];
  if (above === undefined || holder === undefined || reference === undefined) return undefined;
  // Some clients write a digest's colon as %3A.
  return { kind: 'manifest', project: above, repository: holder, reference: reference.replace(/%3a/i, ':') };
}

/** The management API under /api/v1: docs/api.md. */
export function registerApiRoutes(app: FastifyInstance, services: RegistryServices, authentication: AuthenticationDeps): void {
  const methodsAt = registerManagement(app, services, authentication);
  const handler = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    reply.header('cache-control', 'no-store');
    const url = request.raw.url ?? '';
    const mark = url.indexOf('?');
    const target = mark < 0 ? url : url.slice(0, mark);
    // fastify finds its route with the escapes of the URL undone; here a path is what was sent.
    const path = target.startsWith(`${BASE}/`) ? parseApiPath(target.slice(BASE.length)) : undefined;
    const header = request.headers.authorization;
    const caller = authenticateKnown(header, authentication.tokens) ?? (await authenticate(header, request.ip, authentication));
    request.told.actor = caller.actor.uid ?? caller.actor.kind;
    const others = path === undefined ? methodsAt(target.slice(BASE.length)) : [];
    if (path === undefined && others.length === 0) return reject('ROUTE_UNKNOWN', { method: request.method, path: target });
    if (path === undefined) {
      reply.header('allow', others.join(', '));
      return reject('METHOD_UNSUPPORTED', { method: request.method, allowed: others.join(', ') });
    }
    if (!allowed.includes(request.method)) {
      reply.header('allow', allowed.join(', '));
      return reject('METHOD_UNSUPPORTED', { method: request.method, allowed: allowed.join(', ') });
    }
    const query = mark < 0 ? noQuery : new URLSearchParams(url.slice(mark + 1));
    return dispatch({ services, request, reply, caller, query }, target, path);
  };
  app.route({ method: methods, url: BASE, handler });
  app.route({ method: methods, url: `${BASE}/*`, handler });
}

function dispatch(exchange: Exchange, target: string, path: ApiPath): Promise<FastifyReply> {
  switch (path.kind) {
    case 'history':
      return getHistory(exchange, target, path);
    case 'export':
      return exportHistory(exchange, path);
    case 'tags':
      return getTagsThen(exchange, target, path);
    case 'manifests':
      return getManifestsThen(exchange, target, path);
    case 'manifest':
      return getManifestThen(exchange, path, path.reference);
  }
}
