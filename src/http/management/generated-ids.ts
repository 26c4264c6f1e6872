import { randomInt } from 'node:crypto';

// Without those that are read as one another.
const characters = '23456789abcdefghjkmnpqrstuvwxyz';
const LENGTH = 10;

/** An id for what nobody has named: `<prefix>-` and ten characters, about 50 bits. */
export function generateId(prefix: string): string {
  const random = Array.from({ length: LENGTH }, () => characters[randomInt(characters.length)] ?? '');
  return `${prefix}-${random.join('')}`;
}
