import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { Readable } from 'node:stream';

import { errorTable, messageOf, refuse, RefusalError } from '../errors.js';
import type { Actor } from '../events/types.js';
import { parseName } from '../identifiers.js';
import { authenticateByPassword, type Caller, type PasswordDeps } from '../identity/caller.js';
import { parseAuthorization, type Credentials } from '../identity/credentials.js';
import { formatScopes, parseScopes, type ScopedVerb, type TokenAccess } from '../identity/scopes.js';
import type { IssuedToken, TokenIssuer } from '../identity/tokens.js';
import { basicChallenge, publicOriginOf } from './challenge.js';
import { readBody } from './request-body.js';

/**
 * The token endpoint: GET as in distribution's token specification, POST as in its OAuth2 one (RFC 6749). Docker and the libraries use GET; containerd and
 * BuildKit POST first and fall back to GET on 400, 401, 404 and 405.
 */
export interface TokenRouteDeps extends PasswordDeps {
  readonly issuer: TokenIssuer;
  /** What the actor may do on a `<name>` now, whether it is there or not. */
  readonly mayOn: (actor: Actor, name: string) => Promise<readonly ScopedVerb[]>;
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

  const issue = async (request: FastifyRequest, { actor }: Caller, parameters: URLSearchParams): Promise<Granted> => {
    const access = await grant(actor, parseScopes(parameters.getAll('scope')), deps.mayOn);
    const service = publicOriginOf(request.raw, deps.publicUrl).host;
    const auth = actor.kind === 'anonymous' ? 'none' : 'password';
    return { ...deps.issuer.issue({ uid: actor.uid, auth, service, access }), access };
  };

  app.get('/token', async (request, reply) => {
    void reply.header('cache-control', 'no-store');
    const parameters = new URLSearchParams(queryOf(request.url));
    const credentials = parseAuthorization(request.headers.authorization);
    try {
      const caller = await authenticateByPassword(credentials, deps);
      return tokenBody(await issue(request, caller, parameters));
    } catch (error) {
      if (statusOf(error) === 401) challenge(request, reply);
      throw error;
    }
  });

  app.post('/token', async (request, reply) => {
    void reply.header('cache-control', 'no-store');
    try {
      const parameters = await readForm(request);
      const credentials = passwordGrant(parameters, parseAuthorization(request.headers.authorization));
      const caller = await authenticateByPassword(credentials, deps);
      const granted = await issue(request, caller, parameters);
      return { ...tokenBody(granted), token_type: 'Bearer', scope: formatScopes(granted.access) };
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
async function grant(
  actor: Actor,
  asked: readonly TokenAccess[],
  mayOn: TokenRouteDeps['mayOn'],
): Promise<readonly TokenAccess[]> {
  const granted = await Promise.all(
    asked.map(async (access): Promise<TokenAccess> => {
      const { type, name } = access;
      if (type === 'registry') return { type, name, actions: name === 'catalog' && access.actions.includes('*') ? ['*'] : [] };
      const may = 'problem' in parseName(name) ? [] : await mayOn(actor, name);
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

/** Name and password of a POST: the form's, else the header's. */
function passwordGrant(form: URLSearchParams, header: Credentials): Credentials {
  const grantType = single(form, 'grant_type');
  const user = single(form, 'username');
  const password = single(form, 'password');
  if (grantType === undefined && header.kind === 'none') {
    throw new TokenRequestError('invalid_request', 'the parameter grant_type is missing; accepted is grant_type=password');
  }
  if (grantType !== undefined && grantType !== 'password') {
    throw new TokenRequestError('unsupported_grant_type', 'this grant_type is not supported; accepted is grant_type=password');
  }
  if (user !== undefined && password !== undefined) return { kind: 'basic', user, password };
  if (user !== undefined || password !== undefined || header.kind === 'none') {
    throw new TokenRequestError('invalid_request', 'grant_type=password needs the parameters username and password');
  }
  return header;
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
