import type { AddressInfo } from 'node:net';

import type { Config } from './config.js';
import { bracketed } from './listening.js';

export interface FirstOwner {
  readonly name: string;
  readonly password: string;
  /** Made up here: nobody else knows it. */
  readonly generated: boolean;
}

/** What is printed at a start, for a person: where the registry is, where its data lies, and at the first start how to push to it. */
export function welcome(
  config: Config,
  database: string,
  { address, port }: AddressInfo,
  firstOwner: FirstOwner | undefined,
): string {
  const secure = config.tls !== undefined;
  // Whoever reads this sits at the machine, or was told its address.
  const near = address === '0.0.0.0' || address === '::' ? 'localhost' : bracketed(config.address.host);
  const host = config.publicUrl === undefined ? `${near}:${port}` : new URL(config.publicUrl).host;
  const lines = [
    '',
    `Artifact Store serves on ${bracketed(config.address.host)}:${port} (${config.publicUrl ?? `${secure ? 'https' : 'http'}://${host}`})`,
    `  database  ${database}`,
    `  blobs     ${config.blobs.folder}`,
  ];
  if (firstOwner !== undefined) lines.push('', ...firstSteps(host, firstOwner));
  if (!secure && config.publicUrl?.startsWith('https:') !== true) lines.push('', ...plainHttp(port));
  return `${lines.join('\n')}\n\n`;
}

function firstSteps(host: string, { name, password, generated }: FirstOwner): string[] {
  return [
    'The first owner' + (generated ? ' (this password is not shown again):' : ':'),
    `  user      ${name}`,
    `  password  ${generated ? password : 'as ARTS_FIRST_PASSWORD says'}`,
    '',
    'Push an image:',
    `  docker login ${host} -u ${name}`,
    `  docker tag <image> ${host}/my-project/my-repository/app:latest`,
    `  docker push ${host}/my-project/my-repository/app:latest`,
  ];
}

function plainHttp(port: number): string[] {
  return [
    'This is plain HTTP. docker takes it from localhost as it is; other hosts need',
    `  docker            "insecure-registries": ["<this host>:${port}"] in /etc/docker/daemon.json`,
    '  podman, skopeo    --tls-verify=false   (skopeo copy: --src-tls-verify=false, --dest-tls-verify=false)',
    '  oras, helm        --plain-http',
    'or TLS: ARTS_TLS_CERT and ARTS_TLS_KEY, or a reverse proxy that ends it.',
  ];
}
