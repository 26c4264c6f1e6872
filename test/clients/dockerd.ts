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
  /** From now on the certificates of this authority are good for a registry's `<host>:<port>`. */
  trust(host: string, authority: string): void;
}

type DockerOptions = RunOptions & { readonly home?: string };

/** A docker daemon of its own in the workplace's network; it needs root and nothing of the machine's /etc/docker. */
export async function startDocker(place: Workplace): Promise<Docker> {
  const dockerd = findTool('dockerd');
  const unshare = findTool('unshare');
  if (dockerd === undefined || unshare === undefined) throw new Error('dockerd or unshare is missing');
  const folder = place.newFolder('dockerd');
  const settings = place.newFolder('etc-docker');
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
    { env: place.environment('dockerd-home'), cwd: folder, through: place.network?.through },
  );
  place.atClose(() => daemon.stop(15_000));
  const docker: Docker = {
    run: (args, given = {}) => place.run('docker', ['-H', socket, ...args], given),
    line: (args, given = {}) => place.line('docker', ['-H', socket, ...args], given),
    refused: (args, given = {}) => place.refused('docker', ['-H', socket, ...args], given),
    login: (host, password = place.server.password) =>
      place.run('docker', ['-H', socket, 'login', '--username', place.server.user, '--password-stdin', host], {
        input: password,
      }),
    trust: (host, authority) => {
      const folder = join(settings, 'certs.d', host);
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'ca.crt'), authority);
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
