import { refuse, type Refusal } from '../errors.js';
import type { Description, RepositorySettings } from '../events/types.js';
import { EXEMPTIONS_MOST, exemptionForm, isExemption } from './immutable-tags.js';

/** Characters, so that an event with all of them stays small. */
export const DISPLAY_NAME_MOST = 100;
export const DESCRIPTION_MOST = 1_000;

/** Line breaks and tabs are a description's own. */
const unprintable = /[\p{Cc}\p{Zl}\p{Zp}]/u;

/** The half of a surrogate pair, alone: JSON can write it, UTF-8 can't, so it would be kept as another text than was sent. */
const halfCharacter = /\p{Cs}/u;

/** Holds for every text that people write. */
export function refuseHalfCharacters(field: string, text: string): Refusal | undefined {
  if (!halfCharacter.test(text)) return undefined;
  return refuse('FIELD_INVALID', { field, reason: 'it has half of a surrogate pair, which is no character; accepted is text' });
}

/** What people call a thing and say of it, held against what is accepted. */
export function refuseDescription({ displayName, description }: Description): Refusal | undefined {
  return (
    refuseText('displayName', displayName, DISPLAY_NAME_MOST, unprintable.test(displayName)) ??
    refuseText('description', description, DESCRIPTION_MOST, unprintable.test(description.replace(/[\n\t]/g, '')))
  );
}

function refuseText(field: string, text: string, most: number, hasOthers: boolean): Refusal | undefined {
  const length = Array.from(text).length;
  if (length > most)
    return refuse('FIELD_INVALID', { field, reason: `it has ${length} characters; at most ${most} are accepted` });
  if (hasOthers) return refuse('FIELD_INVALID', { field, reason: 'it has control characters; accepted is text' });
  return refuseHalfCharacters(field, text);
}

export function refuseSettings(settings: RepositorySettings): Refusal | undefined {
  const field = 'immutableTagExemptions';
  const { immutableTagExemptions: patterns } = settings;
  if (patterns.length > EXEMPTIONS_MOST) {
    return refuse('FIELD_INVALID', {
      field,
      reason: `there are ${patterns.length} patterns; at most ${EXEMPTIONS_MOST} are accepted`,
    });
  }
  const wrong = patterns.find((pattern) => !isExemption(pattern));
  if (wrong !== undefined) {
    return refuse('FIELD_INVALID', {
      field,
      reason: `${JSON.stringify(wrong.slice(0, 200))} is not accepted; it is ${exemptionForm}`,
    });
  }
  return refuseDescription(settings);
}

/** Whether two say the same. */
export function sameDescription(left: Description, right: Description): boolean {
  return left.displayName === right.displayName && left.description === right.description;
}
