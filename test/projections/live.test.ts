import { describe, expect, test } from 'vitest';

import { encodeLive, LiveMismatchError, parseLive } from '../../src/projections/live.js';

const tags = { name: 'tags', version: 1, build: '1', mode: 'inline' } as const;
const users = { name: 'users', version: 12, build: 'b', mode: 'async' } as const;
const good = { format: 2, incarnation: 1, partitions: 8, events: 2, projections: [tags, users] };
const fence = { build: 'b', deadline: 1_700_000_000_000_000 };

const parse = (value: unknown) => parseLive(Buffer.from(JSON.stringify(value)));
const without = (field: keyof typeof good) => Object.fromEntries(Object.entries(good).filter(([name]) => name !== field));

test('what was written is read', () => {
  for (const live of [
    { incarnation: 3, events: 2, projections: [tags, users], fence },
    { incarnation: 3, events: 1, projections: [], fence: undefined },
  ]) {
    expect(parseLive(encodeLive(live))).toEqual(live);
  }
  expect(parse(good)).toEqual({ incarnation: 1, events: 2, projections: [tags, users], fence: undefined });
});

test("release 0.1.0's has no generation, no modes and no fence", () => {
  const projections = [{ name: 'tags', version: 1, build: '1' }];
  const first = { format: 1, incarnation: 2, partitions: 8, projections };
  expect(parse(first)).toEqual({ incarnation: 2, events: 1, projections: [tags], fence: undefined });
  expect(() => parse({ ...first, fence })).toThrow('has a field fence that this release does not know');
  expect(() => parse({ ...first, projections: [tags] })).toThrow('has a field mode');
});

describe('is refused:', () => {
  test.each<readonly [what: string, value: unknown, message: string]>([
    ["a later release's format", { ...good, format: 3, fence: 'x' }, 'meta/live has format 3, this release knows format 2'],
    ['a format of another type', { ...good, format: '2' }, 'has format "2"'],
    ['no format', without('format'), 'has no field format'],
    ["a later release's field", { ...good, frozen: 7 }, 'has a field frozen that this release does not know'],
    ['a fence that is none', { ...good, fence: 7 }, "meta/live's fence is 7, not an object"],
    ['a fence without a deadline', { ...good, fence: { build: 'b' } }, 'fence has no field deadline'],
    ['an unknown mode', { ...good, projections: [{ ...tags, mode: 'lazy' }] }, 'mode is "lazy", not inline or async'],
    ['events that only a later release reads', { ...good, events: 4 }, 'may have events of generation 4, this release reads 3'],
    ['no generation of events', without('events'), 'has no field events'],
    ['a missing field', without('partitions'), 'has no field partitions'],
    ['another number of partitions', { ...good, partitions: 16 }, 'the log has 16 partitions by meta/live, this release knows 8'],
    ['partitions as a text', { ...good, partitions: '8' }, 'the log has "8" partitions'],
    ['an incarnation of 0', { ...good, incarnation: 0 }, "meta/live's incarnation is 0, not a whole number from 1 up"],
    ['a broken incarnation', { ...good, incarnation: 1.5 }, 'incarnation is 1.5'],
    ['an incarnation as a text', { ...good, incarnation: '1' }, 'incarnation is "1"'],
    ['projections that are no list', { ...good, projections: {} }, 'projections is {}, not a list'],
    ['a projection that is no object', { ...good, projections: [tags, 'users'] }, 'projections[1] is "users", not an object'],
    ['a projection twice', { ...good, projections: [tags, tags] }, 'names the projection tags twice'],
    [
      'a projection without a build',
      { ...good, projections: [{ name: 'tags', version: 1 }] },
      'projections[0] has no field build',
    ],
    ["a projection's unknown field", { ...good, projections: [{ ...tags, lag: 1 }] }, 'projections[0] has a field lag'],
    [
      "a projection's name of another type",
      { ...good, projections: [{ ...tags, name: 1 }] },
      'projections[0].name is 1, not a text',
    ],
    ["a projection's version as a text", { ...good, projections: [{ ...tags, version: '1' }] }, 'projections[0].version is "1"'],
    ['an empty build', { ...good, projections: [{ ...tags, build: '' }] }, 'projections[0].build is "", not a text'],
    ['a list', [good], 'not an object'],
    ['null', null, 'meta/live is null, not an object'],
  ])('%s', (_what, value, message) => {
    expect(() => parse(value)).toThrow(LiveMismatchError);
    expect(() => parse(value)).toThrow(message);
  });

  test('what is not JSON', () => {
    expect(() => parseLive(Buffer.from('{"format":1'))).toThrow(LiveMismatchError);
    expect(() => parseLive(Buffer.alloc(0))).toThrow('meta/live is not JSON');
  });
});
