import type { ByteRange } from '../blobs/blob-store.js';

/**
 * The part of `size` bytes that a Range header asks for. RFC 9110, section 14.2: `undefined` (serve all) for no header, an unknown unit, several ranges or a
 * header that is no range; `unsatisfiable` where it asks for nothing that is there. A last byte before the first is counted among these, as Go's servers
 * and the conformance program do, though the RFC would have it ignored.
 */
export function parseRange(header: string | undefined, size: number): ByteRange | 'unsatisfiable' | undefined {
  const [, first, last] = /^bytes=\s*(\d*)\s*-\s*(\d*)\s*$/i.exec(header ?? '') ?? [];
  if (first === undefined || last === undefined || (first === '' && last === '')) return undefined;
  if (first === '') {
    const length = Math.min(Number(last), size);
    return length === 0 ? 'unsatisfiable' : { first: size - length, last: size - 1 };
  }
  const from = Number(first);
  const to = last === '' ? size - 1 : Number(last);
  return from >= size || to < from ? 'unsatisfiable' : { first: from, last: Math.min(to, size - 1) };
}

/** `<first>-<last>` of a chunk, both inclusive and without a unit (distribution-spec 1.1, "Pushing a blob in chunks"); `bytes ` in front is let pass. */
export function parseContentRange(header: string): ByteRange | undefined {
  const [, first, last] = /^(?:bytes[ =])?(\d{1,15})-(\d{1,15})(?:\/(?:\d+|\*))?$/.exec(header.trim()) ?? [];
  if (first === undefined || last === undefined || Number(last) < Number(first)) return undefined;
  return { first: Number(first), last: Number(last) };
}

/** Whether an If-None-Match header names the entity tag. RFC 9110, section 13.1.2: weak comparison. */
export function matchesEntityTag(header: string | undefined, digest: string): boolean {
  if (header === undefined) return false;
  return header.split(',').some((part) => {
    const tag = part.trim().replace(/^W\//, '');
    return tag === '*' || tag === `"${digest}"` || tag === digest;
  });
}
