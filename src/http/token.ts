import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Readable } from 'node:stream';

import { errorTable, messageOf, refuse, RefusalError } from '../errors.js';
import type { Actor } from '../events/types.js';
import { parseName } from '../identifiers.js';
import type { Granting } from '../identity/live-identity.js';
import { verifyAssertion } from '../identity/assertions.js';
import { authenticateByPassword, keyHolder, type Caller, type PasswordDeps } from '../identity/caller.js';
import { parseAuthorization, type Credentials } from '../identity/credentials.js';
import { formatScopes, parseScopes, type TokenAccess } from '../identity/scopes.js';
import { refreshedCaller, type RefreshDeps } from '../identity/refresh.js';
import type { IssuedToken, TokenHolder, TokenIssuer, TokenVerifier } from '../identity/tokens.js';
import { audiencesOf, basicChallenge, publicOriginOf } from './challenge.js';
import { readBody } from './request-body.js';

/**
 * The token endpoint: GET as in distribution's token specification, POST as in its OAuth2 one (RFC 6749). Docker and the libraries use GET; containerd and
 * BuildKit POST first and fall back to GET on 400, 401, 404 and 405.
 */
export interface TokenRouteDeps extends PasswordDeps, RefreshDeps, Granting {
  readonly issuer: TokenIssuer;
  readonly tokens: TokenVerifier;
  /** ARTS_PUBLIC_URL. */
  readonly publicUrl: string | undefined;
}

const BODY_LIMIT = 65_536;

// RFC 6749, section 5.2.
type OAuthErrorCode = 'invalid_request' | 'invalid_client' | 'invalid_grant' | 'unsupported_grant_type';

interface Granted extends IssuedToken {
  readonly access: readonly TokenAccess[];
}

/** A POST that is no token request. */
class TokenRequestError extends RefusalError {
  constructor(
    readonly oauth: OAuthErrorCode,
    reason: string,
  ) {
    super(refuse('REQUEST_INVALID', { reason }));
  }
}

/** Needs an app whose content type parsers pass the raw stream through. Parameters that say nothing here (account, client_id, ...) are ignored. */
export function registerTokenRoutes(app: FastifyInstance, deps: TokenRouteDeps): void {
  const challenge = (request: FastifyRequest, reply: FastifyReply): void => {
    void reply.header('www-authenticate', basicChallenge(publicOriginOf(request.raw, deps.publicUrl)));
  };

  const issue = async (caller: Caller, parameters: URLSearchParams): Promise<Granted> => {
    const { actor, until } = caller;
    const access = await grant(actor, parseScopes(parameters.getAll('scope')), deps.mayOn);
    return { ...deps.issuer.issue({ ...holderOf(caller), access, until }), access };
  };

  /** A refresh token, for who asked for one and showed credentials. */
  const refreshTokenFor = (caller: Caller): string | undefined => {
    const holder = holderOf(caller);
    // Of the password that was shown, not of the one that is there by now: it would outlive the change.
    const state = holder.auth === 'key' ? '' : caller.credentialState?.();
    return state === undefined ? undefined : deps.issuer.issueRefresh({ ...holder, state, until: caller.until });
  };

  app.get('/token', async (request, reply) => {
    void reply.header('cache-control', 'no-store');
    const parameters = new URLSearchParams(queryOf(request.url));
    const credentials = parseAuthorization(request.headers.authorization);
    try {
      const caller = await authenticateByPassword(credentials, request.ip, deps);
      return tokenBody(await issue(caller, parameters));
    } catch (error) {
      if (statusOf(error) === 401) challenge(request, reply);
      throw error;
    }
  });

  app.post('/token', async (request, reply) => {
    void reply.header('cache-control', 'no-store');
    try {
      const parameters = await readForm(request);
      const { caller, refreshToken: given } = await callerOf(request, parameters, deps);
      const granted = await issue(caller, parameters);
      const offline = single(parameters, 'access_type') === 'offline';
      // A client that shows one gets it back, and throws no password away for it.
      const refreshToken = given ?? (offline ? refreshTokenFor(caller) : undefined);
      return {
        ...tokenBody(granted),
        token_type: 'Bearer',
        scope: formatScopes(granted.access),
        ...(refreshToken === undefined ? {} : { refresh_token: refreshToken }),
      };
    } catch (error) {
      const oauth = oauthErrorOf(error);
      if (oauth === undefined || !(error instanceof RefusalError)) throw error;
      const status = errorTable[error.refusal.refused].status;
      if (status === 401) challenge(request, reply);
      return reply.status(status).send(oauthErrorBody(oauth, error));
    }
  });
}

/** The subset of what was asked for that holds now. */
async function grant(actor: Actor, asked: readonly TokenAccess[], mayOn: Granting['mayOn']): Promise<readonly TokenAccess[]> {
  const granted = await Promise.all(
    asked.map(async (access): Promise<TokenAccess> => {
      const { type, name } = access;
      if (type === 'registry') return { type, name, actions: name === 'catalog' && access.actions.includes('*') ? ['*'] : [] };
      const parsed = parseName(name);
      const may = 'problem' in parsed ? [] : await mayOn(actor, parsed);
      return { type, name, actions: may.filter((verb) => access.actions.includes(verb) || access.actions.includes('*')) };
    }),
  );
  return granted.filter(({ actions }) => actions.length > 0);
}

// Clients read one or the other of the two names, and take 60 s for granted where expires_in is missing.
function tokenBody({ token, expiresInSeconds, issuedAt }: IssuedToken): object {
  return {
    token,
    access_token: token,
    expires_in: expiresInSeconds,
    issued_at: new Date(issuedAt * 1_000).toISOString(),
  };
}

const JWT_BEARER = 'urn:ietf:params:oauth:grant-type:jwt-bearer';

