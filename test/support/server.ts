import { readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { RegistryClient } from './client.js';
import { serverDatabase } from './database.js';
import type { Network } from './network.js';
import { freePort } from './ports.js';
import { startDaemon, temporaryFolder, waitFor, type Daemon, type Outcome } from './processes.js';

const built = fileURLToPath(new URL('../../dist/main.js', import.meta.url));

export interface ServerOptions {
  /** Settings besides the ones that a test server always has; an empty string unsets one. */
  readonly env?: Readonly<Record<string, string>>;
  /** Data of an earlier server. */
  readonly directory?: string;
  /** Files with a certificate for 127.0.0.1 and its key: the server then speaks TLS. */
  readonly tls?: { readonly certificate: string; readonly key: string; readonly authority: string };
  /** Where it runs instead of the machine's own network. */
  readonly network?: Network | undefined;
  readonly readyWithinMs?: number;
  /** Another release's main.js than that in dist/. */
  readonly program?: string;
}

export { freePort } from './ports.js';

/** The settings that a server's command line needs to find its store. */
export function storeSettings(
  directory: string,
): Readonly<Record<string, string>> & Readonly<Record<'ARTS_DATABASE' | 'ARES_CLIENT_ADDRESS', string>> {
  return { ...serverDatabase(directory), ARES_CLIENT_ADDRESS: join(directory, 'blobs') };
}

/** The built registry as a process of its own, with a temporary folder and a free port. It ends with the test's process at the latest. */
export interface Server {
  /** `http://127.0.0.1:<port>`, or https where the options have `tls`. */
  readonly url: string;
  /** The authority to trust, PEM, where the options have `tls`. */
  readonly ca: string | undefined;
  /** What leads to it from here, where the options have `network`. */
  readonly socketPath?: string | undefined;
  /** `127.0.0.1:<port>`, what stands before the first slash of an image's reference. */
  readonly host: string;
  readonly port: number;
  readonly directory: string;
  readonly user: string;
  readonly password: string;
  /** What it was started with; its store's are among them. */
  readonly settings: Readonly<Record<string, string>>;
  /** Of the process that runs now, or ran last. */
  readonly pid: number;
  isRunning(): boolean;
  /** What the server printed since the first start. */
  log(): string;
  /** SIGTERM, and waits for the end. The data stay. */
  stop(): Promise<Outcome>;
  /** SIGKILL, and waits for the end. The data stay. */
  kill(): Promise<Outcome>;
  /** The same port and data again, after `stop` or `kill` or of a server that still runs; `env` is added to the settings. */
  restart(env?: Readonly<Record<string, string>>): Promise<void>;
  /** Stops it and removes its data. */
  remove(): Promise<void>;
}

export async function startServer(options: ServerOptions = {}): Promise<Server> {
  const directory = options.directory ?? temporaryFolder('server');
  const port = await freePort();
  const host = `127.0.0.1:${port}`;
  const { tls, network } = options;
  const url = `${tls === undefined ? 'http' : 'https'}://${host}`;
  const ca = tls === undefined ? undefined : readFileSync(tls.authority, 'utf8');
  const socketPath = await network?.openDoor(port);
  const user = 'owner@example.test';
  const password = 'correct horse battery staple';
  const logFile = join(directory, `server-${port}.log`);
  let settings: Record<string, string> = {
    ARTIFACT_STORE_ADDRESS: host,
    ...storeSettings(directory),
    ARTS_FIRST_USER: user,
    ARTS_FIRST_PASSWORD: password,
    ...(tls === undefined ? {} : { ARTS_TLS_CERT: tls.certificate, ARTS_TLS_KEY: tls.key }),
    ...options.env,
  };

  const start = async (): Promise<Daemon> => {
    const started = await startDaemon(process.execPath, [options.program ?? built, 'serve'], {
      env: { ...inheritedEnvironment(), ...settings },
      cwd: directory,
      logFile,
      through: network?.through,
    });
    await ready(started, new RegistryClient({ url, ca, socketPath }), options.readyWithinMs ?? 30_000);
    return started;
  };

  let daemon = await start();
  const stop = (): Promise<Outcome> => daemon.stop();
  return {
    url,
    ca,
    socketPath,
    host,
    port,
    directory,
    user,
    password,
    get settings() {
      return settings;
    },
    get pid() {
      return daemon.pid;
    },
    isRunning: () => daemon.isRunning(),
    log: () => daemon.log(),
    stop,
    kill: () => {
      daemon.signal('SIGKILL');
      return daemon.ended;
    },
    restart: async (env = {}) => {
      if (daemon.isRunning()) await stop();
      settings = { ...settings, ...env };
      daemon = await start();
    },
    remove: async () => {
      await stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}

/** The test's environment without the settings of a registry that may run on this machine. */
function inheritedEnvironment(): NodeJS.ProcessEnv {
  return Object.fromEntries(
    Object.entries(process.env).filter(([name]) => !/^(?:ARTS_|ARES_|ARTIFACT_STORE_|FDB_|DEBUG$|NODE_|VITEST)/.test(name)),
  );
}

async function ready(daemon: Daemon, client: RegistryClient, withinMs: number): Promise<void> {
  const probe = async (): Promise<true | undefined> => {
    if (!daemon.isRunning()) throw new Error(`the server ended before it was ready:\n${tail(daemon.log())}`);
    try {
      const { status } = await client.request('GET', '/readyz', { timeoutMs: 5_000 });
      return status === 200 ? true : undefined;
    } catch {
      return undefined;
    }
  };
  try {
    await waitFor(probe, withinMs, () => `the server is not ready:\n${tail(daemon.log())}`);
  } catch (error) {
    daemon.signal('SIGKILL');
    await daemon.ended;
    throw error;
  }
}

function tail(log: string): string {
  return log.split('\n').slice(-40).join('\n');
}
