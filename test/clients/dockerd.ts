import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { startDaemon, waitFor, type Daemon, type RunOptions, type RunResult } from '../support/processes.js';
import { findTool } from './tools.js';
import type { Workplace } from './workplace.js';

export interface Docker {
  run(args: readonly string[], options?: DockerOptions): Promise<RunResult>;
  line(args: readonly string[], options?: DockerOptions): Promise<string>;
  refused(args: readonly string[], options?: DockerOptions): Promise<string>;
  login(host: string, password?: string): Promise<RunResult>;
  stop(): Promise<void>;
}

type DockerOptions = RunOptions & { readonly home?: string };

export interface DockerdOptions {
  /** Certificates of registries' authorities, by the registries' `<host>:<port>`. */
  readonly authorities?: Readonly<Record<string, string>>;
}

/** A docker daemon of its own, which needs root, no network and nothing of the machine's /etc/docker. */
export async function startDocker(place: Workplace, options: DockerdOptions = {}): Promise<Docker> {
  const dockerd = findTool('dockerd');
  const unshare = findTool('unshare');
  if (dockerd === undefined || unshare === undefined) throw new Error('dockerd or unshare is missing');
  const folder = place.newFolder('dockerd');
  const settings = place.newFolder('etc-docker');
  for (const [host, certificate] of Object.entries(options.authorities ?? {})) {
    const authority = join(settings, 'certs.d', host);
    mkdirSync(authority, { recursive: true });
    writeFileSync(join(authority, 'ca.crt'), certificate);
  }
  const socket = `unix://${join(folder, 'sock')}`;
  // dockerd reads /etc/docker, and writes a key there: in a mount name space of its own that is the test's folder.
  const script = 'mkdir -p /etc/docker && mount --bind "$0" /etc/docker && exec "$@"';
  const daemon = await startDaemon(
    unshare,
    [
      '--mount',
      '--',
      '/bin/sh',
      '-c',
      script,
      settings,
      dockerd,
      ...['--data-root', join(folder, 'root'), '--exec-root', join(folder, 'exec'), '--pidfile', join(folder, 'pid')],
      ...['-H', socket, '--iptables=false', '--ip6tables=false', '--bridge=none', '--storage-driver=vfs'],
    ],
    { env: place.environment('dockerd-home'), cwd: folder },
  );
  const docker: Docker = {
    run: (args, given = {}) => place.run('docker', ['-H', socket, ...args], given),
    line: (args, given = {}) => place.line('docker', ['-H', socket, ...args], given),
    refused: (args, given = {}) => place.refused('docker', ['-H', socket, ...args], given),
    login: (host, password = place.server.password) =>
      place.run('docker', ['-H', socket, 'login', '--username', place.server.user, '--password-stdin', host], {
        input: password,
      }),
    stop: async () => {
      await daemon.stop(15_000);
    },
  };
  await waitFor(
    () => answers(place, socket, daemon),
    40_000,
    () => `dockerd does not answer:\n${daemon.log().slice(-3_000)}`,
  );
  return docker;
}

async function answers(place: Workplace, socket: string, daemon: Daemon): Promise<true | undefined> {
  if (!daemon.isRunning()) throw new Error(`dockerd ended:\n${daemon.log().slice(-3_000)}`);
  const { code } = await place.attempt('docker', ['-H', socket, 'version', '--format', '{{.Server.Version}}']);
  return code === 0 ? true : undefined;
}
