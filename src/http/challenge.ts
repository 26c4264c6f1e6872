import type { IncomingMessage } from 'node:http';
import type { TLSSocket } from 'node:tls';
import type { FastifyRequest } from 'fastify';

/** Scheme and host under which the client knows this registry. */
export interface PublicOrigin {
  readonly scheme: 'http' | 'https';
  /** With the port, where the client gave one. */
  readonly host: string;
}

/** RFC 6750, section 3.1. */
export type BearerError = 'invalid_token' | 'insufficient_scope';

export interface ChallengeOptions {
  /** Scopes joined by spaces. */
  readonly scope?: string | undefined;
  readonly error?: BearerError | undefined;
}

// A host name or an address in brackets, and a port: nothing that could end the quoted string, the header or the URL that it is put into.
const hostGrammar = /^(?:[A-Za-z0-9](?:[A-Za-z0-9._-]{0,251}[A-Za-z0-9])?|\[[0-9A-Fa-f:.]{2,45}\])(?::\d{1,5})?$/;

/**
 * `publicUrl` decides; without it the proxy's headers do, then the connection and the Host header. What is not a scheme or a host is passed over. Anybody can send these
 * headers, also who is no trusted proxy: it is good for what goes back to that one alone, and for nothing that is held against it.
 */
export function publicOriginOf(request: IncomingMessage, publicUrl: string | undefined): PublicOrigin {
  if (publicUrl !== undefined) {
    const url = new URL(publicUrl);
    return { scheme: url.protocol === 'https:' ? 'https' : 'http', host: url.host };
  }
  const scheme = firstValue(request.headers['x-forwarded-proto'])?.toLowerCase();
  return {
    scheme: scheme === 'http' || scheme === 'https' ? scheme : connectionScheme(request),
    host: validHost(firstValue(request.headers['x-forwarded-host'])) ?? validHost(request.headers.host) ?? ownAddress(request),
  };
}

/**
 * The names that a JWT assertion may have for this registry: its store's uuid, and the token URL, the origin and the host of `publicUrl`; without it, of the host that
 * the request was sent to, which a trusted proxy alone may say in X-Forwarded-Host. By http and https then: who ends TLS is not known.
 */
export function audiencesOf(
  request: Pick<FastifyRequest, 'host' | 'raw'>,
  { publicUrl, issuer }: { readonly publicUrl: string | undefined; readonly issuer: string },
): readonly string[] {
  const host = publicUrl === undefined ? (validHost(request.host) ?? ownAddress(request.raw)) : new URL(publicUrl).host;
  const origins = publicUrl === undefined ? [`https://${host}`, `http://${host}`] : [new URL(publicUrl).origin];
  return [...origins.flatMap((origin) => [`${origin}/token`, origin]), host, issuer];
}

/** The challenge of every 401 under /v2. Distribution's token specification, "How to authenticate"; parameters quoted (RFC 9110, section 11.2). */
export function bearerChallenge({ scheme, host }: PublicOrigin, { scope, error }: ChallengeOptions = {}): string {
  const parameters = [`realm=${quote(`${scheme}://${host}/token`)}`, `service=${quote(host)}`];
  if (scope !== undefined && scope !== '') parameters.push(`scope=${quote(scope)}`);
  if (error !== undefined) parameters.push(`error=${quote(error)}`);
  return `Bearer ${parameters.join(',')}`;
}

/** The challenge of the token endpoint itself. RFC 7617. */
export function basicChallenge({ host }: PublicOrigin): string {
  return `Basic realm=${quote(host)},charset="UTF-8"`;
}

// RFC 9110, section 5.6.4: what a quoted string can't hold even behind a backslash is left out; Node refuses to send it in a header.
function quote(text: string): string {
  return `"${text.replace(/[^\t\x20-\x7e]/g, '').replace(/["\\]/g, '\\$&')}"`;
}

function firstValue(header: string | readonly string[] | undefined): string | undefined {
  const text = typeof header === 'string' ? header : header?.[0];
  return text?.split(',')[0]?.trim();
}

function validHost(text: string | undefined): string | undefined {
  return text !== undefined && hostGrammar.test(text) ? text : undefined;
}

function connectionScheme({ socket }: IncomingMessage): 'http' | 'https' {
  return (socket as Partial<TLSSocket>).encrypted === true ? 'https' : 'http';
}

// HTTP/1.0 has no Host header.
function ownAddress({ socket }: IncomingMessage): string {
  const { localAddress = 'localhost', localPort } = socket;
  const host = localAddress.includes(':') ? `[${localAddress.replace(/%.*$/, '')}]` : localAddress;
  return localPort === undefined ? host : `${host}:${localPort}`;
}
