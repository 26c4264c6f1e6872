import { readFileSync } from 'node:fs';
import { fastify, type FastifyInstance, type FastifyRequest } from 'fastify';
import type { Logger } from 'pino';

import { BlobStoreError } from '../blobs/blob-store.js';
import { refuse, RefusalError, type Refusal } from '../errors.js';
import type { AuthenticationDeps } from '../identity/caller.js';
import type { Granting } from '../identity/live-identity.js';
import { KeyValueError } from '../keyvalue/database.js';
import { EventTooNewError } from '../events/codec.js';
import { LiveMismatchError } from '../projections/live.js';
import { ProjectionNotLiveError } from '../projections/store.js';
import { sendJson, sendRefusal } from './answers.js';
import { registerApiRoutes } from './api.js';
import { BrokenRequests } from './broken-requests.js';
import { isApiPath } from './problem.js';
import type { RegistryServices, Told } from './exchange.js';
import { answerBeforeBody } from './leftover.js';
import { refuseCrossSite } from './cross-site.js';
import { methodsAt, registerRegistryRoutes } from './registry.js';
import { loggedPath, logRequest, withoutAuthority } from './request-log.js';
import { registerTokenRoutes, type TokenRouteDeps } from './token.js';

export interface AppDeps {
  readonly services: RegistryServices;
  readonly authentication: AuthenticationDeps;
  readonly tokens: Granting & Pick<TokenRouteDeps, 'issuer'>;
  /** Throws what keeps the process from serving. What it gives is told beside `ready`. */
  readonly checkReady: () => Promise<Readonly<Record<string, unknown>>>;
  readonly logger: Logger;
}

// Node would answer a request without Host by itself, without a body.
const ownAnswers = { requireHostHeader: false };

const HEADERS_MS = 60_000;

/** The HTTP server, not yet listening. */
export function createApp({ services, authentication, tokens, checkReady, logger }: AppDeps): FastifyInstance {
  const { config } = services;
  const broken = new BrokenRequests(logger);
  const app = fastify({
    logger: false,
    exposeHeadRoutes: false,
    trustProxy: config.trustedProxies.length > 0 ? [...config.trustedProxies] : false,
    // Both of Node's own limits are on a request's whole time; a push may take hours. A connection that stands still is closed instead.
    requestTimeout: 0,
    connectionTimeout: config.idleSeconds * 1_000,
    keepAliveTimeout: 75_000,
    forceCloseConnections: 'idle',
    return503OnClosing: false,
    genReqId: () => '',
    routerOptions: { ignoreTrailingSlash: false, maxParamLength: 16_384 },
    // No hook runs for a path that is no URL.
    frameworkErrors: (error, request, reply) => {
      request.told = newlyTold(request);
      reply.header('docker-distribution-api-version', 'registry/2.0');
      reply.raw.once('close', () => logRequest(logger, request, reply));
      void sendRefusal(reply, refuse('REQUEST_INVALID', { reason: error.message }), config.publicUrl);
    },
    rewriteUrl: ({ url = '/' }) => withoutAuthority(url),
    clientErrorHandler: broken.answer,
    ...(config.tls === undefined
      ? { http: ownAnswers }
      : { https: { ...ownAnswers, cert: readFileSync(config.tls.certificate), key: readFileSync(config.tls.key) } }),
  }) as unknown as FastifyInstance;

  // Node has none where a request has no whole time; a body may come as slowly as it likes, headers may not.
  app.server.headersTimeout = HEADERS_MS;
  app.decorateRequest('told');
  app.decorateRequest('pushedType');
  // Bodies are streams: a layer is never held, a manifest is read by its route. Routes read `request.raw`: without a body and a Content-Type fastify leaves
  // `request.body` undefined.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, payload, done) => done(null, payload));

  app.addHook('onRequest', (request, reply, done) => {
    request.told = newlyTold(request);
    request.pushedType = request.raw.headers['content-type'];
    // fastify refuses a Content-Type that is none; here it says what a manifest is, and nothing of a blob's bytes.
    if (request.routeOptions.url !== '/token' && !isApiPath(request.raw.url ?? '')) delete request.raw.headers['content-type'];
    reply.header('docker-distribution-api-version', 'registry/2.0');
    // Not fastify's onResponse, which never comes where the client went away first.
    reply.raw.once('close', () => logRequest(logger, request, reply));
    answerBeforeBody(request.raw, reply.raw);
    // RFC 9112, section 3.2: a server MUST answer 400 to a request of HTTP/1.1 without Host.
    const hostless = request.raw.httpVersion === '1.1' && request.raw.headers.host === undefined;
    const refusal = hostless
      ? refuse('REQUEST_INVALID', { reason: 'the Host header is missing' })
      : refuseCrossSite(request, config.publicUrl);
    done(refusal && new RefusalError(refusal));
  });
  app.server.on('checkExpectation', broken.refuseExpectation);
  app.setErrorHandler((error, request, reply) => {
    const id = (request.told.requestId ??= services.newId());
    const refusal = refusalFor(error) ?? refuse('INTERNAL', { request: id });
    // The disk's errors are told to the client in a word; what they were is the operator's to read.
    if (refusal.refused === 'INTERNAL' || (error instanceof KeyValueError && error.code === 'storage_failed')) {
      logger.error({ err: error, request: id, method: request.method, path: loggedPath(request.raw) }, 'a request failed');
    }
    return sendRefusal(reply, refusal, config.publicUrl);
  });
  app.setNotFoundHandler((request, reply) => {
    const path = loggedPath(request.raw);
    const methods = methodsAt(path) ?? ownMethods.get(path);
    if (methods !== undefined) {
      const allowed = methods.join(', ');
      reply.header('allow', allowed);
      return sendRefusal(reply, refuse('METHOD_UNSUPPORTED', { method: request.method, allowed }), config.publicUrl);
    }
    return sendRefusal(reply, refuse('ROUTE_UNKNOWN', { method: request.method, path }), config.publicUrl);
  });

  app.get('/healthz', (_request, reply) => sendJson(reply, 200, { status: 'ok' }));
  app.get('/readyz', async (_request, reply) => {
    try {
      return await sendJson(reply, 200, { status: 'ready', ...(await checkReady()) });
    } catch (error) {
      // A probe every few seconds, and what happened is told where it began.
      const known = (error instanceof KeyValueError && error.code === 'unavailable') || error instanceof LiveMismatchError;
      logger.warn(known ? { reason: error.message } : { err: error }, 'not ready');
      return sendJson(reply, 503, { status: 'not ready', reason: unreadyFor(error) });
    }
  });
  registerTokenRoutes(app, { ...authentication, ...tokens, publicUrl: config.publicUrl });
  registerRegistryRoutes(app, services, authentication);
  registerApiRoutes(app, services, authentication);
  return app;
}

