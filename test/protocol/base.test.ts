import { request } from 'node:http';
import { afterAll, describe, expect, test } from 'vitest';

import { type Answer, digestOf, parseChallenge, randomImage } from '../support/client.js';
import { startServer } from '../support/server.js';
import { expectError, freshName, keepAliveClient } from './shape.js';

const server = await startServer();
const client = keepAliveClient(server);
const nobody = client.as();
afterAll(async () => {
  client.close();
  nobody.close();
  await server.remove();
});

/** The token's claims replaced, its signature kept. */
function forged(token: string): string {
  const [head = '', , signature = ''] = token.split('.');
  return [head, Buffer.from('{"sub":"somebody"}').toString('base64url'), signature].join('.');
}

describe('end-1: /v2/', () => {
  test.each(['/v2/', '/v2'])('%s answers 200 to whoever has credentials', async (path) => {
    for (const auth of ['basic', 'bearer'] as const) {
      const answer = (await client.request('GET', path, { auth })).expect(200);
      expect(answer.header('docker-distribution-api-version')).toBe('registry/2.0');
      expect(answer.header('content-type')).toBe('application/json');
      expect(answer.header('content-length')).toBe(String(answer.body.length));
      expect(answer.json()).toEqual({});
    }
  });

  test('answers 401 with a quoted Bearer challenge to whoever has none', async () => {
    const answer = await client.request('GET', '/v2/', { auth: 'none' });
    expectError(answer, 401, 'UNAUTHORIZED');
    expect(answer.header('www-authenticate')).toBe(`Bearer realm="${server.url}/token",service="${server.host}"`);
  });

  test('answers 200 to a token of nobody, which is how docker pulls without a login', async () => {
    (await nobody.request('GET', '/v2/', { auth: { token: await nobody.token([]) } })).expect(200);
  });

  test('takes empty Basic credentials for nobody', async () => {
    for (const encoded of ['Og==', '']) {
      const answer = await client.request('GET', '/v2/', { auth: 'none', headers: { authorization: `Basic ${encoded}` } });
      expectError(answer, 401, 'UNAUTHORIZED');
    }
  });

  test('answers 401 to a wrong password, a wrong user and a header that is neither Basic nor Bearer', async () => {
    for (const [user, password] of [
      [server.user, 'wrong'],
      ['nobody@example.test', server.password],
    ]) {
      const wrong = client.as(user, password);
      expectError(await wrong.request('GET', '/v2/', { auth: 'basic' }), 401, 'UNAUTHORIZED');
      wrong.close();
    }
    for (const authorization of ['Digest a=b', 'Basic %%%', 'Basic QQ==', 'Basic', '\u00ff']) {
      expectError(await client.request('GET', '/v2/', { auth: 'none', headers: { authorization } }), 401, 'UNAUTHORIZED');
    }
  });

  test.each(['/token', '/healthz', '/readyz'])('answers 405 with Allow to a DELETE of %s', async (path) => {
    const answer = await client.request('DELETE', path, { auth: 'none' });
    expectError(answer, 405, 'UNSUPPORTED');
    expect(answer.header('allow')).toMatch(/^GET, HEAD/);
  });

  test('answers 405 with Allow where there is no such method', async () => {
    for (const method of ['POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS', 'PROPFIND']) {
      const answer = await client.request(method, '/v2/');
      expectError(answer, 405, 'UNSUPPORTED');
      expect(answer.header('allow')).toBe('GET, HEAD');
    }
  });
});

