import { execFileSync } from 'node:child_process';
import { readdirSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { digestOf, randomBytesOf, randomImage, type RegistryClient } from '../support/client.js';
import { onFoundationDb } from '../support/database.js';
import { subfolder, temporaryFolder, waitFor } from '../support/processes.js';
import { startServer, type Server } from '../support/server.js';
import { expectError, keepAliveClient, problemWithErrorBody } from './shape.js';

const mounted: string[] = [];

/** A file system of its own of so many bytes; undefined where this process may not mount. */
function smallDisk(bytes: number): string | undefined {
  const folder = subfolder(temporaryFolder('disk'), 'mount');
  try {
    execFileSync('mount', ['-t', 'tmpfs', '-o', `size=${bytes}`, 'tmpfs', folder], { stdio: 'ignore' });
    mounted.push(folder);
    return folder;
  } catch {
    return undefined;
  }
}

afterAll(() => {
  for (const folder of mounted) execFileSync('umount', [folder], { stdio: 'ignore' });
});

const MB = 1024 * 1024;
const blobsDisk = smallDisk(8 * MB);
const databaseDisk = smallDisk(6 * MB);
const name = 'p/r';

const freeBytes = (folder: string) => statfsSync(folder).bavail * statfsSync(folder).bsize;

describe.skipIf(blobsDisk === undefined)('a full disk under the blobs (skipped where nothing can be mounted)', () => {
  const disk = blobsDisk ?? '';
  let server: Server;
  let client: RegistryClient;
  let before = 0;

  beforeAll(async () => {
    server = await startServer({ env: { ARES_CLIENT_ADDRESS: join(disk, 'blobs') } });
    client = keepAliveClient(server);
    await client.pushBlob(name, randomBytesOf('before', 1_000_000));
    before = freeBytes(disk);
  });
  afterAll(async () => {
    client.close();
    await server.remove();
  });

  async function expectNothingLeft(): Promise<void> {
    await waitFor(
      () => Promise.resolve(freeBytes(disk) === before ? true : undefined),
      5_000,
      () => `${before - freeBytes(disk)} bytes were left behind`,
    );
    expect(readdirSync(join(disk, 'blobs', 'uploads'))).toEqual([]);
  }

  const large = randomBytesOf('large', 10 * MB);

  test.each(['PATCH', 'PUT', 'POST'] as const)(
    'a %s that does not fit is 507 of the specification’s shape and leaves nothing behind',
    async (how) => {
      const digest = digestOf(large);
      const headers = { 'content-type': 'application/octet-stream' };
      const path = `/v2/${name}/blobs/uploads/`;
      const upload = how === 'POST' ? new URL(`${path}?digest=${digest}`, server.url) : await client.startUpload(name);
      const target = how === 'PUT' ? `${upload.href}?digest=${digest}` : upload.href;
      const answer = await client.request(how, target, { body: large, headers, auth: 'basic' });
      const message = expectError(answer, 507, 'DENIED');
      expect(message).toContain('disk is full');
      await expectNothingLeft();
      if (how !== 'POST') expectError(await client.request('GET', upload.href), 404, 'BLOB_UPLOAD_UNKNOWN');
      expectError(await client.getBlob(name, digest), 404, 'BLOB_UNKNOWN');
    },
  );

  test('chunks fill the disk until one does not fit, and what is there is pulled all the while', async () => {
    const upload = await client.startUpload(name);
    const statuses: number[] = [];
    for (let index = 0; index < 5; index += 1) {
      const body = randomBytesOf(`chunk ${index}`, 2 * MB);
      const answer = await client.request('PATCH', upload.href, { body });
      statuses.push(answer.status);
      await client.pullBlob(name, digestOf(randomBytesOf('before', 1_000_000)));
      if (answer.status !== 202) {
        expect(problemWithErrorBody(answer.body)).toBeUndefined();
        break;
      }
    }
    expect(statuses).toEqual([202, 202, 202, 507]);
    await expectNothingLeft();
  });

  test('smaller pushes go on', async () => {
    const image = randomImage({ layers: 2 });
    await client.pushImage(name, 'small', image);
    expect((await client.pullImage(name, 'small')).manifest.digest).toBe(image.manifest.digest);
    expect(server.isRunning()).toBe(true);
  });

  test('a small blob on a disk without a byte left is 507, too', async () => {
    const filler = await client.startUpload(name);
    const room = freeBytes(disk);
    (await client.request('PATCH', filler.href, { body: randomBytesOf('filler', room) })).expect(202);
    expect(freeBytes(disk)).toBe(0);
    const small = Buffer.from('does not fit');
    const path = `/v2/${name}/blobs/uploads/?digest=${digestOf(small)}`;
    expectError(await client.request('POST', path, { body: small, auth: 'basic' }), 507, 'DENIED');
    expect(readdirSync(join(disk, 'blobs', 'uploads'))).toHaveLength(1);
    (await client.request('DELETE', filler.href)).expect(204);
    await client.pushBlob(name, small);
  });
});

describe.skipIf(databaseDisk === undefined || onFoundationDb)(
  'a full disk under the database (skipped where nothing can be mounted)',
  () => {
    const disk = databaseDisk ?? '';
    let server: Server;
    let client: RegistryClient;

    beforeAll(async () => {
      server = await startServer({ env: { ARTS_DATABASE: `lmdb:${join(disk, 'db')}` } });
      client = keepAliveClient(server);
    });
    afterAll(async () => {
      client.close();
      await server.remove();
    });

    test('pushes are refused with an error that says so, reads go on, and a restart finds all that was acknowledged', async () => {
      const kept: string[] = [];
      const image = randomImage({ layers: 1 });
      await client.pushImage(name, 'base', image);
      const manifest = JSON.parse(image.manifest.bytes.toString()) as object;
      let refused;
      for (let index = 0; index < 200 && refused === undefined; index += 1) {
        const bytes = Buffer.from(JSON.stringify({ ...manifest, annotations: { padding: `${index}`.padEnd(100_000, 'x') } }));
        const answer = await client.putManifest(name, `t${index}`, bytes, image.manifest.mediaType);
        if (answer.status === 201) kept.push(digestOf(bytes));
        else refused = answer;
      }
      if (refused === undefined) throw new Error('the disk never got full');
      expectError(refused, 507, 'DENIED');
      expect(kept.length).toBeGreaterThan(5);

      const readAll = async () => {
        for (const digest of kept) (await client.getManifest(name, digest)).expect(200);
        (await client.getManifest(name, 'base')).expect(200);
        expect((await client.tags(name)).length).toBe(kept.length + 1);
        await client.pullBlob(name, image.config.digest);
        (await client.request('GET', '/v2/_catalog')).expect(200);
      };
      const told = () => Promise.resolve(server.log().includes('no space left on device ENOSPC') || undefined);
      await waitFor(told, 5_000, () => 'the reason is not in the log');
      await readAll();
      await server.kill();
      await server.restart();
      client.forgetTokens();
      await readAll();
      expectError(await client.deleteManifest(name, digestOf('none')), 404, 'MANIFEST_UNKNOWN');
    });
  },
);
