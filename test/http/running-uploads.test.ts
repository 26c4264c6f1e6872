import fc from 'fast-check';
import { expect, test } from 'vitest';

import { RunningUploads } from '../../src/http/running-uploads.js';
import type { Uid } from '../../src/identifiers.js';

const server = '01900000-0000-7000-8000-000000000000' as Uid;
const turn = () => new Promise((resolve) => setImmediate(resolve));

test('an upload that nobody writes to is claimed at once', async () => {
  const uploads = new RunningUploads(server);
  const one = await uploads.claim('a');
  const other = await uploads.claim('b');
  expect([one.signal.aborted, other.signal.aborted]).toEqual([false, false]);
  one.release();
  expect((await uploads.claim('a')).signal.aborted).toBe(false);
});

test('a newer request aborts the older one and waits for its end', async () => {
  const uploads = new RunningUploads(server);
  const older = await uploads.claim('a');
  let claimed = false;
  const newer = uploads.claim('a').then((claim) => {
    claimed = true;
    return claim;
  });
  await turn();
  expect([older.signal.aborted, older.lost.aborted, claimed]).toEqual([true, false, false]);
  older.release();
  expect((await newer).signal.aborted).toBe(false);
});

test('releasing twice, or late, takes nothing from the newer request', async () => {
  const uploads = new RunningUploads(server);
  const older = await uploads.claim('a');
  older.release();
  const newer = await uploads.claim('a');
  older.release();
  const next = uploads.claim('a');
  await turn();
  expect(newer.signal.aborted).toBe(true);
  newer.release();
  await next;
});

test('of any number of requests for an upload one at a time holds it, and every one gets it in the end', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.integer({ min: 0, max: 3 }), { minLength: 1, maxLength: 12 }), async (delays) => {
      const uploads = new RunningUploads(server);
      let holding = 0;
      let served = 0;
      await Promise.all(
        delays.map(async (delay) => {
          for (let index = 0; index < delay; index += 1) await turn();
          const claim = await uploads.claim('a');
          holding += 1;
          expect(holding).toBe(1);
          await turn();
          holding -= 1;
          served += 1;
          claim.release();
        }),
      );
      expect(served).toBe(delays.length);
    }),
    { numRuns: 40 },
  );
});

test('a request is told that another server has its upload', async () => {
  const claim = await new RunningUploads(server).claim('a');
  claim.lose();
  expect([claim.signal.aborted, claim.lost.aborted]).toEqual([true, true]);
});
