import { Ajv, type ErrorObject } from 'ajv';
import formats from 'ajv-formats';
import type { FastifyError, FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';

import { refuse, reject, RefusalError } from '../../errors.js';
import { authenticate, authenticateKnown, type AuthenticationDeps, type Caller } from '../../identity/caller.js';
import { sendJson } from '../answers.js';
import type { RegistryServices } from '../exchange.js';
import { problemOf, problemType } from '../problem.js';
import { invalid } from './parameters.js';
import { namesTag, refuseIdempotencyKey } from './conditions.js';
import { describe } from './description.js';
import { digestOperations } from './digests.js';
import { DOCUMENT, registerDescription } from './docs-page.js';
import { historyOperations } from './history.js';
import { memberOperations } from './members.js';
import { organizationOperations } from './organizations.js';
import { pastOperations } from './past.js';
import { projectOperations } from './projects.js';
import { repositoryOperations } from './repositories.js';
import type { Operation } from './route.js';
import { serviceAccountOperations } from './service-accounts.js';
import { tagOperations } from './tags.js';
import { upkeepOperations } from './upkeep.js';
import { userOperations } from './users.js';
import { bodyProblems, parameterProblem, wrongField } from './wording.js';

const BASE = '/api/v1';
const BODY_LIMIT = 64 * 1024;
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
    ...tagOperations,
    ...historyOperations,
    ...pastOperations,
    ...upkeepOperations,
  ];
}

/** The methods that are served at a path below /api/v1, as it was sent. */
export type MethodsAt = (path: string) => readonly string[];

/** The management API's routes, and their description. */
export function registerManagement(
  app: FastifyInstance,
  services: RegistryServices,
  authentication: AuthenticationDeps,
): MethodsAt {
  const operations = allOperations(authentication);
  const description = describe(operations);
  void app.register((api, _options, done) => {
    api.decorateRequest('caller');
    acceptJson(api);
    validate(api);
    api.addHook('onRequest', async (request, reply) => {
      reply.header('cache-control', 'no-store');
      const header = request.headers.authorization;
      request.caller =
        authenticateKnown(header, authentication.tokens) ?? (await authenticate(header, request.ip, authentication));
      request.told.actor = request.caller.actor.uid ?? request.caller.actor.kind;
    });
    api.addHook('preValidation', (request, _reply, next) => {
      refuseTwice(targetOf(request).query);
      request.query = typedQuery(request.query as Texts, request.routeOptions.schema?.querystring);
      next();
    });
    for (const one of operations) register(api, one, services);
    done();
  });
  registerDescription(app, description);
  const patterns = [...operations, { method: 'GET', path: DOCUMENT.slice(BASE.length) } as const].map(({ method, path }) => ({
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
      if (method === 'POST' && one.creates !== true) refuseIdempotencyKey(request);
      const answer = await run({
        exchange,
        params: request.params as Readonly<Record<string, string>>,
        query: request.query as Readonly<Record<string, unknown>>,
        body: request.body,
        path: sent,
      });
      if (answer.sent !== undefined) return answer.sent;
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

type Texts = Readonly<Record<string, string>>;

/** What stands in a URL is text: a number there is its decimal digits, yes and no are `true` and `false`. What is neither stays text, which the schema refuses. */
function typedQuery(query: Texts, schema: unknown): Readonly<Record<string, unknown>> {
  const { properties = {} } = schema as { readonly properties?: Readonly<Record<string, { readonly type?: string }>> };
  const typed = (name: string, text: string): unknown => {
    const type = Object.hasOwn(properties, name) ? properties[name]?.type : undefined;
    if (type === 'integer' && /^\d{1,15}$/.test(text)) return Number(text);
    return type === 'boolean' && (text === 'true' || text === 'false') ? text === 'true' : text;
  };
  return Object.fromEntries(Object.entries(query).map(([name, text]) => [name, typed(name, text)]));
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
  const ajv = new Ajv({ allErrors: true, verbose: true, strict: false });
  formats.default(ajv);
  api.setValidatorCompiler(({ schema }) => ajv.compile(schema as object));
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
    const errors = error.validation as readonly ErrorObject[];
    const ofBody = error.validationContext === 'body' ? bodyProblems(errors) : undefined;
    const refusal =
      ofBody === undefined
        ? refuse('REQUEST_INVALID', { reason: parameterProblem(errors) })
        : refuse('BODY_INVALID', { reason: ofBody.reason });
    const problem = problemOf(refusal);
    request.told.error = problem.code;
    return sendJson(reply, problem.status, ofBody === undefined ? problem : { ...problem, errors: ofBody.fields }, problemType);
  });
}
