import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { clientOf, digestsOf, type Image, type RegistryClient } from '../support/client.js';
import { networkRefusal, openNetwork, type Network } from '../support/network.js';
import { run, subfolder, temporaryFolder, type RunOptions, type RunResult } from '../support/processes.js';
import { startServer, type Server, type ServerOptions } from '../support/server.js';
import { findTool, tools, type Tool } from './tools.js';

export interface SuiteOptions extends Omit<ServerOptions, 'network'> {
  readonly needsRoot?: boolean;
  /** The registry and all clients run in a network of their own, where not every address is 127.0.0.1. */
  readonly ownNetwork?: boolean;
}

/**
 * A client's tests, with a registry and a home of their own. Where the client is missing they are skipped, and one line says how
 * to get it.
 */
export function describeClient(title: string, needed: readonly Tool[], body: (place: Workplace) => void): void;
export function describeClient(
  title: string,
  needed: readonly Tool[],
  options: SuiteOptions,
  body: (place: Workplace) => void,
): void;
export function describeClient(
  title: string,
  needed: readonly Tool[],
  second: SuiteOptions | ((place: Workplace) => void),
  third?: (place: Workplace) => void,
): void {
  const [options, body] = typeof second === 'function' ? [{}, second] : [second, third];
  const missing = needed.filter((tool) => findTool(tool) === undefined);
  const reasons = missing.map((tool) => `${tool} is not on the PATH nor in ARTS_TEST_TOOLS; to get it: ${tools[tool]}`);
  if (options.needsRoot === true && process.getuid?.() !== 0) reasons.push('it has to run as root');
  const refusal = options.ownNetwork === true && reasons.length === 0 ? networkRefusal() : undefined;
  if (refusal !== undefined) reasons.push(refusal);
  if (reasons.length > 0) {
    const reason = reasons.join('; ');
    console.warn(`SKIPPED ${title}: ${reason}`);
    test.skip(`${title}: ${reason}`, () => undefined);
    return;
  }
  describe(title, () => {
    const place = new Workplace();
    beforeAll(() => place.open(options));
    afterAll(() => place.close());
    body?.(place);
  });
}

/** Now, as `<tag>.at.<time>` says it, with nothing else of the test in the same few milliseconds. */
export async function moment(): Promise<string> {
  await new Promise((resolve) => setTimeout(resolve, 5));
  const now = new Date().toISOString().replaceAll(':', '-');
  await new Promise((resolve) => setTimeout(resolve, 5));
  return now;
}

/** Where a client works: a running registry, and folders instead of the user's home. */
export class Workplace {
  #opened: { readonly server: Server; readonly client: RegistryClient } | undefined;
  #folder: string | undefined;
  #network: Network | undefined;
  readonly #endings: (() => Promise<unknown>)[] = [];