function newlyTold({ ip }: FastifyRequest): Told {
  return { startedAt: performance.now(), address: ip };
}

/** For whoever asks: the errors of a store name its files. */
function unreadyFor(error: unknown): string {
  if (error instanceof KeyValueError) {
    return error.code === 'unavailable' ? 'the database does not answer' : 'the database does not work; the log says why';
  }
  const own = error instanceof Error && error.name === 'Error' && !('code' in error);
  return own || error instanceof LiveMismatchError ? error.message : 'the blob store does not work; the log says why';
}

/** Of the paths that are served here. */
const ownMethods: ReadonlyMap<string, readonly string[]> = new Map([
  ['/token', ['GET', 'HEAD', 'POST']],
  ['/healthz', ['GET', 'HEAD']],
  ['/readyz', ['GET', 'HEAD']],
]);

/** What ends when every server is of the same release, or when an index is built. */
const passing = [LiveMismatchError, ProjectionNotLiveError, EventTooNewError] as const;

/** What a client can be told of an error; undefined for a fault of ours. */
function refusalFor(error: unknown): Refusal | undefined {
  if (error instanceof RefusalError) return error.refusal;
  if (error instanceof Error && passing.some((kind) => error instanceof kind))
    return refuse('UNAVAILABLE', { reason: error.message });
  if (error instanceof KeyValueError) return refusalForStore(error);
  if (error instanceof BlobStoreError && error.code === 'storage_full') return refuse('STORAGE_FULL');
  // fastify's own, of a request that is none.
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  if (typeof status === 'number' && status >= 400 && status < 500) {
    return refuse('REQUEST_INVALID', { reason: error instanceof Error ? error.message : 'the request is not understood' });
  }
  return undefined;
}

function refusalForStore(error: KeyValueError): Refusal | undefined {
  switch (error.code) {
    case 'retries_exhausted':
      return refuse('UNAVAILABLE', { reason: reasonOf(error.cause) });
    case 'unavailable':
      return refuse('UNAVAILABLE', { reason: 'the database does not answer; try again in a moment' });
    case 'closed':
      return refuse('UNAVAILABLE', { reason: 'the registry is shutting down' });
    case 'storage_failed':
      return /ENOSPC|EDQUOT|MAP_FULL/.test(error.message)
        ? refuse('STORAGE_FULL')
        : refuse('UNAVAILABLE', { reason: 'the registry cannot write to its store; its log says why' });
    default:
      return undefined;
  }
}

/** Why retries came to an end, by the last of them. */
function reasonOf(last: unknown): string {
  switch (last instanceof KeyValueError ? last.code : undefined) {
    case 'transaction_too_old':
      return 'reading or changing this took longer than the store allows; the registry may be overloaded; try again later';
    case 'commit_unknown_result':
      return 'the database did not say in time whether this was done; try again';
    default:
      return 'too many changes of the same things at once; try again';
  }
}
