import { readFileSync } from 'node:fs';
import { text } from 'node:stream/consumers';

import { KEY_FILE_USER, parseKeyFile } from '../identity/key-file.js';
import { AdminError, Misused } from './complaints.js';

/** Where the server is and who asks; from flags, else from the environment. */
export interface Credentials {
  /** `http(s)://<host>[:<port>]`. */
  readonly server: string;
  readonly user: string;
  readonly password: string;
}

/** None of them is a secret: other users of the machine see command lines. */
export const credentialFlags = {
  server: { type: 'string' },
  user: { type: 'string' },
  'password-stdin': { type: 'boolean' },
  'key-file': { type: 'string' },
} as const;

export interface CredentialValues {
  readonly server?: string | undefined;
  readonly user?: string | undefined;
  readonly 'password-stdin'?: boolean | undefined;
  readonly 'key-file'?: string | undefined;
}

export const credentialUsage = `  --server <url>      the server; else ARTS_SERVER, else http://localhost:7111. Without http:// or https:// it is https, and plain http for
                      localhost, 127.0.0.0/8 and [::1] alone: what is sent by http:// can be read on its way, passwords, too
  --key-file <file>   asks as the service account whose key file that is; else ARTS_KEY_FILE
  --user <e-mail>     asks as that user; else ARTS_USER
  --password-stdin    the user's password comes on standard input, which is the safe way (--password-stdin < password.txt); else it is
                      ARTS_PASSWORD, which whatever the shell starts can read. No flag takes a password: everybody on the machine could see it
`;

/** Throws Misused where something is missing, AdminError where a key file can't be used. */
export async function readCredentials(env: NodeJS.ProcessEnv, flags: CredentialValues): Promise<Credentials> {
  const { user: userFlag, 'key-file': keyFileFlag, 'password-stdin': fromInput = false } = flags;
  if (keyFileFlag !== undefined && (userFlag !== undefined || fromInput)) {
    throw new Misused(`--key-file and ${userFlag === undefined ? '--password-stdin' : '--user'} exclude each other`);
  }
  const server = parseServer(flags.server ?? env['ARTS_SERVER'] ?? 'http://localhost:7111');
  // A password on standard input is a user's.
  const keyFile = keyFileFlag ?? (userFlag === undefined && !fromInput ? env['ARTS_KEY_FILE'] : undefined);
  if (keyFile !== undefined && keyFile !== '') return { server, user: KEY_FILE_USER, password: readKeyFile(keyFile) };
  const user = userFlag ?? env['ARTS_USER'];
  if (user === undefined || user === '') {
    throw new Misused('who asks? give --user <e-mail> or ARTS_USER; for a service account --key-file <file> or ARTS_KEY_FILE');
  }
  const password = fromInput ? await readSecret() : env['ARTS_PASSWORD'];
  if (password === undefined || password === '') {
    throw new Misused(`the password of ${user} is missing: give it on standard input with --password-stdin, or in ARTS_PASSWORD`);
  }
  return { server, user, password };
}

/** The server's origin. As docker has it, only this machine is asked without TLS when nothing is said. Throws Misused. */
export function parseServer(text: string): string {
  const url = parseUrl(/^https?:\/\//i.test(text) ? text : `https://${text}`);
  if (url === undefined || `${url.pathname}${url.search}${url.hash}${url.username}${url.password}` !== '/') {
    throw new Misused(`the server ${JSON.stringify(text)} is not understood; accepted is [http(s)://]<host>[:<port>]`);
  }
  if (/^https?:\/\//i.test(text) || !isThisMachine(url.hostname)) return url.origin;
  // Read anew: 443 is the port of https that a URL leaves out, and 80 that of http.
  return new URL(`http://${text}`).origin;
}

function parseUrl(text: string): URL | undefined {
  return URL.canParse(text) ? new URL(text) : undefined;
}

/** Whether a URL's host is this machine by its name or address. */
export function isThisMachine(hostname: string): boolean {
  return hostname === 'localhost' || hostname === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(hostname);
}

/** What comes on standard input, without the line break at its end. */
export async function readSecret(): Promise<string> {
  return (await text(process.stdin)).replace(/\r?\n$/, '');
}

function readKeyFile(file: string): string {
  let content: string;
  try {
    content = readFileSync(file, 'utf8');
  } catch (error) {
    throw new AdminError(`the key file ${file} can't be read: ${error instanceof Error ? error.message : String(error)}`);
  }
  const parsed = parseKeyFile(content);
  // Whatever else it is, it is not to be sent to anybody.
  if ('problem' in parsed) throw new AdminError(`${file} is no key file: ${parsed.problem}`);
  return content;
}
