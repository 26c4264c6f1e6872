import type { FastifyInstance, FastifyReply, FastifyRequest, HTTPMethods } from 'fastify';

import { refuse, reject, RefusalError } from '../errors.js';
import { parseName, type RepositoryName } from '../identifiers.js';
import { authenticate, authenticateKnown, type AuthenticationDeps, type Caller } from '../identity/caller.js';
import { refuseBarred } from '../identity/judge.js';
import { isBarred } from '../projections/principals.js';
import { sendJson } from './answers.js';
import { getBlob, removeBlob } from './blobs.js';
import { getCatalog } from './catalog.js';
import { credentialOf, type Exchange, type RegistryServices } from './exchange.js';
import { deleteReference, getManifest, putManifest } from './manifests.js';
import { getReferrers } from './referrers.js';
import { parseRegistryPath, type RegistryPath } from './registry-path.js';
import { getTags } from './tags-list.js';
import { cancelUpload, getUpload, patchUpload, postUpload, putUpload } from './uploads.js';

const methods: HTTPMethods[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE'];

const allowed: Readonly<Record<RegistryPath['kind'], readonly string[]>> = {
  base: ['GET', 'HEAD'],
  catalog: ['GET', 'HEAD'],
  tags: ['GET', 'HEAD'],
  manifest: ['GET', 'HEAD', 'PUT', 'DELETE'],
  blob: ['GET', 'HEAD', 'DELETE'],
  uploads: ['POST'],
  upload: ['GET', 'HEAD', 'PATCH', 'PUT', 'DELETE'],
  referrers: ['GET', 'HEAD'],
};

const noQuery = new URLSearchParams();

/** What may be asked of a path under /v2; undefined where nothing is served. */
export function methodsAt(path: string): readonly string[] | undefined {
  const parsed = /^\/v2(?:\/|$)/.test(path) ? parseRegistryPath(path.slice(3)) : undefined;
  return parsed === undefined ? undefined : allowed[parsed.kind];
}

/** The OCI distribution API, version 1.1, and Docker's v2, under /v2. */
export function registerRegistryRoutes(
  app: FastifyInstance,
  services: RegistryServices,
  authentication: AuthenticationDeps,
): void {
  const handler = async (request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> => {
    const url = request.raw.url ?? '';
    const mark = url.indexOf('?');
    const target = mark < 0 ? url : url.slice(0, mark);
    // fastify finds its route with the escapes of the URL undone; here a path is what was sent.
    const path = /^\/v2(?:\/|$)/.test(target) ? parseRegistryPath(target.slice(3)) : undefined;
    const header = request.headers.authorization;
    const caller = authenticateKnown(header, authentication.tokens) ?? (await authenticate(header, request.ip, authentication));
    request.told.actor = caller.actor.uid ?? caller.actor.kind;
    if (path === undefined) return reject('ROUTE_UNKNOWN', { method: request.method, path: target });
    if (!allowed[path.kind].includes(request.method)) {
      const accepted = allowed[path.kind].join(', ');
      reply.header('allow', accepted);
      return reject('METHOD_UNSUPPORTED', { method: request.method, allowed: accepted });
    }
    const query = mark < 0 ? noQuery : new URLSearchParams(url.slice(mark + 1));
    return dispatch({ services, request, reply, caller, query }, path);
  };
  app.route({ method: methods, url: '/v2', handler });
  app.route({ method: methods, url: '/v2/*', handler });
}

function dispatch(exchange: Exchange, path: RegistryPath): Promise<FastifyReply> | FastifyReply {
  const { method } = exchange.request;
  switch (path.kind) {
    case 'base':
      return answerBase(exchange, exchange.caller);
    case 'catalog':
      return getCatalog(exchange);
    case 'tags':
      return getTags(exchange, nameIn(exchange, path.name));
    case 'referrers':
      return getReferrers(exchange, nameIn(exchange, path.name), path.digest);
    case 'manifest': {
      const name = nameIn(exchange, path.name);
      if (method === 'PUT') return putManifest(exchange, name, path.reference);
      return method === 'DELETE' ? deleteReference(exchange, name, path.reference) : getManifest(exchange, name, path.reference);
    }
    case 'blob': {
      const name = nameIn(exchange, path.name);
      return method === 'DELETE' ? removeBlob(exchange, name, path.digest) : getBlob(exchange, name, path.digest);
    }
    case 'uploads':
      return postUpload(exchange, nameIn(exchange, path.name));
    case 'upload': {
      const name = nameIn(exchange, path.name);
      if (method === 'PATCH') return patchUpload(exchange, name, path.upload);
      if (method === 'PUT') return putUpload(exchange, name, path.upload);
      return method === 'DELETE' ? cancelUpload(exchange, name, path.upload) : getUpload(exchange, name, path.upload);
    }
  }
}

/** end-1. A caller without credentials is told where to get a token; every client begins here. */
async function answerBase({ reply, services }: Exchange, caller: Caller): Promise<FastifyReply> {
  const { actor, viaToken } = caller;
  if (actor.kind === 'anonymous' && !viaToken) throw new RefusalError(refuse('UNAUTHORIZED'));
  const barred = await services.executor.store.readCached(`barred ${credentialOf(caller)}`, (reading) =>
    isBarred(reading, actor),
  );
  const refusal = refuseBarred(caller, barred ? 'barred' : undefined);
  if (refusal !== undefined) throw new RefusalError(refusal);
  return sendJson(reply, 200, {});
}

function nameIn({ request }: Exchange, text: string): RepositoryName {
  request.told.name = text;
  const name = parseName(text);
  if (!('problem' in name)) return name;
  return reject(name.problem === 'invalid' ? 'NAME_INVALID' : 'NAME_TOO_SHORT', {
    name: text.slice(0, 300),
    reason: name.reason,
  });
}
