import { writeFileSync } from 'node:fs';
import { connects, type Network } from '../support/network.js';
import { startDaemon, subfolder, waitFor, type Daemon } from '../support/processes.js';
import type { Certificates } from './certificates.js';
import { findTool } from './tools.js';

export interface ProxyOptions {
  readonly folder: string;
  readonly certificates: Certificates;
  /** `<host>:<port>` of the registry. */
  readonly upstream: string;
  /** The address to listen on. */
  readonly address: string;
  /** Forwards the Host header, and sets no X-Forwarded-Host. */
  readonly keepsHostPort: number;
  /** Sends the registry's own address as Host, and what the client wrote as X-Forwarded-Host. */
  readonly forwardsHostPort: number;
  /** Where it runs instead of the machine's own network. */
  readonly network?: Network | undefined;
}

/** nginx, which ends TLS in front of a registry. */
export async function startProxy(options: ProxyOptions): Promise<Daemon> {
  const nginx = findTool('nginx');
  if (nginx === undefined) throw new Error('nginx is missing');
  const folder = subfolder(options.folder, 'nginx');
  const site = (port: number, headers: string): string => `
  server {
    listen ${options.address}:${port} ssl;
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
  server { listen unix:${folder}/sock; return 204; }
}
`,
  );
  const daemon = await startDaemon(nginx, ['-c', `${folder}/nginx.conf`, '-e', `${folder}/error.log`], {
    cwd: folder,
    through: options.network?.through,
  });
  // A unix socket is reached from every network. nginx listens everywhere before it answers anywhere.
  await waitFor(
    () => (daemon.isRunning() ? connects(`${folder}/sock`) : Promise.reject(new Error(`nginx ended:\n${daemon.log()}`))),
    10_000,
    () => `nginx does not listen:\n${daemon.log()}`,
  );
  return daemon;
}
