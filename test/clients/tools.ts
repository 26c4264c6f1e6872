import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, join } from 'node:path';

/** Every program that the suite drives, and how it is had where it is missing. */
export const tools = {
  docker: 'apt-get install docker.io',
  dockerd: 'apt-get install docker.io',
  unshare: 'apt-get install util-linux',
  containerd: 'apt-get install containerd',
  ctr: 'apt-get install containerd',
  podman: 'apt-get install podman',
  buildah: 'apt-get install buildah',
  skopeo: 'apt-get install skopeo',
  crane: 'go install github.com/google/go-containerregistry/cmd/crane@latest',
  regctl: 'go install github.com/regclient/regclient/cmd/regctl@latest',
  oras: 'oras.land/oras/cmd/oras v1.3.2, built from a module of your own: see test/clients/README.md',
  helm: 'go install helm.sh/helm/v3/cmd/helm@latest',
  cosign: 'go install github.com/sigstore/cosign/v3/cmd/cosign@v3.1.3',
  nginx: 'apt-get install nginx-light',
  openssl: 'apt-get install openssl',
  chromium: 'apt-get install chromium',
} as const;

export type Tool = keyof typeof tools;

// A daemon's folder is often not on the path of an ordinary user.
const folders = [
  ...(process.env['ARTS_TEST_TOOLS'] ?? '').split(delimiter),
  ...(process.env['PATH'] ?? '').split(delimiter),
  '/usr/sbin',
  '/sbin',
].filter((folder) => folder !== '');

export function findTool(tool: Tool): string | undefined {
  return folders.map((folder) => join(folder, tool)).find(isProgram);
}

function isProgram(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
