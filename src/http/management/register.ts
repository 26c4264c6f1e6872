import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import { Ajv, type ErrorObject } from 'ajv';
import formats from 'ajv-formats';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import { refuse, reject, RefusalError, type Refusal } from '../../errors.js';
import { authenticate, authenticateKnown, type AuthenticationDeps, type Caller } from '../../identity/caller.js';
import { sendJson } from '../answers.js';
import type { RegistryServices } from '../exchange.js';
import { problemOf, problemType } from '../problem.js';
import { invalid } from '../api-query.js';
import { namesTag } from './conditions.js';
import { refuseCrossSite } from './cross-site.js';
import { describe } from './description.js';
import { digestOperations } from './digests.js';
import { historyOperations } from './history.js';
import { memberOperations } from './members.js';
import { organizationOperations } from './organizations.js';
import { projectOperations } from './projects.js';
import { repositoryOperations } from './repositories.js';
import type { Operation } from './route.js';
import { serviceAccountOperations } from './service-accounts.js';
import { upkeepOperations } from './upkeep.js';
import { userOperations } from './users.js';

const BASE = '/api/v1';
const DOCUMENT = '/openapi.json';
const BODY_LIMIT = 64 * 1024;
// All of the page is this server's. Nothing is upgraded to https: a registry in a private network may have none.
const PAGE_POLICY = [
  "default-src 'none'",
  "base-uri 'none'",
  "connect-src 'self'",
  "font-src 'self' data:",
  "form-action 'none'",
  "frame-ancestors 'none'",
  "img-src 'self' data:",
  "script-src 'self'",
  "style-src 'self'",
].join('; ');

declare module 'fastify' {
  interface FastifyRequest {
    caller: Caller;
  }
}

function allOperations(authentication: Pick<AuthenticationDeps, 'passwords' | 'guessing'>): readonly Operation[] {
  return [
    ...userOperations(authentication),
    ...organizationOperations,
    ...projectOperations,
    ...memberOperations,
    ...serviceAccountOperations,
    ...repositoryOperations,
    ...digestOperations,
    ...historyOperations,
    ...upkeepOperations,
  ];
}

/** The methods that are served at a path below /api/v1, as it was sent. */
export type MethodsAt = (path: string) => readonly string[];

/** The management API's own routes, and its description. History and the past are in api.ts, which has all that is not here. */
export function registerManagement(
  app: FastifyInstance,
  services: RegistryServices,
  authentication: AuthenticationDeps,
): MethodsAt {
  const operations = allOperations(authentication);
  const description = describe(operations);
  void app.register(async (api) => {
    api.decorateRequest('caller');
    acceptJson(api);
    validate(api);
    api.addHook('onRequest', async (request, reply) => {
      reply.header('cache-control', 'no-store');
      const crossSite = refuseCrossSite(request, services.config.publicUrl);
      if (crossSite !== undefined) throw new RefusalError(crossSite);
      const header = request.headers.authorization;
      request.caller =
        authenticateKnown(header, authentication.tokens) ?? (await authenticate(header, request.ip, authentication));
      request.told.actor = request.caller.actor.uid ?? request.caller.actor.kind;
    });
    api.addHook('preValidation', (request, _reply, done) => {
      refuseTwice(targetOf(request).query);
      done();
    });
    for (const one of operations) register(api, one, services);
    await Promise.resolve();
  });
  void app.register(async (docs) => {
    docs.route({
      method: 'GET',
      url: `${BASE}${DOCUMENT}`,
      exposeHeadRoute: true,
      handler: (_request, reply) => sendJson(reply, 200, description),
    });
    // The page has none of its own, and a phone would show it as wide as a desk.
    docs.addHook('onSend', (_request, _reply, payload, done) => {
      const viewport = '<meta name="viewport" content="width=device-width, initial-scale=1">';
      done(
        null,
        typeof payload === 'string' ? payload.replace('<meta charset="UTF-8">', (charset) => charset + viewport) : payload,
      );
    });
    await docs.register(swagger, { mode: 'static', specification: { document: description as never } });
    await docs.register(swaggerUi, {
      routePrefix: '/api/docs',
      staticCSP: PAGE_POLICY,
      uiConfig: {
        url: `${BASE}${DOCUMENT}`,
        // Else the page asks a server on the internet for a badge.
        validatorUrl: null,
        docExpansion: 'list',
        deepLinking: true,
        defaultModelsExpandDepth: 0,
      },
      theme: { title: 'Artifact Store' },
    });
  });
  const patterns = [...operations, { method: 'GET', path: DOCUMENT } as const].map(({ method, path }) => ({
    method,
    pattern: new RegExp(`^${path.replace(/:\w+/g, '[^/]+')}$`),
  }));
  return (path) => {
    const found = new Set(patterns.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method));
    if (found.has('GET')) found.add('HEAD');
    return [...found];
  };
}

