import { isIP } from 'node:net';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Where the log and the indexes are: a folder of the embedded store, or a cluster. */
export type DatabaseSetting =
  | { readonly engine: 'lmdb'; readonly folder: string }
  | {
      readonly engine: 'foundationdb';
      /** Undefined: where the client library looks by itself. */
      readonly clusterFile: string | undefined;
      /** The setting that chose it, which an error names. */
      readonly variable: 'ARTS_DATABASE' | 'FDB_CLUSTER_FILE';
      /** PEM files that the client library reads by itself. */
      readonly tlsFiles: readonly { readonly variable: string; readonly file: string }[];
    };

/** What the process was told by its environment; the names and defaults are the contract of README.md, "Settings". */
export interface Config {
  readonly address: { readonly host: string; readonly port: number };
  readonly database: DatabaseSetting;
  /** Of the registry's keys. On FoundationDB a path of the directory layer, its names separated by slashes. */
  readonly directory: string;
  /** Of the platform's keys; as `directory`. */
  readonly metadataDirectory: string;
  /** Folder of the blobs. */
  readonly blobs: { readonly driver: 'local'; readonly folder: string };
  readonly debug: boolean;
  readonly scanOnPush: boolean;
  readonly createOnPush: boolean;
  readonly sparseManifests: boolean;
  readonly firstUser: string | undefined;
  readonly firstPassword: string | undefined;
  /** Scheme and host that clients use, without a slash at the end; overrides what the request's headers say. */
  readonly publicUrl: string | undefined;
  /** Addresses of proxies whose X-Forwarded-For is believed. */
  readonly trustedProxies: readonly string[];
  readonly tls: { readonly certificate: string; readonly key: string } | undefined;
  readonly tokenLifetimeSeconds: number;
  /** A connection without a byte in either direction is closed after so long. */
  readonly idleSeconds: number;
  /** An upload without a received byte expires after so long. */
  readonly uploadIdleSeconds: number;
  /** An upload expires so long after its beginning, whatever it does. */
  readonly uploadTimeoutSeconds: number;
  /** How long running requests may take to end after SIGTERM. */
  readonly drainSeconds: number;
}

/** One line that names the variable, its value and what is accepted. */
export class ConfigError extends Error {
  override readonly name = 'ConfigError';
}

/** A setting that can be read, but that this machine does not grant. `reason` is the error's own where it is one; `accepted` where it does not say that itself. */
export function unusable(name: string, value: string, reason: unknown, accepted?: string): ConfigError {
  const text = reason instanceof Error ? reason.message : String(reason);
  const end = accepted === undefined ? '' : `; accepted: ${accepted}`;
  return new ConfigError(`${name}=${onOneLine(value)} cannot be used: ${onOneLine(text)}${end}`, { cause: reason });
}

type Environment = Readonly<Record<string, string | undefined>>;

// A secret is named in an error, never shown.
const secret = new Set(['ARTS_FIRST_PASSWORD']);

function variable<T>(env: Environment, name: string, fallback: T, accepted: string, parse: (text: string) => T | undefined): T {
  const text = env[name];
  if (text === undefined || text === '') return fallback;
  const value = parse(text);
  if (value !== undefined) return value;
  throw new ConfigError(`${name}=${secret.has(name) ? '(hidden)' : onOneLine(text)} is not understood; accepted: ${accepted}`);
}

