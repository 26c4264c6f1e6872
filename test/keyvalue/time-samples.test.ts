import * as fc from 'fast-check';
import { readFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';

import { createKeyspace, directoryPrefix } from '../../src/keyvalue/keyspace.js';
import {
  decodeTimeSample,
  encodeTimeSample,
  FURTHEST_MICROS,
  timeAfter,
  versionAt,
  type TimeSample,
} from '../../src/keyvalue/time-samples.js';

const keyspace = createKeyspace(directoryPrefix('registry'));
const SECOND = 1_000_000n;

/** As a commit of this version would have written it. */
function sampleAt(version: bigint, clock: bigint, before: TimeSample | { readonly floor: bigint }): TimeSample {
  return decodeTimeSample({ key: keyspace.timeSample(1, version), value: encodeTimeSample(clock, before) });
}

const bigints = (min: bigint, max: bigint): fc.Arbitrary<bigint> => fc.bigInt({ min, max });
const clocks = bigints(0n, 4_000_000_000_000_000n);
// Of seconds; of a recovery; of a sampler that was away for days.
const gaps = fc.oneof(
  bigints(1n, 20n * SECOND),
  bigints(100n * SECOND, 110n * SECOND),
  bigints(1n, 500_000n * SECOND),
  bigints(1n, 20n),
);

/** The samples of an incarnation: clocks near each other, and wherever they like. */
const chains = fc
  .record({
    first: bigints(0n, 1_000_000_000_000n),
    clock: clocks,
    floor: clocks,
    steps: fc.array(fc.record({ gap: gaps, skew: fc.oneof(bigints(-20n * SECOND, 20n * SECOND), clocks) }), { maxLength: 12 }),
  })
  .map(({ first, clock, floor, steps }) => {
    const chain = [sampleAt(first, clock, { floor })];
    for (const { gap, skew } of steps) {
      const before = chain.at(-1) ?? expect.fail();
      const now = before.time - before.ahead + gap + skew;
      chain.push(sampleAt(before.version + gap, now < 0n ? 0n : now, before));
    }
    return chain;
  });

/** What it is by the law: the last sample at or before the version tells it, the first what was before. */
function timeIn(chain: readonly TimeSample[], version: bigint): bigint {
  const sample = chain.findLast((one) => one.version <= version) ?? chain[0] ?? expect.fail();
  return timeAfter(sample, version);
}

describe('the time of versions', () => {
  test('never goes back, whatever the clocks and the versions did', () => {
    fc.assert(
      fc.property(chains, fc.array(gaps, { maxLength: 30 }), (chain, more) => {
        const edges = chain.flatMap(({ version }) => [version - 1n, version, version + 1n, version + FURTHEST_MICROS]);
        let at = (chain[0]?.version ?? 0n) - 100n;
        const walked = more.map((gap) => (at += gap));
        const versions = [...edges, ...walked].filter((version) => version >= 0n).sort((a, b) => (a < b ? -1 : a > b ? 1 : 0));
        const times = versions.map((version) => timeIn(chain, version));
        for (const [index, time] of times.entries()) expect(time >= (times[index - 1] ?? 0n)).toBe(true);
      }),
    );
  });

  test('is never before the clock that was written down, nor before the floor of the incarnation', () => {
    fc.assert(
      fc.property(chains, bigints(0n, 2_000_000_000_000n), (chain, version) => {
        for (const { version: of, time, ahead } of chain) {
          expect(timeIn(chain, of)).toBe(time);
          expect(ahead >= 0n).toBe(true);
        }
        expect(timeIn(chain, version) >= (chain[0]?.floor ?? expect.fail())).toBe(true);
      }),
    );
  });

  test('is at most 15 s ahead after a leap of a hundred seconds, runs at no less than half the rate, and catches up', () => {
    let sample = sampleAt(0n, 1_000n * SECOND, { floor: 0n });
    expect(timeAfter(sample, 100n * SECOND)).toBe(1_015n * SECOND);
    let version = 100n * SECOND;
    let clock = 1_000n * SECOND;
    let most = 0n;
    for (let round = 0; round < 6; round += 1) {
      const before = sample;
      sample = sampleAt(version, clock, before);
      most = sample.ahead > most ? sample.ahead : most;
      const [first, later] = [timeAfter(sample, version), timeAfter(sample, version + 10n * SECOND)];
      expect(later - first >= 5n * SECOND && later - first <= 10n * SECOND).toBe(true);
      version += 10n * SECOND;
      clock += 10n * SECOND;
    }
    expect(most).toBe(15n * SECOND);
    expect(sample.ahead).toBe(0n);
    // What is a little ahead is caught up, and no more than that.
    const ahead = sampleAt(version, clock - 2n * SECOND, sample);
    expect(timeAfter(ahead, version + 10n * SECOND) - clock).toBe(8n * SECOND);
    expect(timeAfter(ahead, version + 14n * SECOND) - clock).toBe(12n * SECOND);
  });

  test('stands still where nobody writes samples, and goes on from the next', () => {
    const sample = sampleAt(0n, SECOND, { floor: 0n });
    expect(timeAfter(sample, 3_600n * SECOND)).toBe(16n * SECOND);
    expect(sampleAt(3_600n * SECOND, 3_601n * SECOND, sample).time).toBe(3_601n * SECOND);
    expect(sampleAt(3_600n * SECOND, 2n * SECOND, sample)).toMatchObject({ time: 16n * SECOND, ahead: 14n * SECOND });
  });
});

describe('the last version of a time', () => {
  const samples = fc.record({
    version: bigints(0n, 1_000_000n * SECOND),
    time: clocks,
    ahead: fc.oneof(bigints(0n, 30n * SECOND), bigints(0n, 20n)),
  });

  test('is the last one that has a time at or before it', () => {
    const nearby = fc.oneof(bigints(-SECOND, 16n * SECOND), bigints(-20n, 20n), bigints(15n * SECOND - 20n, 15n * SECOND + 20n));
    fc.assert(
      fc.property(samples, nearby, clocks, fc.boolean(), (sample, passed, floor, isFirst) => {
        const first = { ...sample, floor: floor < sample.time ? floor : sample.time };
        const asked = isFirst ? first : sample;
        const moment = sample.time + passed;
        const version = versionAt(asked, moment);
        if (version === 'all') expect(timeAfter(asked, 2n ** 63n) <= moment).toBe(true);
        else if (version === 'none') expect(isFirst ? timeAfter(asked, 0n) > moment : moment < sample.time).toBe(true);
        else {
          expect(timeAfter(asked, version) <= moment).toBe(true);
          expect(timeAfter(asked, version + 1n) > moment).toBe(true);
        }
      }),
      { numRuns: 1_000 },
    );
  });

  test('before the first sample is counted back from it, to the floor', () => {
    const first = sampleAt(1_000n, 5_000_000n, { floor: 4_999_500n });
    expect(timeAfter(first, 900n)).toBe(4_999_900n);
    expect(timeAfter(first, 0n)).toBe(4_999_500n);
    expect(versionAt(first, 4_999_900n)).toBe(900n);
    expect(versionAt(first, 4_999_500n)).toBe(500n);
    expect(versionAt(first, 4_999_499n)).toBe('none');
  });
});

test('stored samples are read as they were written', () => {
  const path = new URL('../golden/time-samples.json', import.meta.url);
  const golden = JSON.parse(readFileSync(path, 'utf8')) as Record<string, { key: string; value: string; sample: object }>;
  const shown = ({ key, value }: { key: string; value: string }) =>
    Object.fromEntries(
      Object.entries(decodeTimeSample({ key: Buffer.from(key, 'hex'), value: Buffer.from(value, 'hex') })).map(
        ([name, number]) => [name, String(number)],
      ),
    );
  expect(Object.keys(golden)).toEqual(['first', 'later', 'laterAhead']);
  for (const stored of Object.values(golden)) expect(shown(stored)).toEqual(stored.sample);
  const { first, later } = golden;
  const before = decodeTimeSample({
    key: Buffer.from(first?.key ?? '', 'hex'),
    value: Buffer.from(first?.value ?? '', 'hex'),
  });
  expect(encodeTimeSample(1_763_781_234_567_890n, { floor: 1_763_784_118_468_608n }).toString('hex')).toBe(first?.value);
  expect(encodeTimeSample(1_763_784_129_000_000n, before).toString('hex')).toBe(later?.value);
});

test('a sample that is cut short is named, and not read', () => {
  const key = keyspace.timeSample(1, 5n);
  expect(() => decodeTimeSample({ key, value: Buffer.alloc(24) })).toThrow(/the sample of time at key [0-9a-f]+ has 24 bytes/);
});
