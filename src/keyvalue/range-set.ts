import type { KeyRange } from './commit-request.js';

/** A set of keys as sorted ranges that neither overlap nor touch. */
export class RangeSet {
  readonly #ranges: KeyRange[] = [];

  /** The live list, sorted; copy it to keep it. */
  get ranges(): readonly KeyRange[] {
    return this.#ranges;
  }

  add(begin: Buffer, end: Buffer): void {
    if (Buffer.compare(begin, end) >= 0) return;
    // Touching ranges merge, so the first to go is the first that ends at or after `begin`.
    const from = this.#search((range) => Buffer.compare(range.end, begin) >= 0);
    const to = this.#search((range) => Buffer.compare(range.begin, end) > 0);
    const first = this.#ranges[from];
    const last = this.#ranges[to - 1];
    if (from >= to || first === undefined || last === undefined) {
      this.#ranges.splice(from, 0, { begin, end });
      return;
    }
    this.#ranges.splice(from, to - from, {
      begin: Buffer.compare(first.begin, begin) < 0 ? first.begin : begin,
      end: Buffer.compare(last.end, end) > 0 ? last.end : end,
    });
  }

  subtract(begin: Buffer, end: Buffer): void {
    const { from, to } = this.#overlapping(begin, end);
    if (from >= to) return;
    const rest: KeyRange[] = [];
    const first = this.#ranges[from];
    const last = this.#ranges[to - 1];
    if (first !== undefined && Buffer.compare(first.begin, begin) < 0) rest.push({ begin: first.begin, end: begin });
    if (last !== undefined && Buffer.compare(last.end, end) > 0) rest.push({ begin: end, end: last.end });
    this.#ranges.splice(from, to - from, ...rest);
  }

  has(key: Uint8Array): boolean {
    const range = this.#ranges[this.#search((candidate) => Buffer.compare(candidate.end, key) > 0)];
    return range !== undefined && Buffer.compare(range.begin, key) <= 0;
  }

  /** The parts of the set inside `[begin, end)`, in order. */
  within(begin: Buffer, end: Buffer): KeyRange[] {
    const { from, to } = this.#overlapping(begin, end);
    return this.#ranges.slice(from, to).map((range) => ({
      begin: Buffer.compare(range.begin, begin) < 0 ? begin : range.begin,
      end: Buffer.compare(range.end, end) > 0 ? end : range.end,
    }));
  }

  #overlapping(begin: Buffer, end: Buffer): { readonly from: number; readonly to: number } {
    if (Buffer.compare(begin, end) >= 0) return { from: 0, to: 0 };
    return {
      from: this.#search((range) => Buffer.compare(range.end, begin) > 0),
      to: this.#search((range) => Buffer.compare(range.begin, end) >= 0),
    };
  }

  /** Index of the first range that `matches`; all behind it must match, too. */
  #search(matches: (range: KeyRange) => boolean): number {
    let low = 0;
    let high = this.#ranges.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      const range = this.#ranges[middle];
      if (range !== undefined && matches(range)) high = middle;
      else low = middle + 1;
    }
    return low;
  }
}

/** What of `[begin, end)` lies outside `holes`, in order. `holes` sorted, without overlaps. */
export function gaps(begin: Buffer, end: Buffer, holes: readonly KeyRange[]): KeyRange[] {
  const found: KeyRange[] = [];
  let cursor = begin;
  for (const hole of holes) {
    if (Buffer.compare(cursor, hole.begin) < 0) found.push({ begin: cursor, end: hole.begin });
    if (Buffer.compare(cursor, hole.end) < 0) cursor = hole.end;
  }
  if (Buffer.compare(cursor, end) < 0) found.push({ begin: cursor, end });
  return found;
}