describe('challenges', () => {
  const challengeOf = (answer: Answer) => parseChallenge(answer.header('www-authenticate') ?? '');

  test('a pull, a push and a deletion by nobody are challenged with the scope that each needs', async () => {
    const digest = digestOf('x');
    for (const [method, path, scope] of [
      ['GET', '/v2/p/r/manifests/latest', 'repository:p/r:pull'],
      ['HEAD', `/v2/p/r/blobs/${digest}`, 'repository:p/r:pull'],
      ['GET', '/v2/p/r/a/b/tags/list', 'repository:p/r/a/b:pull'],
      ['GET', `/v2/p/r/referrers/${digest}`, 'repository:p/r:pull'],
      ['POST', '/v2/p/r/blobs/uploads/', 'repository:p/r:pull,push'],
      ['PUT', '/v2/p/r/manifests/latest', 'repository:p/r:pull,push'],
      ['GET', `/v2/p/r/blobs/uploads/01a20172-33de-71c8-adbf-307f4dd8932b`, 'repository:p/r:pull,push'],
      ['DELETE', `/v2/p/r/blobs/uploads/01a20172-33de-71c8-adbf-307f4dd8932b`, 'repository:p/r:pull,push'],
      ['DELETE', '/v2/p/r/manifests/latest', 'repository:p/r:delete'],
      ['DELETE', `/v2/p/r/blobs/${digest}`, 'repository:p/r:delete'],
      ['GET', '/v2/_catalog', 'registry:catalog:*'],
    ] as const) {
      const answer = await nobody.request(method, path, { auth: 'none' });
      if (method === 'HEAD') expect(answer.status).toBe(401);
      else expectError(answer, 401, 'UNAUTHORIZED');
      const { scheme, parameters } = challengeOf(answer);
      expect({ scheme, scope: parameters['scope'], error: parameters['error'] }, `${method} ${path}`).toEqual({
        scheme: 'Bearer',
        scope,
        error: undefined,
      });
      expect(answer.header('www-authenticate')).toMatch(/^Bearer (?:[a-z]+="[^"]*",?)+$/);
    }
  });

  test('a token without the scope is 401 insufficient_scope with the scope needed', async () => {
    const name = freshName();
    await client.pushBlob(name, Buffer.from('a'));
    const token = await client.token([`repository:${name}:pull`]);
    (await client.request('GET', `/v2/${name}/tags/list`, { auth: { token } })).expect(200);
    const answer = await client.request('POST', `/v2/${name}/blobs/uploads/`, { auth: { token } });
    expectError(answer, 401, 'UNAUTHORIZED');
    expect(challengeOf(answer).parameters).toMatchObject({ error: 'insufficient_scope', scope: `repository:${name}:pull,push` });
    const other = await client.request('GET', `/v2/${freshName()}/tags/list`, { auth: { token } });
    expect(challengeOf(other).parameters['error']).toBe('insufficient_scope');
  });

  test('a token of nobody that is not enough is 401 insufficient_scope', async () => {
    const token = await nobody.token(['repository:p/r:pull']);
    const answer = await nobody.request('GET', '/v2/p/r/tags/list', { auth: { token } });
    expectError(answer, 401, 'UNAUTHORIZED');
    expect(challengeOf(answer).parameters['error']).toBe('insufficient_scope');
  });

  test('a token that is none, or that was tampered with, is 401 invalid_token, also at /v2/', async () => {
    const good = await client.token([]);
    for (const token of ['x', '', 'a.b.c', forged(good), `${good}x`, good.slice(0, -2)]) {
      for (const path of ['/v2/', '/v2/p/r/tags/list']) {
        const answer = await client.request('GET', path, { auth: 'none', headers: { authorization: `Bearer ${token}` } });
        expectError(answer, 401, 'UNAUTHORIZED');
        expect(challengeOf(answer).parameters['error'], `token ${token.slice(0, 20)}`).toBe('invalid_token');
      }
    }
  });

  test('Basic credentials work everywhere under /v2', async () => {
    const name = freshName();
    const image = randomImage({ layers: 1 });
    for (const { digest, bytes } of [image.config, ...image.layers]) {
      const path = `/v2/${name}/blobs/uploads/?digest=${digest}`;
      (await client.request('POST', path, { auth: 'basic', body: bytes })).expect(201);
    }
    const put = { auth: 'basic', body: image.manifest.bytes, headers: { 'content-type': image.manifest.mediaType } } as const;
    (await client.request('PUT', `/v2/${name}/manifests/t`, put)).expect(201);
    (await client.request('GET', `/v2/${name}/manifests/t`, { auth: 'basic' })).expect(200);
    (await client.request('GET', '/v2/_catalog', { auth: 'basic' })).expect(200);
    (await client.request('DELETE', `/v2/${name}/manifests/t`, { auth: 'basic' })).expect(202);
  });

  test("behind a proxy the realm's scheme and host are those of X-Forwarded-Proto and -Host", async () => {
    const headers = { 'x-forwarded-proto': 'https', 'x-forwarded-host': 'registry.example.test' };
    const answer = await client.request('GET', '/v2/', { auth: 'none', headers });
    expect(challengeOf(answer).parameters).toEqual({
      realm: 'https://registry.example.test/token',
      service: 'registry.example.test',
    });
  });

  test('a forwarded host that is none is passed over', async () => {
    const headers = { 'x-forwarded-proto': 'gopher', 'x-forwarded-host': 'evil"/,host' };
    const answer = await client.request('GET', '/v2/', { auth: 'none', headers });
    expect(challengeOf(answer).parameters['realm']).toBe(`${server.url}/token`);
  });

  test('the Host header is what the client knows the registry by', async () => {
    const answer = await client.request('GET', '/v2/', { auth: 'none', headers: { host: 'other.example.test:8080' } });
    expect(challengeOf(answer).parameters['realm']).toBe('http://other.example.test:8080/token');
  });
});

describe('names', () => {
  test('a name of one part is 404 NAME_UNKNOWN with the form', async () => {
    for (const [method, path] of [
      ['GET', '/v2/app/manifests/latest'],
      ['PUT', '/v2/app/manifests/latest'],
      ['POST', '/v2/app/blobs/uploads/'],
      ['GET', '/v2/app/tags/list'],
      ['GET', `/v2/app/blobs/${digestOf('x')}`],
    ] as const) {
      const message = expectError(await client.request(method, path, { scopes: [] }), 404, 'NAME_UNKNOWN');
      expect(message).toContain('<project>/<repository>[/<image>...]');
    }
  });

  test('a name of 200 characters is accepted, one of 201 is 404 NAME_UNKNOWN with both numbers, since docker repeats a 400', async () => {
    const longest = `p/${'r'.repeat(198)}`;
    await client.startUpload(longest);
    const message = expectError(
      await client.request('POST', `/v2/${longest}r/blobs/uploads/`, { scopes: [] }),
      404,
      'NAME_UNKNOWN',
    );
    expect(message).toContain('201');
    expect(message).toContain('200');
  });

  test.each(['P/r', 'p/R', 'p//r', 'p/r_', 'p/-r', 'p/r..s', 'p/r___s', 'p/r%20s', 'p/r%2Fs', 'p/é'])(
    '%s is 400 NAME_INVALID',
    async (name) => {
      expectError(await client.request('GET', `/v2/${name}/tags/list`, { scopes: [] }), 400, 'NAME_INVALID');
    },
  );

  test.each(['a/b__c', 'a/b.c', 'a/b---c', 'a.b/c_d', '0/1'])('%s is a name', async (name) => {
    await client.startUpload(name);
  });

  test('p/r and p/r/r are two images of one repository', async () => {
    const name = freshName();
    const [, repository = ''] = name.split('/');
    const nested = `${name}/${repository}`;
    const [one, other] = [randomImage({ layers: 1 }), randomImage({ layers: 1 })];
    await client.pushImage(name, 'latest', one);
    await client.pushImage(nested, 'latest', other);
    expect((await client.headManifest(name, 'latest')).header('docker-content-digest')).toBe(one.manifest.digest);
    expect((await client.headManifest(nested, 'latest')).header('docker-content-digest')).toBe(other.manifest.digest);
    expectError(await client.getManifest(nested, one.manifest.digest), 404, 'MANIFEST_UNKNOWN');
    (await client.deleteManifest(nested, 'latest')).expect(202);
    (await client.getManifest(name, 'latest')).expect(200);
  });

  test.each(['tags', 'manifests', 'blobs', 'uploads', 'referrers', 'list', 'v2'])('an image may be called %s', async (word) => {
    const name = `${freshName()}/${word}`;
    const image = randomImage({ layers: 1 });
    await client.pushImage(name, 'list', image);
    (await client.getManifest(name, 'list')).expect(200);
    expect(await client.tags(name)).toEqual(['list']);
    (await client.getBlob(name, image.config.digest)).expect(200);
  });
});

describe('what is not served', () => {
  test('is 404 of the specification’s shape', async () => {
    for (const path of [
      '/',
      '/v1/',
      '/v2/p/r',
      '/v2/p/r/tags',
      '/v2/p/r/tags/list/',
      '/v2/_catalog/',
      '/v2x',
      '/v2//',
      '/api/none',
    ]) {
      expectError(await client.request('GET', path, { auth: 'basic' }), 404, 'UNSUPPORTED');
    }
  });

  test('a path that is no URL is 400 of the specification’s shape', async () => {
    expectError(await client.request('GET', '/v2/p/r/manifests/%zz', { auth: 'basic' }), 400, 'UNSUPPORTED');
  });

  test('a request target in absolute form is understood, as RFC 9112 says it must be', async () => {
    const status = await new Promise((resolve, reject) => {
      const sent = request({
        host: '127.0.0.1',
        port: server.port,
        path: `${server.url}/v2/`,
        headers: { authorization: client.basic() },
      });
      sent.on('error', reject).on('response', (response) => resolve(response.resume().statusCode));
      sent.end();
    });
    expect(status).toBe(200);
  });
});