  async open(options: SuiteOptions): Promise<void> {
    this.#folder = temporaryFolder('workplace');
    if (options.ownNetwork === true) this.#network = await openNetwork();
    const server = await startServer({ ...options, network: this.#network });
    this.#opened = { server, client: clientOf(server) };
  }

  async close(): Promise<void> {
    for (const end of this.#endings.reverse()) await end();
    await this.#opened?.server.stop();
    await this.#network?.close();
  }

  /** Something else that has to end with the suite, before the registry does. */
  atClose(end: () => Promise<unknown>): void {
    this.#endings.push(end);
  }

  get server(): Server {
    return this.#open.server;
  }

  /** The tests' own client, which says what is stored whatever the client under test believes. */
  get client(): RegistryClient {
    return this.#open.client;
  }

  get host(): string {
    return this.server.host;
  }

  /** The network of a suite with `ownNetwork`. */
  get network(): Network | undefined {
    return this.#network;
  }

  get folder(): string {
    if (this.#folder === undefined) throw new Error('the workplace is not open yet');
    return this.#folder;
  }

  get #open(): { readonly server: Server; readonly client: RegistryClient } {
    if (this.#opened === undefined) throw new Error('the workplace is not open yet');
    return this.#opened;
  }

  path(...parts: readonly string[]): string {
    return join(this.folder, ...parts);
  }

  newFolder(name: string): string {
    return subfolder(this.folder, name);
  }

  /** `<host>/<name>` */
  reference(nameWithTag: string): string {
    return `${this.host}/${nameWithTag}`;
  }

  /** Nothing of the user's: every client finds its settings and keeps its caches in a folder of the test. */
  environment(home = 'home'): Record<string, string> {
    const folder = (name: string): string => subfolder(this.folder, join(home, name));
    const containers = folder('containers');
    const settings = writeContainersSettings(containers);
    writeFileSync(join(folder('.config/containers'), 'policy.json'), '{"default":[{"type":"insecureAcceptAnything"}]}');
    return {
      PATH: process.env['PATH'] ?? '/usr/bin:/bin',
      LC_ALL: 'C',
      HOME: folder('.'),
      TMPDIR: folder('tmp'),
      XDG_CONFIG_HOME: folder('config'),
      XDG_CACHE_HOME: folder('cache'),
      XDG_DATA_HOME: folder('data'),
      XDG_RUNTIME_DIR: folder('run'),
      DOCKER_CONFIG: folder('docker'),
      REGISTRY_AUTH_FILE: join(containers, 'auth.json'),
      ...settings,
      REGCTL_CONFIG: join(folder('regctl'), 'config.json'),
      COSIGN_PASSWORD: 'the password of a test key',
    };
  }

  /** Runs a client to its end, however that is. */
  attempt(tool: Tool, args: readonly string[], options: RunOptions & { readonly home?: string } = {}): Promise<RunResult> {
    const path = findTool(tool);
    if (path === undefined) throw new Error(`${tool} is missing`);
    const { home, env, ...rest } = options;
    return run(path, args, {
      cwd: this.folder,
      through: this.#network?.through,
      ...rest,
      env: { ...this.environment(home), ...env },
    });
  }

  /** Runs a client that has to succeed. */
  async run(tool: Tool, args: readonly string[], options: RunOptions & { readonly home?: string } = {}): Promise<RunResult> {
    const result = await this.attempt(tool, args, options);
    if (result.code === 0) return result;
    throw new Error(
      `${result.command}\nended with ${result.code ?? result.signal}\n${result.output}\n--- the registry's log\n${this.server.log().slice(-3_000)}`,
    );
  }

  /** Runs a client that has to fail, and to say it within 20 seconds; gives what it printed. */
  async refused(tool: Tool, args: readonly string[], options: RunOptions & { readonly home?: string } = {}): Promise<string> {
    const result = await this.attempt(tool, args, { timeoutMs: 20_000, ...options });
    if (result.code !== 0) return result.output;
    throw new Error(`${result.command}\nsucceeded, and should not\n${result.output}`);
  }

  /** The first line, trimmed, of a command that has to succeed. */
  async line(tool: Tool, args: readonly string[], options: RunOptions & { readonly home?: string } = {}): Promise<string> {
    return (await this.lines(tool, args, options))[0] ?? '';
  }

  async lines(
    tool: Tool,
    args: readonly string[],
    options: RunOptions & { readonly home?: string } = {},
  ): Promise<readonly string[]> {
    const { stdout } = await this.run(tool, args, options);
    return stdout
      .toString()
      .split('\n')
      .map((line) => line.trim())
      .filter((line) => line !== '');
  }

  /** The registry has exactly these bytes under this name: manifest, config and layers. */
  async expectStored(name: string, reference: string, image: Image): Promise<void> {
    expect(digestsOf(await this.client.pullImage(name, reference))).toEqual(digestsOf(image));
  }
}

/** podman, buildah and skopeo keep nothing outside of `folder`. */
function writeContainersSettings(folder: string): Record<string, string> {
  const write = (name: string, lines: readonly string[]): string => {
    const file = join(folder, name);
    writeFileSync(file, `${lines.join('\n')}\n`);
    return file;
  };
  const at = (name: string): string => JSON.stringify(join(folder, name));
  return {
    CONTAINERS_STORAGE_CONF: write('storage.conf', [
      '[storage]',
      'driver = "vfs"',
      `graphroot = ${at('graph')}`,
      `runroot = ${at('run')}`,
    ]),
    CONTAINERS_CONF: write('containers.conf', [
      '[engine]',
      'events_logger = "none"',
      'cgroup_manager = "cgroupfs"',
      `static_dir = ${at('libpod')}`,
      `tmp_dir = ${at('tmp')}`,
      `volume_path = ${at('volumes')}`,
    ]),
    CONTAINERS_REGISTRIES_CONF: write('registries.conf', ['unqualified-search-registries = []', 'short-name-mode = "disabled"']),
  };
}