function register(api: FastifyInstance, one: Operation, services: RegistryServices): void {
  const { method, path, params, query, body, status, run } = one;
  api.route({
    method,
    url: `${BASE}${path}`,
    exposeHeadRoute: method === 'GET',
    schema: {
      ...(params === undefined ? {} : { params }),
      querystring: query ?? { type: 'object', properties: {}, additionalProperties: false },
      ...(body === undefined ? {} : { body }),
    },
    async handler(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
      if (body === undefined && request.body !== undefined) return reject('BODY_INVALID', { reason: 'no body is accepted here' });
      const { path: sent, query: asked } = targetOf(request);
      const exchange = { services, request, reply, caller: request.caller, query: asked };
      const answer = await run({
        exchange,
        params: request.params as Readonly<Record<string, string>>,
        query: request.query as Readonly<Record<string, unknown>>,
        body: request.body,
        path: sent,
      });
      if (answer.etag !== undefined) reply.header('etag', answer.etag);
      if (answer.location !== undefined) reply.header('location', answer.location);
      if (method === 'GET' && answer.etag !== undefined && namesTag(request.headers['if-none-match'], answer.etag)) {
        return reply.status(304).send();
      }
      if (answer.body === undefined) return reply.status(status).send();
      // RFC 8288, for clients that page without reading the body.
      if (typeof answer.body === 'object' && answer.body !== null && 'next' in answer.body) {
        reply.header('link', `<${String(answer.body.next)}>; rel="next"`);
      }
      return sendJson(reply, status, answer.body);
    },
  });
}

/** As it was sent. */
function targetOf({ raw }: FastifyRequest): { readonly path: string; readonly query: URLSearchParams } {
  const url = raw.url ?? '';
  const mark = url.indexOf('?');
  return mark < 0
    ? { path: url, query: new URLSearchParams() }
    : { path: url.slice(0, mark), query: new URLSearchParams(url.slice(mark + 1)) };
}

function refuseTwice(query: URLSearchParams): void {
  const seen = new Set<string>();
  for (const name of query.keys()) {
    if (seen.has(name)) invalid(`the parameter ${name.slice(0, 100)} is given twice`);
    seen.add(name);
  }
}

/** Elsewhere a body is a stream. */
function acceptJson(api: FastifyInstance): void {
  api.removeAllContentTypeParsers();
  api.addContentTypeParser('application/json', { parseAs: 'string', bodyLimit: BODY_LIMIT }, (_request, text, done) => {
    try {
      done(null, text === '' ? undefined : JSON.parse(text.toString()));
    } catch (error) {
      const reason = error instanceof Error ? error.message : String(error);
      done(new RefusalError(refuse('BODY_INVALID', { reason: `the body is no JSON: ${reason}` })));
    }
  });
  api.addContentTypeParser('*', (request, _payload, done) => {
    const given = request.headers['content-type'] ?? 'without a Content-Type';
    done(new RefusalError(refuse('MEDIA_TYPE_UNSUPPORTED', { given: given.slice(0, 100) })));
  });
}