// A value read from a file brings its line break along, which nobody would see in the message otherwise.
function onOneLine(text: string): string {
  return text.replace(/[\p{Cc}\u2028\u2029]/gu, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
}

function flag(env: Environment, name: string, fallback: boolean): boolean {
  return variable(env, name, fallback, 'true or false', (text) =>
    /^(?:true|1|yes|on)$/i.test(text) ? true : /^(?:false|0|no|off)$/i.test(text) ? false : undefined,
  );
}

function wholeNumber(env: Environment, name: string, fallback: number, least: number, most: number): number {
  return variable(env, name, fallback, `a whole number from ${least} to ${most}`, (text) => {
    const value = /^\d{1,9}$/.test(text) ? Number(text) : NaN;
    return value >= least && value <= most ? value : undefined;
  });
}

function parseAddress(text: string): { host: string; port: number } | undefined {
  const parts = /^(?:\[([0-9a-fA-F:]+)\]|([^:[\]]*)):(\d{1,5})$/.exec(text);
  const port = Number(parts?.[3]);
  if (parts === null || port > 65_535) return undefined;
  return { host: parts[1] ?? (parts[2] === '' || parts[2] === undefined ? '0.0.0.0' : parts[2]), port };
}

function parseFolder(text: string): string | undefined {
  if (text.startsWith('file:')) {
    try {
      const path = fileURLToPath(text);
      return path === '/' ? undefined : path;
    } catch {
      // No URL, another host's, or an escaped slash in it.
      return undefined;
    }
  }
  return /^[a-z0-9+.-]+:/i.test(text) ? undefined : resolve(text);
}

function parsePublicUrl(text: string): string | undefined {
  if (!URL.canParse(text)) return undefined;
  const url = new URL(text);
  const bare = url.pathname === '/' && url.search === '' && url.hash === '' && url.username === '';
  return /^https?:$/.test(url.protocol) && bare ? url.origin : undefined;
}

const databaseForm =
  'lmdb:<folder>, fdb:<cluster file>, or fdb: for the cluster file of FDB_CLUSTER_FILE or /etc/foundationdb/fdb.cluster';

/**
 * Reads a database as ARTS_DATABASE names one; `name` is the variable, or the flag, that an error names. FDB_CLUSTER_FILE stands for `fdb:` where
 * there is none. Throws ConfigError.
 */
export function readDatabaseSetting(env: Environment, name: string, fallback: DatabaseSetting): DatabaseSetting {
  const file = env['FDB_CLUSTER_FILE'];
  const named = file === undefined || file === '' ? undefined : resolve(file);
  const cluster = (clusterFile: string | undefined, variableOf: 'ARTS_DATABASE' | 'FDB_CLUSTER_FILE'): DatabaseSetting => ({
    engine: 'foundationdb',
    clusterFile,
    variable: variableOf,
    tlsFiles: tlsFilesOf(env),
  });
  const byDefault = named === undefined ? fallback : cluster(named, 'FDB_CLUSTER_FILE');
  return variable(env, name, byDefault, databaseForm, (text) => {
    const [, engine, path = ''] = /^(lmdb|fdb):(.*)$/s.exec(text) ?? [];
    if (path.includes('\0')) return undefined;
    if (engine === 'lmdb') return path === '' ? undefined : { engine, folder: resolve(path) };
    if (engine === undefined) return undefined;
    if (path !== '') return cluster(resolve(path), 'ARTS_DATABASE');
    return named === undefined ? cluster(undefined, 'ARTS_DATABASE') : cluster(named, 'FDB_CLUSTER_FILE');
  });
}

function tlsFilesOf(env: Environment) {
  return ['FDB_TLS_CERTIFICATE_FILE', 'FDB_TLS_KEY_FILE', 'FDB_TLS_CA_FILE'].flatMap((name) => {
    const file = env[name];
    return file === undefined || file === '' ? [] : [{ variable: name, file }];
  });
}

/** Reads the settings of `serve`. Throws `ConfigError`. */
export function readConfig(env: Environment): Config {
  const database = readDatabaseSetting(env, 'ARTS_DATABASE', { engine: 'lmdb', folder: resolve('data') });
  const certificate = variable<string | undefined>(env, 'ARTS_TLS_CERT', undefined, 'a PEM file', (text) => resolve(text));
  const key = variable<string | undefined>(env, 'ARTS_TLS_KEY', undefined, 'a PEM file', (text) => resolve(text));
  if ((certificate === undefined) !== (key === undefined)) {
    throw new ConfigError(
      `${certificate === undefined ? 'ARTS_TLS_CERT' : 'ARTS_TLS_KEY'} is not set; TLS needs both ARTS_TLS_CERT and ARTS_TLS_KEY`,
    );
  }
  return {
    address: variable(
      env,
      'ARTIFACT_STORE_ADDRESS',
      { host: '0.0.0.0', port: 7111 },
      '<host>:<port>, for instance 0.0.0.0:7111',
      parseAddress,
    ),
    database,
    directory: registryDirectory(env, database),
    metadataDirectory: directoryName(env, 'ARTS_METADATA_DIRECTORY', 'topaz', database),
    blobs: {
      driver: 'local',
      folder: variable(env, 'ARES_CLIENT_ADDRESS', resolve('data/blobs'), 'a folder, as a path or a file: URL', parseFolder),
    },
    debug: flag(env, 'DEBUG', false),
    scanOnPush: flag(env, 'ARTS_SCAN_ON_PUSH', true),
    createOnPush: flag(env, 'ARTS_CREATE_ON_PUSH', true),
    sparseManifests: flag(env, 'ARTS_SPARSE_MANIFESTS', false),
    firstUser: variable<string | undefined>(
      env,
      'ARTS_FIRST_USER',
      undefined,
      'a name of 1 to 255 characters without a colon, a space or a control character',
      (text) => (/^[^\s:\p{Cc}]{1,255}$/u.test(text) ? text : undefined),
    ),
    firstPassword: variable<string | undefined>(env, 'ARTS_FIRST_PASSWORD', undefined, '8 to 1024 characters', (text) =>
      text.length >= 8 && text.length <= 1_024 ? text : undefined,
    ),
    publicUrl: variable<string | undefined>(
      env,
      'ARTS_PUBLIC_URL',
      undefined,
      'http(s)://<host>[:<port>] without a path',
      parsePublicUrl,
    ),
    trustedProxies: variable<readonly string[]>(
      env,
      'ARTS_TRUSTED_PROXIES',
      [],
      'IP addresses or <address>/<bits> of at least 1 bit, separated by commas',
      (text) => {
        const list = text.split(',').map((part) => part.trim());
        return list.every(isNetwork) ? list : undefined;
      },
    ),
    tls: certificate !== undefined && key !== undefined ? { certificate, key } : undefined,
    tokenLifetimeSeconds: wholeNumber(env, 'ARTS_TOKEN_LIFETIME_SECS', 300, 60, 86_400),
    idleSeconds: wholeNumber(env, 'ARTS_IDLE_TIMEOUT_SECS', 60, 1, 86_400),
    uploadIdleSeconds: wholeNumber(env, 'ARTS_UPLOAD_IDLE_SECS', 3_600, 1, 31_536_000),
    uploadTimeoutSeconds: wholeNumber(env, 'ARTS_UPLOAD_TIMEOUT_SECS', 86_400, 1, 31_536_000),
    drainSeconds: wholeNumber(env, 'ARTS_DRAIN_SECS', 30, 0, 3_600),
  };
}

/** FDB_DIRECTORY is the same setting by the name that programs beside the server have for it. */
function registryDirectory(env: Environment, database: DatabaseSetting): string {
  const mine = directoryName(env, 'ARTIFACT_STORE_DIRECTORY', undefined, database);
  const other = directoryName(env, 'FDB_DIRECTORY', undefined, database);
  if (mine !== undefined && other !== undefined && mine !== other) {
    throw new ConfigError(
      `FDB_DIRECTORY=${other} is not ARTIFACT_STORE_DIRECTORY=${mine}; both name the directory of the registry's keys: set one of them, or both to the same`,
    );
  }
  return mine ?? other ?? 'registry';
}

function directoryName<T extends string | undefined>(
  env: Environment,
  name: string,
  fallback: T,
  { engine }: DatabaseSetting,
): string | T {
  const one = 'a name of 1 to 64 letters, digits, - _ and .';
  const accepted = engine === 'lmdb' ? one : `${one}, or several such names separated by slashes`;
  return variable<string | T>(env, name, fallback, accepted, (text) => {
    const names = engine === 'lmdb' ? [text] : text.split('/');
    return names.every((part) => /^[\w.-]{1,64}$/.test(part)) ? text : undefined;
  });
}

function isNetwork(text: string): boolean {
  const [address = '', bits, ...more] = text.split('/');
  const family = isIP(address);
  if (family === 0 || more.length > 0) return false;
  // @fastify/proxy-addr takes no network of 0 bits, and whoever trusts everybody trusts what a client writes.
  return bits === undefined || (/^\d{1,3}$/.test(bits) && Number(bits) >= 1 && Number(bits) <= (family === 4 ? 32 : 128));
}
