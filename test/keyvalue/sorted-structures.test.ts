import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import { coalesced, conflicts, covers } from '../../src/keyvalue/apply-operations.js';
import { OwnWrites } from '../../src/keyvalue/own-writes.js';
import { gaps, RangeSet } from '../../src/keyvalue/range-set.js';
import { SortedMap } from '../../src/keyvalue/sorted-map.js';

const SPOTS = 40;
const at = (spot: number): Buffer => Buffer.from([spot]);
const span = fc.tuple(fc.nat({ max: SPOTS }), fc.nat({ max: SPOTS })).map(([a, b]) => [Math.min(a, b), Math.max(a, b)] as const);
const spots = (begin: number, end: number): number[] => Array.from({ length: end - begin }, (_, index) => begin + index);

describe('the own writes of a transaction', () => {
  const spot = fc.nat({ max: SPOTS });
  const action = fc.oneof(
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('set' as const), at: spot }) },
    fc.record({ kind: fc.constant('deleteRange' as const), range: span }),
    fc.record({ kind: fc.constant('range' as const), range: span, reverse: fc.boolean() }),
  );

  test('are a map, whether and whenever somebody asks for their order', () => {
    fc.assert(
      fc.property(fc.array(action, { maxLength: 30 }), (actions) => {
        const writes = new OwnWrites<number>();
        const model = new Map<number, number>();
        const within = ([begin, end]: readonly [number, number]): (readonly [number, number])[] =>
          [...model].filter(([key]) => key >= begin && key < end).sort(([a], [b]) => a - b);
        for (const [count, now] of actions.entries()) {
          if (now.kind === 'set') {
            writes.set(at(now.at), count);
            model.set(now.at, count);
          } else if (now.kind === 'deleteRange') {
            writes.deleteRange(at(now.range[0]), at(now.range[1]));
            for (const [key] of within(now.range)) model.delete(key);
          } else {
            const [begin, end] = now.range;
            const expected = within(now.range);
            expect(writes.hasWithin(at(begin), at(end))).toBe(expected.length > 0);
            const found = [...writes.range(at(begin), at(end), now.reverse)].map(({ key, value }) => [key[0], value]);
            expect(now.reverse ? found.reverse() : found).toEqual(expected);
          }
          for (const key of spots(0, SPOTS + 1)) expect(writes.get(at(key))).toBe(model.get(key));
        }
        const all = [...writes.all()].map(({ key, value }) => [key[0] ?? 0, value] as const);
        expect(all.sort(([a], [b]) => a - b)).toEqual(within([0, SPOTS + 1]));
      }),
      { numRuns: 500 },
    );
  });
});

describe('a sorted map', () => {
  test('does what a map and a sort do, and a clone keeps what it was', () => {
    const key = fc.integer({ min: 0, max: 1_500 });
    const action = fc.oneof(
      {
        weight: 2,
        arbitrary: fc.record({
          kind: fc.constant('fill' as const),
          from: key,
          count: fc.nat({ max: 300 }),
          stride: fc.integer({ min: 1, max: 7 }),
        }),
      },
      fc.record({ kind: fc.constant('delete' as const), from: key }),
      fc.record({ kind: fc.constant('deleteRange' as const), from: key, to: key }),
      fc.record({ kind: fc.constant('clone' as const) }),
    );
    const name = (spot: number): Buffer => {
      const bytes = Buffer.alloc(2);
      bytes.writeUInt16BE(spot);
      return bytes;
    };
    const content = (map: SortedMap<number>, from: number, to: number, reverse: boolean): string =>
      [...map.range(name(from), name(to), reverse)].map((pair) => `${pair.key.readUInt16BE()}=${pair.value}`).join();
    const expected = (map: Map<number, number>, from: number, to: number, reverse: boolean): string =>
      [...map]
        .filter(([spot]) => spot >= from && spot < to)
        .sort(([a], [b]) => (reverse ? b - a : a - b))
        .map(([spot, value]) => `${spot}=${value}`)
        .join();

    fc.assert(
      fc.property(fc.array(action, { maxLength: 25 }), key, key, (actions, from, to) => {
        const map = new SortedMap<number>();
        const model = new Map<number, number>();
        const clones: [SortedMap<number>, Map<number, number>][] = [[map, model]];
        let count = 0;
        for (const now of actions) {
          if (now.kind === 'fill') {
            for (let index = 0; index < now.count; index += 1) {
              const spot = (now.from + index * now.stride) % 1_501;
              count += 1;
              map.set(name(spot), count);
              model.set(spot, count);
            }
          } else if (now.kind === 'delete') {
            map.delete(name(now.from));
            model.delete(now.from);
          } else if (now.kind === 'deleteRange') {
            map.deleteRange(name(now.from), name(now.to));
            for (const spot of [...model.keys()]) if (spot >= now.from && spot < now.to) model.delete(spot);
          } else clones.push([map.clone(), new Map(model)]);
        }
        for (const [one, truth] of clones) {
          expect(one.size).toBe(truth.size);
          expect(one.get(name(from))).toBe(truth.get(from));
          for (const reverse of [false, true]) {
            expect(content(one, 0, 2_000, reverse)).toBe(expected(truth, 0, 2_000, reverse));
            expect(content(one, from, to, reverse)).toBe(expected(truth, from, to, reverse));
          }
        }
      }),
    );
  });
});

describe('sets of ranges', () => {
  const edits = fc.array(fc.record({ adds: fc.boolean(), span }), { maxLength: 20 });

  test('hold what was added and not taken away, in ranges that neither overlap nor touch', () => {
    fc.assert(
      fc.property(edits, span, (steps, [from, to]) => {
        const set = new RangeSet();
        const model = new Set<number>();
        for (const { adds, span: ends } of steps) {
          const [begin, end] = ends;
          if (adds) set.add(at(begin), at(end));
          else set.subtract(at(begin), at(end));
          for (const spot of spots(begin, end))
            if (adds) model.add(spot);
            else model.delete(spot);
        }
        for (const spot of spots(0, SPOTS + 1)) {
          expect(set.has(at(spot))).toBe(model.has(spot));
          expect(covers(set.ranges, at(spot))).toBe(model.has(spot));
        }
        expect(coalesced(set.ranges)).toEqual([...set.ranges]);
        const inside = set.within(at(from), at(to)).flatMap((range) => spots(range.begin.readUInt8(), range.end.readUInt8()));
        expect(inside).toEqual(spots(from, to).filter((spot) => model.has(spot)));
        const outside = gaps(at(from), at(to), set.within(at(from), at(to))).flatMap((range) =>
          spots(range.begin.readUInt8(), range.end.readUInt8()),
        );
        expect(outside).toEqual(spots(from, to).filter((spot) => !model.has(spot)));
      }),
    );
  });

  test('conflict exactly where they share a key', () => {
    const ranges = fc
      .array(span, { maxLength: 6 })
      .map((spans) => spans.map(([begin, end]) => ({ begin: at(begin), end: at(end) })));
    fc.assert(
      fc.property(ranges, ranges, (reads, writes) => {
        const share = spots(0, SPOTS).some((spot) => covers(coalesced(reads), at(spot)) && covers(coalesced(writes), at(spot)));
        expect(conflicts(coalesced(reads), writes)).toBe(share);
      }),
    );
  });
});
