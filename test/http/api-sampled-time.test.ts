import { expect, test } from 'vitest';

import { formatTime, parseTime } from '../../src/events/database-time.js';
import { sampleTimes } from '../../src/processes/time-sampling.js';
import { create, pushImage } from '../commands/fixture.js';
import { of, openApi, type Api } from './api-fixture.js';

const base = '/api/v1/projects/team/repositories/backend';
const START = Date.UTC(2026, 10, 1, 9);

interface Pushed {
  readonly digest: string;
  /** By the clock, in microseconds since 1970. */
  readonly at: number;
}

/**
 * A registry on a cluster whose versions began at a thousand: a tag is pushed every 20 s, and the versions leap by 100 s before the third push, as in a
 * recovery. The server samples as `serve` does.
 */
async function opened(): Promise<{
  readonly api: Api;
  readonly pushes: readonly Pushed[];
  readonly pass: (seconds: number) => Promise<void>;
}> {
  let leapt = 0n;
  const api = await openApi(START, (time) => time - BigInt(START) * 1_000n + 1_000n + leapt);
  const pass = async (seconds: number): Promise<void> => {
    for (let passed = 0; passed < seconds; passed += 4) {
      api.clock.advance(Math.min(4, seconds - passed) * 1_000);
      await sampleTimes(api.at.store, () => Math.floor(api.clock.now() * 1_000));
    }
  };
  await pass(4);
  await create(api.at, 'team/backend');
  const pushes: Pushed[] = [];
  for (const text of ['one', 'two', 'three', 'four']) {
    await pass(20);
    if (text === 'three') leapt += 100_000_000n;
    pushes.push({ ...(await pushImage(api.at, 'team/backend', text, ['latest'])), at: Math.floor(api.clock.now() * 1_000) });
  }
  await pass(60);
  return { api, pushes, pass };
}

const movesOf = (api: Api) => api.get(`${base}/history?order=oldest&kind=TagMoved`);
const timesIn = (texts: readonly unknown[]): readonly number[] => texts.map((text) => Number(parseTime(String(text))));

test('entries have the times of the clock, though the versions are none; a leap of the versions is at most 15 s ahead, and caught up', async () => {
  const { api, pushes } = await opened();
  const times = timesIn(of(await movesOf(api), 'entries', 'time'));
  expect(times).toHaveLength(4);
  const ahead = times.map((time, index) => (time - (pushes[index]?.at ?? 0)) / 1_000_000);
  expect(Math.abs(ahead[0] ?? 99)).toBeLessThan(0.1);
  expect(Math.abs(ahead[1] ?? 99)).toBeLessThan(0.1);
  expect(ahead[2]).toBeGreaterThan(1);
  expect(ahead[2]).toBeLessThan(15.1);
  expect(ahead[3]).toBeLessThan(ahead[2] ?? 0);
  expect(times).toEqual([...times].sort((left, right) => left - right));
  // The platform's log has samples of its own.
  const project = await api.get('/api/v1/projects/team/history?order=oldest');
  expect(timesIn(of(project, 'entries', 'time')).every((time) => time >= START * 1_000)).toBe(true);
  expect(of(project, 'entries', 'kind')).toContain('ProjectCreated');
  const { bearers, time } = (await api.get(`${base}/history`)).body;
  expect(bearers).toMatchObject([{ from: { time: expect.stringMatching(/^2026-11-01T09:00:0[34]/) as unknown } }]);
  expect(time).toMatch(/^2026-11-01T09:0/);
});

test('at a time there is what was there by the times of the history; what was answered stays, whatever comes', async () => {
  const { api, pushes, pass } = await opened();
  const times = timesIn(of(await movesOf(api), 'entries', 'time'));
  const tagAt = async (time: number) => {
    const { status, body } = await api.get(`${base}/tags?at=${formatTime(time)}`);
    return { status, position: body['position'], tags: body['tags'] };
  };
  const asked = times.flatMap((time) => [time - 1, time, time + 1]);
  const before = await Promise.all(asked.map(tagAt));
  for (const [index, { status, tags }] of before.entries()) {
    expect(status).toBe(200);
    const push = index % 3 === 0 ? index / 3 - 1 : Math.floor(index / 3);
    const since = { time: formatTime(times[push] ?? 0) };
    expect(tags).toMatchObject(push < 0 ? [] : [{ tag: 'latest', digest: pushes[push]?.digest, since }]);
  }
  await pushImage(api.at, 'team/backend', 'five', ['latest']);
  await pass(60);
  expect(await Promise.all(asked.map(tagAt))).toEqual(before);
});

test('history is asked for by times', async () => {
  const { api } = await opened();
  const times = timesIn(of(await movesOf(api), 'entries', 'time'));
  const count = async (query: string) => of(await api.get(`${base}/history?kind=TagMoved&${query}`), 'entries', 'time').length;
  const [, second = 0, third = 0] = times;
  expect(await count(`since=${formatTime(second)}`)).toBe(3);
  expect(await count(`since=${formatTime(second + 1)}`)).toBe(2);
  expect(await count(`until=${formatTime(third)}`)).toBe(3);
  expect(await count(`until=${formatTime(third - 1)}`)).toBe(2);
  expect(await count(`since=${formatTime(second)}&until=${formatTime(third)}`)).toBe(2);
  expect(await count('since=2030-01-01T00:00:00Z')).toBe(0);
  expect(await count('until=2030-01-01T00:00:00Z')).toBe(4);
});

test('a time or a position that has not come yet is refused, until it has', async () => {
  const { api, pass } = await opened();
  const now = Math.floor(api.clock.now() * 1_000);
  const path = `${base}/tags?at=${formatTime(now + 30_000_000)}`;
  const refused = await api.get(path);
  expect(refused.status).toBe(400);
  expect(refused.bytes.toString()).toMatch(/has not come yet: it is 2026-11-01T09:0\d:\d\d\.\d{6}Z by the database's clock/);
  expect((await api.get(`${base}/tags?at=1-${'f'.repeat(24)}`)).status).toBe(400);
  await pass(32);
  expect((await api.get(path)).status).toBe(200);
});
