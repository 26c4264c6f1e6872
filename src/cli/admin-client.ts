import { AdminError } from './complaints.js';
import type { Credentials } from './credentials.js';

export type Fields = Readonly<Record<string, unknown>>;

/** The management API, by its operations' paths. */
export class AdminClient {
  readonly #credentials: Credentials;

  constructor(credentials: Credentials) {
    this.#credentials = credentials;
  }

  get server(): string {
    return this.#credentials.server;
  }

  get authorization(): string {
    const { user, password } = this.#credentials;
    return `Basic ${Buffer.from(`${user}:${password}`).toString('base64')}`;
  }

  /** What the caller logs in with. */
  get password(): string {
    return this.#credentials.password;
  }

  /** The answer's JSON, empty where there is none. Throws AdminError. */
  async ask(method: string, path: string, body?: Fields): Promise<Fields> {
    const { answer, text } = await this.#send(method, path, body);
    const place = answer.headers.get('location');
    // Followed, a POST would become a GET, and the password would go wherever the server says.
    if (answer.status >= 300 && answer.status < 400) {
      const there = place === null ? 'does not say where' : `sends on to ${place}; where that is right, give it as the server`;
      throw new AdminError(`${this.server} answers ${answer.status} and ${there}`);
    }
    const fields = parse(text);
    if (answer.ok && (fields !== undefined || answer.status === 204)) return fields ?? {};
    throw new AdminError(this.#refusalIn(answer, fields, `${method} ${path.replace(/\?.*/, '')}`));
  }

  /** All pages of a list. */
  async list(path: string, items: string, most = Infinity): Promise<readonly Fields[]> {
    const all: Fields[] = [];
    for (let next: string | undefined = path; next !== undefined && all.length < most;) {
      const page = await this.ask('GET', next);
      const some = page[items];
      if (!Array.isArray(some)) throw new AdminError(`${this.server} answers without ${items}: ${notOurs}`);
      all.push(...(some as readonly Fields[]));
      next = typeof page['next'] === 'string' && page['next'].startsWith('/') ? page['next'] : undefined;
    }
    return all.slice(0, most);
  }

  async #send(method: string, path: string, body: Fields | undefined): Promise<{ answer: Response; text: string }> {
    try {
      const answer = await fetch(`${this.server}${path}`, {
        method,
        redirect: 'manual',
        headers: {
          authorization: this.authorization,
          accept: 'application/json',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      return { answer, text: await answer.text() };
    } catch (error) {
      const unknown = method === 'GET' ? '' : '; whether it did what was asked is not known: look before you ask again';
      const { reached, why } = reasonOf(error, this.server);
      throw new AdminError(`${this.server} does not answer: ${why}${reached ? unknown : ''}`);
    }
  }

  #refusalIn({ status, statusText, ok }: Response, fields: Fields | undefined, asked: string): string {
    const { reason, code } = reasonIn(fields);
    const isUnknown = status === 404 && (code === undefined || ['ROUTE_UNKNOWN', 'UNSUPPORTED', 'NOT_FOUND'].includes(code));
    if (ok || isUnknown || reason === undefined) {
      const what = ok ? 'with something that is no JSON' : `${status} ${statusText}`.trim();
      return `${this.server} answers ${what} to ${asked}${ok || isUnknown ? `: ${notOurs}` : ''}`;
    }
    return reason;
  }
}

const notOurs = 'it is no Artifact Store of release 0.4.0 or newer, or something stands before it';

/** Of a problem by RFC 9457, of the token endpoint's errors, or of the distribution specification's. */
function reasonIn(fields: Fields | undefined): { readonly reason?: string; readonly code?: string } {
  const first: unknown = Array.isArray(fields?.['errors']) ? fields['errors'][0] : undefined;
  const oci = typeof first === 'object' && first !== null ? (first as Fields) : {};
  const reason = fields?.['detail'] ?? fields?.['error_description'] ?? oci['message'];
  const code = fields?.['code'] ?? oci['code'];
  return { ...(typeof reason === 'string' ? { reason } : {}), ...(typeof code === 'string' ? { code } : {}) };
}

function parse(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}

const untrusted =
  'its certificate is of no authority that is trusted here; NODE_EXTRA_CA_CERTS=<file> trusts those of a PEM file';

/** By the codes of Node's sockets and of OpenSSL; the connection was not made. */
const reasons: Readonly<Record<string, string>> = {
  ECONNREFUSED: 'nothing listens there (connection refused)',
  ENOTFOUND: 'there is no host of that name',
  EAI_AGAIN: 'its name can not be looked up now',
  EHOSTUNREACH: 'there is no way to it (no route to host)',
  ENETUNREACH: 'there is no way to it (network is unreachable)',
  UND_ERR_CONNECT_TIMEOUT: 'it can not be reached (timeout)',
  ETIMEDOUT: 'it can not be reached (timeout)',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  CERT_NOT_YET_VALID: 'its certificate is not valid yet',
  DEPTH_ZERO_SELF_SIGNED_CERT: untrusted,
  SELF_SIGNED_CERT_IN_CHAIN: untrusted,
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: untrusted,
  UNABLE_TO_GET_ISSUER_CERT: untrusted,
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: untrusted,
  ERR_SSL_WRONG_VERSION_NUMBER: 'it speaks no TLS; where that is meant, write http://',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it speaks no TLS; where that is meant, write http://',
};

/** Why there is no answer, and whether the request may have reached the server nevertheless. */
function reasonOf(error: unknown, server: string): { readonly reached: boolean; readonly why: string } {
  const cause = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  const code = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const known = Object.hasOwn(reasons, code) ? reasons[code] : undefined;
  if (known !== undefined) return { reached: false, why: known };
  const message = cause instanceof Error && cause.message !== '' ? cause.message : String(error);
  if (code === 'ERR_TLS_CERT_ALTNAME_INVALID') return { reached: false, why: `its certificate is another host's: ${message}` };
  // The Fetch standard's list of ports that are other protocols'.
  if (message === 'bad port') return { reached: false, why: `no HTTP is spoken on port ${new URL(server).port}` };
  // What a server that speaks TLS alone does with a request that is none.
  const plain = server.startsWith('http:') && ['UND_ERR_SOCKET', 'ECONNRESET', 'HPE_INVALID_CONSTANT'].includes(code);
  return { reached: true, why: `${message}${plain ? ' (where it speaks TLS, write https://)' : ''}` };
}
