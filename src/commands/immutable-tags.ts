import { refuse, type Refusal } from '../errors.js';
import type { RepositorySettings } from '../events/types.js';
import type { RepositoryName, Tag } from '../identifiers.js';

/** Of a repository's exemptions. */
export const EXEMPTIONS_MOST = 20;
export const EXEMPTION_LENGTH_MOST = 128;

export const exemptionForm =
  'a pattern of 1 to 128 characters of a tag, with * for any run of characters, ? for one, and <hex> for 32 or more hexadecimal digits';

const HEX_LEAST = 32;
const grammar = /^(?:<hex>|[*?]|[A-Za-z0-9._-])+$/;
const piece = /<hex>|./g;

export function isExemption(text: string): boolean {
  return text.length <= EXEMPTION_LENGTH_MOST && grammar.test(text);
}

/**
 * Whether the pattern stands for the whole tag. All ways through the pattern at once, as Thompson's matcher goes: an expression of many stars would take an engine
 * that tries one after the other years.
 */
export function exempts(pattern: string, tag: Tag): boolean {
  const pieces = pattern.match(piece) ?? [];
  // At the beginning of which pieces the characters so far may have led, with the hexadecimal digits that a <hex> there has taken.
  let places = new Map([[0, 0]]);
  for (const character of [...Array.from(tag), '']) {
    const next = new Map<number, number>();
    for (let at = 0; at <= pieces.length; at += 1) {
      const digits = places.get(at);
      if (digits === undefined) continue;
      const part = pieces[at];
      // What takes nothing, or enough already, lets the next piece begin here.
      if (part === '*' || (part === '<hex>' && digits >= HEX_LEAST)) places.set(at + 1, Math.max(places.get(at + 1) ?? 0, 0));
      if (part === undefined || character === '') continue;
      if (part === '*') next.set(at, 0);
      else if (part === '<hex>') {
        if (/[0-9a-f]/.test(character)) next.set(at, Math.max(next.get(at) ?? 0, digits + 1));
      } else if (part === '?' || part === character) next.set(at + 1, Math.max(next.get(at + 1) ?? 0, 0));
    }
    if (character === '') return places.has(pieces.length);
    places = next;
  }
  return false;
}

/** Whether a tag that is there may be neither moved nor deleted. */
export function isImmutable({ immutableTags, immutableTagExemptions }: RepositorySettings, tag: Tag): boolean {
  return immutableTags && !immutableTagExemptions.some((pattern) => exempts(pattern, tag));
}

/** So many tags one transaction looks at before it deletes what they are on. */
export const TAGS_LOOKED_AT = 10_000;

/**
 * The refusal of a command that would move or delete these tags; undefined: all of them may be. `TAGS_LOOKED_AT` of them, where there are as many, may not be all that
 * there are.
 */
export function refuseImmutable(
  settings: RepositorySettings,
  { name }: RepositoryName,
  tags: readonly Tag[],
): Refusal | undefined {
  const tag = tags.find((one) => isImmutable(settings, one));
  if (tag !== undefined) return refuse('TAG_IMMUTABLE', { tag, name });
  const unread = settings.immutableTags && tags.length >= TAGS_LOOKED_AT;
  return unread ? refuse('IMMUTABLE_TAGS_UNREAD', { name, most: TAGS_LOOKED_AT }) : undefined;
}