function validate(api: FastifyInstance): void {
  const options = { allErrors: true, verbose: true, strict: false } as const;
  // What stands in a URL is text; in a body a number in quotes is none.
  const [ofBodies, ofUrls] = [new Ajv(options), new Ajv({ ...options, coerceTypes: true })];
  for (const ajv of [ofBodies, ofUrls]) formats.default(ajv);
  api.setValidatorCompiler(({ schema, httpPart }) => (httpPart === 'body' ? ofBodies : ofUrls).compile(schema as object));
  api.setErrorHandler((error: FastifyError, request, reply) => {
    if (error.validation === undefined) {
      if (error.code === 'FST_ERR_CTP_BODY_TOO_LARGE')
        return reject('BODY_INVALID', { reason: `the body has more than ${BODY_LIMIT} bytes` });
      const wrong = wrongField(error, request.routeOptions.schema?.body);
      if (wrong === undefined) throw error;
      const problem = problemOf(wrong.refusal);
      request.told.error = problem.code;
      return sendJson(reply, problem.status, { ...problem, errors: [wrong.field] }, problemType);
    }
    const ofBody = error.validationContext === 'body';
    // Of a choice of types, what was wrong with the one that was meant.
    const errors = (error.validation as readonly ErrorObject[])
      .filter(({ keyword, params: { type } }) => keyword !== 'anyOf' && !(keyword === 'type' && type === 'null'))
      .map(fieldError);
    const [first] = errors;
    const reason = first === undefined ? 'the request is not understood' : inWords(first, ofBody);
    const problem = problemOf(refuse(ofBody ? 'BODY_INVALID' : 'REQUEST_INVALID', { reason }));
    request.told.error = problem.code;
    return sendJson(reply, problem.status, ofBody ? { ...problem, errors } : problem, problemType);
  });
}

interface FieldProblem {
  /** RFC 6901. */
  readonly pointer: string;
  readonly detail: string;
}

/** What a command found wrong with a field of the body. */
function wrongField(error: unknown, body: unknown): { readonly refusal: Refusal; readonly field: FieldProblem } | undefined {
  if (!(error instanceof RefusalError) || error.refusal.refused !== 'FIELD_INVALID') return undefined;
  const { field = '', reason = '' } = error.refusal.details;
  const known = (body as { readonly properties?: object } | undefined)?.properties ?? {};
  if (!Object.hasOwn(known, field)) return undefined;
  return { refusal: error.refusal, field: { pointer: `/${field}`, detail: String(reason) } };
}

const typeNames: Readonly<Record<string, string>> = {
  object: 'a JSON object',
  array: 'an array',
  string: 'a text',
  boolean: 'true or false',
  integer: 'a whole number',
};

function fieldError(error: ErrorObject): FieldProblem {
  const { instancePath, keyword, params, message = 'is not accepted', parentSchema } = error;
  const extra: unknown = params['additionalProperty'];
  if (keyword === 'additionalProperties' && typeof extra === 'string') {
    const known = Object.keys((parentSchema?.['properties'] as object | undefined) ?? {});
    const accepted = known.length === 0 ? 'none is accepted' : `accepted are ${known.join(', ')}`;
    return { pointer: `${instancePath}/${escaped(extra)}`, detail: `is not known here; ${accepted}` };
  }
  const missing: unknown = params['missingProperty'];
  if (keyword === 'required' && typeof missing === 'string')
    return { pointer: `${instancePath}/${escaped(missing)}`, detail: 'is missing' };
  const values: unknown = params['allowedValues'];
  if (keyword === 'enum' && Array.isArray(values)) return { pointer: instancePath, detail: `is not one of ${values.join(', ')}` };
  const type: unknown = params['type'];
  if (keyword === 'type' && typeof type === 'string')
    return { pointer: instancePath, detail: `is not ${typeNames[type] ?? type}` };
  return { pointer: instancePath, detail: message.replace('NOT', 'not') };
}

const escaped = (name: string): string => name.slice(0, 100).replaceAll('~', '~0').replaceAll('/', '~1');

function inWords({ pointer, detail }: FieldProblem, ofBody: boolean): string {
  const name = pointer.slice(1);
  if (name === '') return `${ofBody ? 'the body' : 'the request'} ${detail}`;
  return `${ofBody ? 'the field' : 'the parameter'} ${JSON.stringify(name)} ${detail}`;
}
