import { writeFileSync } from 'node:fs';
import { beforeAll, expect, test } from 'vitest';
import { clientOf, digestsOf, parseChallenge, randomImage, RegistryClient, type Image } from '../support/client.js';
import { temporaryFolder } from '../support/processes.js';
import { freePort, startServer, type Server } from '../support/server.js';
import { makeCertificates, type Certificates } from './certificates.js';
import { startDocker, type Docker } from './dockerd.js';
import { startProxy } from './nginx.js';
import { realImage, writeDockerArchive, writeLayout } from './real-images.js';
import { describeClient, type Workplace } from './workplace.js';

interface Proxy {
  readonly certificates: Certificates;
  /** Where it listens. */
  readonly address: string;
  readonly keepsHostPort: number;
  readonly forwardsHostPort: number;
}

async function openProxy(place: Workplace): Promise<Proxy> {
  const { network } = place;
  const address = network?.address ?? '127.0.0.1';
  const certificates = await makeCertificates(place.newFolder('certificates'), address);
  const [keepsHostPort, forwardsHostPort] = [await freePort(), await freePort()];
  const nginx = await startProxy({
    folder: place.folder,
    certificates,
    upstream: place.host,
    address,
    keepsHostPort,
    forwardsHostPort,
    network,
  });
  place.atClose(() => nginx.stop());
  return { certificates, address, keepsHostPort, forwardsHostPort };
}

describeClient('crane through a proxy that ends TLS', ['crane', 'nginx', 'openssl'], (place) => {
  let proxy: Proxy;
  beforeAll(async () => {
    proxy = await openProxy(place);
  });

  for (const kind of ['keepsHostPort', 'forwardsHostPort'] as const) {
    const title = kind === 'keepsHostPort' ? 'the Host header' : 'X-Forwarded-Host';

    test(`the realm is https at the proxy's own address, by ${title}`, async () => {
      const host = `localhost:${proxy[kind]}`;
      const client = new RegistryClient({ url: `https://${host}`, ca: proxy.certificates.authority });
      const answer = (await client.request('GET', '/v2/')).expect(401);
      const { scheme, parameters } = parseChallenge(answer.header('www-authenticate') ?? '');
      expect(scheme).toBe('Bearer');
      expect(new URL(parameters['realm'] ?? '').origin).toBe(`https://${host}`);
    });

    test(`an image is pushed and pulled, with the proxy found by ${title}`, async () => {
      const host = `localhost:${proxy[kind]}`;
      const env = { SSL_CERT_FILE: proxy.certificates.authorityFile };
      const { user, password } = place.server;
      await place.run('crane', ['auth', 'login', host, '-u', user, '-p', password], { env });
      // Large enough to be sent in many parts.
      const image = randomImage({ layers: 2, layerBytes: 12_000_000 });
      const name = `acme/tls/${kind.toLowerCase()}`;
      writeLayout(place.path(kind), [{ tag: '1', of: image }]);
      await place.run('crane', ['push', place.path(kind), `${host}/${name}:1`], { env });
      await place.expectStored(name, '1', image);
      await place.run('crane', ['validate', '--remote', `${host}/${name}:1`], { env });
      await place.run('crane', ['copy', `${host}/${name}:1`, `${host}/${name}-copy:1`], { env });
      expect(await place.lines('crane', ['ls', `${host}/${name}-copy`], { env })).toEqual(['1']);
    });
  }

  test('without the authority the proxy is not trusted', async () => {
    const reference = `localhost:${proxy.keepsHostPort}/acme/tls/untrusted:1`;
    writeFileSync(place.path('none.crt'), '');
    const refused = await place.refused('crane', ['digest', reference], { env: { SSL_CERT_FILE: place.path('none.crt') } });
    expect(refused).not.toContain('MANIFEST_UNKNOWN');
  });

  test('ARTS_PUBLIC_URL decides the realm whatever the headers say', async () => {
    await place.server.restart({ ARTS_PUBLIC_URL: 'https://registry.example.test' });
    const answer = await place.client.request('GET', '/v2/', { auth: 'none', headers: { 'x-forwarded-host': 'elsewhere.test' } });
    const { parameters } = parseChallenge(answer.expect(401).header('www-authenticate') ?? '');
    expect(new URL(parameters['realm'] ?? '').origin).toBe('https://registry.example.test');
    await place.server.restart({ ARTS_PUBLIC_URL: '' });
  });
});

describeClient('crane and the TLS of the registry itself', ['crane', 'openssl'], (place) => {
  let server: Server;
  let certificates: Certificates;
  beforeAll(async () => {
    certificates = await makeCertificates(temporaryFolder('certificates'));
    const { authorityFile: authority, certificateFile: certificate, keyFile: key } = certificates;
    server = await startServer({ tls: { authority, certificate, key } });
    place.atClose(() => server.stop());
  });

  test('an image is pushed and pulled, and the realm is https', async () => {
    const env = { SSL_CERT_FILE: certificates.authorityFile };
    await place.run('crane', ['auth', 'login', server.host, '-u', server.user, '-p', server.password], { env });
    const image = realImage(2);
    writeLayout(place.path('layout'), [{ tag: '1', of: image }]);
    await place.run('crane', ['push', place.path('layout'), `${server.host}/acme/tls/own:1`], { env });
    await place.run('crane', ['validate', '--remote', `${server.host}/acme/tls/own:1`], { env });
    const client = clientOf(server);
    expect(digestsOf(await client.pullImage('acme/tls/own', '1'))).toEqual(digestsOf(image));
    const answer = (await client.as().request('GET', '/v2/')).expect(401);
    expect(parseChallenge(answer.header('www-authenticate') ?? '').parameters['realm']).toMatch(/^https:/);
  });
});

// docker never checks the certificate of a registry on 127.0.0.0/8: it needs a network with another address.
const needed = ['docker', 'dockerd', 'unshare', 'nginx', 'openssl'] as const;
describeClient('docker through a proxy that ends TLS', needed, { needsRoot: true, ownNetwork: true }, (place) => {
  let proxy: Proxy;
  let docker: Docker;
  let image: Image;
  beforeAll(async () => {
    [proxy, docker] = await Promise.all([openProxy(place), startDocker(place)]);
    image = realImage(3, { flavour: 'docker', limit: 200_000 });
    writeDockerArchive(place.path('image.tar'), image, ['local/image:1']);
    await docker.run(['load', '-i', place.path('image.tar')]);
  });

  test('an image is pushed and pulled once its authority is trusted, and not before', async () => {
    const host = `${proxy.address}:${proxy.forwardsHostPort}`;
    const reference = `${host}/acme/tls/docker:1`;
    await docker.run(['tag', 'local/image:1', reference]);
    expect(await docker.refused(['push', reference])).toMatch(/x509|certificate/);
    docker.trust(host, proxy.certificates.authority);
    await docker.login(host);
    await docker.run(['push', reference]);
    const stored = await place.client.pullImage('acme/tls/docker', '1');
    expect(stored.config.digest).toBe(image.config.digest);
    await docker.run(['rmi', reference, 'local/image:1']);
    await docker.run(['pull', reference]);
    expect(await docker.line(['image', 'inspect', '--format', '{{.Id}}', reference])).toBe(image.config.digest);
  });
});