interface Authenticated {
  readonly caller: Caller;
  /** The one that was shown. */
  readonly refreshToken?: string;
}

/** Who a POST comes from, by one of the grants. RFC 6749, sections 4.3 and 6; RFC 7523, section 2.1. */
async function callerOf(request: FastifyRequest, form: URLSearchParams, deps: TokenRouteDeps): Promise<Authenticated> {
  const header = parseAuthorization(request.headers.authorization);
  const grantType = single(form, 'grant_type');
  switch (grantType) {
    case undefined:
    case 'password':
      return { caller: await authenticateByPassword(passwordGrant(form, header), request.ip, deps) };
    case 'refresh_token':
      return refreshGrant(required(form, 'refresh_token', grantType), deps);
    case JWT_BEARER:
      return { caller: await assertionGrant(request, required(form, 'assertion', grantType), deps) };
    default:
      throw new TokenRequestError(
        'unsupported_grant_type',
        `this grant_type is not supported; accepted are password, refresh_token and ${JWT_BEARER}`,
      );
  }
}

/** Name and password of a POST: the form's, else the header's. */
function passwordGrant(form: URLSearchParams, header: Credentials): Credentials {
  const user = single(form, 'username');
  const password = single(form, 'password');
  if (single(form, 'grant_type') === undefined && header.kind === 'none') {
    throw new TokenRequestError('invalid_request', 'the parameter grant_type is missing; accepted is grant_type=password');
  }
  if (user !== undefined && password !== undefined) return { kind: 'basic', user, password };
  if (user !== undefined || password !== undefined || header.kind === 'none') {
    throw new TokenRequestError('invalid_request', 'grant_type=password needs the parameters username and password');
  }
  return header;
}

async function refreshGrant(refreshToken: string, deps: TokenRouteDeps): Promise<Authenticated> {
  const claims = await deps.tokens.verifyRefresh(refreshToken);
  const caller = claims && (await refreshedCaller(claims, deps));
  if (caller === undefined) throw new TokenRequestError('invalid_grant', 'the refresh token is good no more; log in again');
  return { caller, refreshToken };
}

async function assertionGrant(request: FastifyRequest, assertion: string, deps: TokenRouteDeps): Promise<Caller> {
  const { findKey, publicUrl, issuer } = deps;
  const audiences = audiencesOf(request, { publicUrl, issuer: issuer.name });
  const found = await verifyAssertion(assertion, audiences, { findKey, now: Date.now });
  if (found === 'unknown')
    throw new TokenRequestError('invalid_grant', 'the assertion is not signed by a key of the account that it names');
  if ('malformed' in found) throw new TokenRequestError('invalid_grant', found.malformed);
  return keyHolder(found);
}

function required(form: URLSearchParams, name: string, grantType: string): string {
  const value = single(form, name);
  if (value !== undefined && value !== '') return value;
  throw new TokenRequestError('invalid_request', `grant_type=${grantType} needs the parameter ${name}`);
}

/** Who a token is for. */
function holderOf({ actor: { kind, uid, key } }: Caller): TokenHolder {
  if (kind === 'service-account') return { uid, auth: 'key', key };
  return { uid, auth: kind === 'anonymous' ? 'none' : 'password' };
}

// RFC 6749, section 3.2: a parameter is there once at most. Those that this server ignores may repeat, and scopes do.
function single(form: URLSearchParams, name: string): string | undefined {
  const [value, ...more] = form.getAll(name);
  if (more.length > 0) throw new TokenRequestError('invalid_request', `the parameter ${name} is given more than once`);
  return value;
}

function queryOf(url: string): string {
  const mark = url.indexOf('?');
  return mark < 0 ? '' : url.slice(mark + 1);
}

async function readForm(request: FastifyRequest): Promise<URLSearchParams> {
  const mediaType = request.headers['content-type']?.split(';')[0]?.trim().toLowerCase();
  if (mediaType !== 'application/x-www-form-urlencoded') {
    throw new TokenRequestError('invalid_request', 'the body has to be application/x-www-form-urlencoded');
  }
  const body: unknown = request.body;
  if (!(body instanceof Readable)) return new URLSearchParams();
  const tooLarge = () => refuse('REQUEST_INVALID', { reason: `the body has more than ${BODY_LIMIT} bytes` });
  const bytes = await readBody(body, BODY_LIMIT, tooLarge);
  return new URLSearchParams(bytes.toString());
}

function statusOf(error: unknown): number | undefined {
  return error instanceof RefusalError ? errorTable[error.refusal.refused].status : undefined;
}

// `undefined`: not for this shape; the registry's own answers it (429 with its Retry-After, faults).
function oauthErrorOf(error: unknown): OAuthErrorCode | undefined {
  if (error instanceof TokenRequestError) return error.oauth;
  if (!(error instanceof RefusalError)) return undefined;
  switch (error.refusal.refused) {
    case 'CREDENTIALS_WRONG':
    case 'KEY_FILE_INVALID':
      return 'invalid_grant';
    case 'UNAUTHORIZED':
      return 'invalid_client';
    case 'REQUEST_INVALID':
    case 'BODY_TRUNCATED':
      return 'invalid_request';
    default:
      return undefined;
  }
}

// OAuth2's members for its clients, the registry's beside them: docker cannot read a 400 without `errors`. A wrong password is 401, as at Docker's own
// token server, and not RFC 6749's 400: every client takes it for what it is, and those that fall back to GET do so on either.
function oauthErrorBody(oauth: OAuthErrorCode, { refusal }: RefusalError): object {
  const message = messageOf(refusal);
  return {
    error: oauth,
    error_description: message,
    errors: [{ code: errorTable[refusal.refused].oci, message, detail: refusal.details }],
  };
}
