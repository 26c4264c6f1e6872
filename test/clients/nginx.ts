import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { startDaemon, subfolder, waitFor, type Daemon } from '../support/processes.js';
import type { Certificates } from './certificates.js';
import { findTool } from './tools.js';

export interface ProxyOptions {
  readonly folder: string;
  readonly certificates: Certificates;
  /** `<host>:<port>` of the registry. */
  readonly upstream: string;
  /** The addresses to listen on. */
  readonly addresses: readonly string[];
  /** Forwards the Host header, and sets no X-Forwarded-Host. */
  readonly keepsHostPort: number;
  /** Sends the registry's own address as Host, and what the client wrote as X-Forwarded-Host. */
  readonly forwardsHostPort: number;
}

/** nginx, which ends TLS in front of a registry. */
export async function startProxy(options: ProxyOptions): Promise<Daemon> {
  const nginx = findTool('nginx');
  if (nginx === undefined) throw new Error('nginx is missing');
  const folder = subfolder(options.folder, 'nginx');
  const site = (port: number, headers: string): string => `
  server {
    ${options.addresses.map((address) => `listen ${address}:${port} ssl;`).join(' ')}
    ssl_certificate ${options.certificates.certificateFile};
    ssl_certificate_key ${options.certificates.keyFile};
    client_max_body_size 0;
    location / {
      proxy_pass http://${options.upstream};
      proxy_http_version 1.1;
      proxy_set_header Connection "";
      proxy_set_header X-Forwarded-Proto https;
      proxy_set_header X-Forwarded-For $remote_addr;
      ${headers}
      proxy_request_buffering off;
      proxy_buffering off;
    }
  }`;
  const temporary = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((name) => `${name}_temp_path ${folder}/${name};`);
  writeFileSync(
    `${folder}/nginx.conf`,
    `daemon off; worker_processes 1; pid ${folder}/pid; error_log ${folder}/error.log warn;
${process.getuid?.() === 0 ? 'user root;' : ''}
events { worker_connections 256; }
http {
  access_log off;
  ${temporary.join('\n  ')}
  ${site(options.keepsHostPort, 'proxy_set_header Host $http_host;')}
  ${site(options.forwardsHostPort, 'proxy_set_header Host $proxy_host; proxy_set_header X-Forwarded-Host $http_host;')}
}
`,
  );
  const daemon = await startDaemon(nginx, ['-c', `${folder}/nginx.conf`, '-e', `${folder}/error.log`], { cwd: folder });
  await waitFor(
    () => (daemon.isRunning() ? listens(options.forwardsHostPort) : Promise.reject(new Error(`nginx ended:\n${daemon.log()}`))),
    10_000,
    () => `nginx does not listen:\n${daemon.log()}`,
  );
  return daemon;
}

function listens(port: number): Promise<true | undefined> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => {
      socket.destroy();
      resolve(true);
    });
    socket.once('error', () => resolve(undefined));
  });
}
