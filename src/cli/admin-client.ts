import { readFileSync } from 'node:fs';

import { KEY_FILE_USER } from '../identity/key-file.js';

/** Where the server is and who asks; from flags, else from the environment. */
export interface Credentials {
  /** `http(s)://<host>[:<port>]`. */
  readonly server: string;
  readonly user: string;
  readonly password: string;
}

/** What the server, or the way to it, said no with: a line for people. */
export class AdminError extends Error {
  override readonly name = 'AdminError';
}

export interface CredentialFlags {
  readonly server?: string | undefined;
  readonly user?: string | undefined;
  readonly 'password-stdin'?: boolean | undefined;
  readonly 'key-file'?: string | undefined;
}

/** ARTS_SERVER, ARTS_USER, ARTS_PASSWORD and ARTS_KEY_FILE stand for the flags. Throws AdminError where something is missing. */
export function readCredentials(env: NodeJS.ProcessEnv, flags: CredentialFlags): Credentials {
  const server = serverOf(flags.server ?? env['ARTS_SERVER'] ?? 'http://localhost:7111');
  const keyFile = flags['key-file'] ?? (flags.user === undefined ? env['ARTS_KEY_FILE'] : undefined);
  if (keyFile !== undefined && keyFile !== '') return { server, user: KEY_FILE_USER, password: readText(keyFile) };
  const user = flags.user ?? env['ARTS_USER'];
  if (user === undefined || user === '')
    throw new AdminError('who asks? give --user <e-mail>, or --key-file <file> of a service account');
  const password = flags['password-stdin'] === true ? readSecret() : env['ARTS_PASSWORD'];
  if (password === undefined || password === '') {
    throw new AdminError('the password is missing: give it on standard input with --password-stdin, or in ARTS_PASSWORD');
  }
  return { server, user, password };
}

function serverOf(text: string): string {
  const url = URL.canParse(text) && /^https?:/.test(text) ? new URL(text) : undefined;
  const withScheme = url ?? (URL.canParse(`http://${text}`) ? new URL(`http://${text}`) : undefined);
  if (withScheme === undefined || withScheme.pathname !== '/') {
    throw new AdminError(`the server ${JSON.stringify(text)} is not understood; accepted is http(s)://<host>[:<port>]`);
  }
  return withScheme.origin;
}

/** What comes on standard input, without the line break at its end. */
export function readSecret(): string {
  return readText('/dev/stdin').replace(/\r?\n$/, '');
}

function readText(file: string): string {
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    throw new AdminError(`${file} can't be read: ${error instanceof Error ? error.message : String(error)}`);
  }
}

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

  /** The answer's JSON, empty where there is none. Throws AdminError. */
  async ask(method: string, path: string, body?: Fields): Promise<Fields> {
    let answer: Response;
    try {
      answer = await fetch(`${this.server}${path}`, {
        method,
        headers: {
          authorization: this.authorization,
          accept: 'application/json',
          ...(body === undefined ? {} : { 'content-type': 'application/json' }),
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
    } catch (error) {
      const cause = error instanceof Error && error.cause instanceof Error ? error.cause.message : String(error);
      throw new AdminError(`${this.server} does not answer: ${cause}`);
    }
    const text = await answer.text();
    const fields = parse(text);
    if (answer.ok) return fields ?? {};
    throw new AdminError(reasonIn(fields) ?? `${this.server} answers ${answer.status} ${answer.statusText}`);
  }

  /** All pages of a list. */
  async list(path: string, items: string): Promise<readonly Fields[]> {
    const all: Fields[] = [];
    for (let next: string | undefined = path; next !== undefined;) {
      const page = await this.ask('GET', next);
      const some = page[items];
      if (Array.isArray(some)) all.push(...(some as readonly Fields[]));
      next = typeof page['next'] === 'string' ? page['next'] : undefined;
    }
    return all;
  }
}

/** Of a problem by RFC 9457, or of the token endpoint's errors. */
function reasonIn(fields: Fields | undefined): string | undefined {
  const detail = fields?.['detail'] ?? fields?.['error_description'];
  if (typeof detail === 'string') return detail;
  const first: unknown = Array.isArray(fields?.['errors']) ? fields['errors'][0] : undefined;
  return typeof first === 'object' && first !== null && 'message' in first ? String(first.message) : undefined;
}

function parse(text: string): Fields | undefined {
  try {
    const value: unknown = JSON.parse(text);
    return typeof value === 'object' && value !== null ? (value as Fields) : undefined;
  } catch {
    return undefined;
  }
}
