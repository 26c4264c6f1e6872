import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';

import { Availability } from '../../src/keyvalue/foundationdb-availability.js';

/** A cluster that answers probes while `there`. */
interface Cluster {
  readonly availability: Availability;
  there: boolean;
  probes: number;
  away: number;
}

function clusterOf(silenceMs = 6_000): Cluster {
  const cluster: Cluster = {
    there: true,
    probes: 0,
    away: 0,
    availability: new Availability({
      silenceMs,
      probe: () => {
        cluster.probes += 1;
        const { there } = cluster;
        return new Promise((resolve, reject) =>
          setTimeout(there ? resolve : () => reject(new Error('silent')), there ? 5 : 1_000),
        );
      },
      onAway: () => (cluster.away += 1),
    }),
  };
  return cluster;
}

describe('a cluster’s availability', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  test('costs no probe while its calls are answered, and no timer while there are none', async () => {
    const cluster = clusterOf();
    for (let call = 0; call < 100; call += 1) {
      cluster.availability.asked();
      await vi.advanceTimersByTimeAsync(100);
      cluster.availability.answered();
    }
    await vi.advanceTimersByTimeAsync(1_000);
    expect(cluster.probes).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('is not lost by a call that is slow by itself', async () => {
    const cluster = clusterOf();
    cluster.availability.asked();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(cluster.availability.away).toBe(false);
    expect(cluster.probes).toBeGreaterThan(10);
  });

  test('outlasts 5 s without an answer, and not 7', async () => {
    const cluster = clusterOf();
    cluster.there = false;
    cluster.availability.asked();
    await vi.advanceTimersByTimeAsync(5_000);
    expect(cluster.availability.away).toBe(false);
    await vi.advanceTimersByTimeAsync(2_000);
    expect(cluster.availability.away).toBe(true);
    expect(cluster.away).toBe(1);
  });

  test('comes back by a probe, though nobody asks any more', async () => {
    const cluster = clusterOf();
    cluster.there = false;
    cluster.availability.asked();
    await vi.advanceTimersByTimeAsync(8_000);
    cluster.availability.ended();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(cluster.availability.away).toBe(true);
    cluster.there = true;
    await vi.advanceTimersByTimeAsync(2_000);
    expect(cluster.availability.away).toBe(false);
    expect(cluster.away).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  test('is not judged by nobody’s silence', async () => {
    const cluster = clusterOf();
    cluster.there = false;
    cluster.availability.asked();
    cluster.availability.answered();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(cluster.availability.away).toBe(false);
    expect(cluster.probes).toBe(0);
  });

  test('ends with its database', async () => {
    const cluster = clusterOf();
    cluster.there = false;
    cluster.availability.asked();
    cluster.availability.close();
    cluster.availability.asked();
    await vi.advanceTimersByTimeAsync(60_000);
    expect(cluster.probes).toBe(0);
    expect(vi.getTimerCount()).toBe(0);
  });
});
