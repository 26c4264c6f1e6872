import * as fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { formatTime, parseMoment, parseTime, positionOf, type Moment } from '../../src/events/database-time.js';
import { comparePositions, formatPosition, parsePosition, versionOf, type Position } from '../../src/events/position.js';
import { repositoryStream } from '../../src/events/types.js';
import { openHistory, world, type HistoryStore } from '../projections/history-fixture.js';

const micros = (text: string): number => Date.parse(text) * 1_000;

describe('RFC 3339', () => {
  test.each([
    ['2026-11-01T09:00:00Z', micros('2026-11-01T09:00:00Z')],
    ['2026-11-01t09:00:00z', micros('2026-11-01T09:00:00Z')],
    ['2026-11-01T10:30:00+01:30', micros('2026-11-01T09:00:00Z')],
    ['2026-10-31T23:00:00-10:00', micros('2026-11-01T09:00:00Z')],
    ['2026-11-01T09:00:00-00:00', micros('2026-11-01T09:00:00Z')],
    ['2026-11-01T09:00:00.1Z', micros('2026-11-01T09:00:00Z') + 100_000],
    ['2026-11-01T09:00:00.123456Z', micros('2026-11-01T09:00:00Z') + 123_456],
    ['2024-02-29T23:59:59Z', micros('2024-02-29T23:59:59Z')],
    ['1969-12-31T23:59:59.5Z', -500_000],
    ['0001-01-01T00:00:00Z', micros('0001-01-01T00:00:00Z')],
  ])('%s is a time', (text, time) => {
    expect(parseTime(text)).toBe(time);
    expect(parseMoment(text)).toEqual({ time });
  });

  test.each([
    ['2026-02-30T09:00:00Z', 'calendar'],
    ['2023-02-29T09:00:00Z', 'calendar'],
    ['2026-13-01T09:00:00Z', 'calendar'],
    ['2026-00-01T09:00:00Z', 'calendar'],
    ['2026-11-01T24:00:00Z', 'clock'],
    ['2026-11-01T09:60:00Z', 'clock'],
    ['2026-11-01T09:00:61Z', 'clock'],
    ['2026-11-01T09:00:00+24:00', 'clock'],
    ['2026-12-31T23:59:60Z', 'leap second'],
    ['2026-11-01T09:00:00.1234567Z', 'microsecond'],
    ['2026-11-01T09:00:00', 'accepted is a time like'],
    ['2026-11-01 09:00:00Z', 'accepted is a time like'],
    ['2026-11-01', 'accepted is a time like'],
    ['2026-11-01T09:00Z', 'accepted is a time like'],
    ['2026-11-01T09:00:00.Z', 'accepted is a time like'],
    ['+002026-11-01T09:00:00Z', 'accepted is a time like'],
    ['2026-11-01T09:00:00+0100', 'accepted is a time like'],
    ['yesterday', 'accepted is a time like'],
    ['', 'accepted is a time like'],
    ['1-00064f5e2a3b4c5d0000000', 'or a position like'],
  ])('%s is none', (text, reason) => {
    expect(parseMoment(text)).toEqual({ reason: expect.stringContaining(reason) as unknown });
  });

  test('what is formatted is parsed', () => {
    const latest = Date.UTC(2_200, 0) * 1_000;
    fc.assert(
      fc.property(fc.integer({ min: -62_135_596_800_000_000, max: latest }), (time) => {
        fc.pre(Number.isSafeInteger(time));
        expect(parseTime(formatTime(time))).toBe(time);
      }),
    );
  });

  test('a position is a moment, too', () => {
    const text = '1-00064f5e2a3b4c5d00000000';
    expect(parseMoment(text)).toEqual({ position: parsePosition(text) });
  });
});

/** Of a store whose versions are microseconds. */
const timeOf = (position: Position): number => Number(versionOf(position));

async function append(at: HistoryStore): Promise<Position> {
  const stream = repositoryStream(world.repositories[0]);
  const payload = { kind: 'RoleGranted', principal: { kind: 'all-users' }, role: 'viewer' } as const;
  await at.append(world.actors[0], [{ stream, payload }]);
  return (await at.log()).at(-1)?.position ?? expect.fail();
}

const ask = (at: HistoryStore, moment: Moment) =>
  at.store.read(({ tx, registry }) => positionOf(tx, registry.keyspace, registry.live.incarnation, moment));

const position = (found: Position | { readonly reason: string }): Position =>
  'reason' in found ? expect.fail(found.reason) : found;

test('the position of a time lies behind all events of that microsecond and before all later ones', async () => {
  const at = await openHistory();
  const positions: Position[] = [];
  for (let round = 0; round < 6; round += 1) {
    positions.push(await append(at));
    if (round % 2 === 1) at.clock.advance(0.002);
  }
  for (const [index, event] of positions.entries()) {
    const found = position(await ask(at, { time: timeOf(event) }));
    expect(comparePositions(found, event)).toBeGreaterThan(0);
    const next = positions[index + 1];
    if (next !== undefined) expect(comparePositions(found, next)).toBeLessThan(0);
    const before = position(await ask(at, { time: timeOf(event) - 1 }));
    expect(comparePositions(before, event)).toBeLessThan(0);
    expect(formatPosition(position(await ask(at, { position: event })))).toBe(formatPosition(event));
  }
  expect(position(await ask(at, { time: -1 })).stamp).toEqual(Buffer.alloc(12));
});

test('a moment that has not come yet is refused: an event could still come before it', async () => {
  const at = await openHistory();
  await append(at);
  at.clock.advance(10);
  const now = Number(await at.store.read(({ tx }) => tx.time()));
  expect(await ask(at, { time: now - 1 })).toHaveProperty('stamp');
  for (const time of [now, now + 1, micros('9999-12-31T23:59:59Z')]) {
    expect(await ask(at, { time })).toEqual({
      reason: expect.stringMatching(/^\d{4}-.* has not come yet: it is 2026-/) as unknown,
    });
  }
  const stamp = Buffer.alloc(12, 0xff);
  for (const later of [
    { incarnation: 1, stamp },
    { incarnation: 2, stamp: Buffer.alloc(12) },
  ]) {
    expect(await ask(at, { position: later })).toHaveProperty('reason');
  }
});

test('a time after a restore is of the new incarnation, one before it of the old', async () => {
  const at = await openHistory();
  const old = await append(at);
  at.clock.advance(1_000);
  await at.raiseIncarnation();
  at.clock.advance(1_000);
  const raised = timeOf(old) + 1_500_000;
  expect(position(await ask(at, { time: raised })).incarnation).toBe(1);
  const young = await append(at);
  at.clock.advance(1_000);
  expect(young.incarnation).toBe(2);
  for (const [time, incarnation] of [
    [timeOf(old), 1],
    [raised, 1],
    [timeOf(young) - 1, 1],
    [timeOf(young), 2],
    [timeOf(young) + 500_000, 2],
  ] as const) {
    expect(position(await ask(at, { time })).incarnation).toBe(incarnation);
  }
  // Nothing can be appended to an old incarnation.
  expect(await ask(at, { position: { incarnation: 1, stamp: Buffer.alloc(12, 0xff) } })).toHaveProperty('stamp');
});
