import { readdirSync, readFileSync } from 'node:fs';

import type { EventEnvelope, EventKind } from '../../src/events/types.js';
import type { KeyItem } from '../../src/keyvalue/tuple.js';
import type { AppliedEvent, Projection, View } from '../../src/projections/projection.js';

export interface GoldenEvent {
  /** Of the events that may have been written so. */
  readonly generation: number;
  /** The message's name in the oneof, of whatever version, perhaps with a suffix. */
  readonly name: string;
  readonly bytes: Buffer;
  /** What this release decodes it to, as JSON. */
  readonly event: { readonly payload: Readonly<Record<string, unknown>> };
}

/** Every event that is kept in the bytes that some release wrote, of all versions of its message and all generations. */
export const goldenEvents: readonly GoldenEvent[] = readdirSync(new URL('../golden', import.meta.url))
  .map((folder) => ({ folder, generation: folder === 'events' ? 1 : Number(/^events-(\d+)$/.exec(folder)?.[1] ?? 0) }))
  .filter(({ generation }) => generation > 0)
  .flatMap(({ folder, generation }) =>
    readdirSync(new URL(`../golden/${folder}`, import.meta.url)).map((file) => {
      const held = JSON.parse(readFileSync(new URL(`../golden/${folder}/${file}`, import.meta.url), 'utf8')) as {
        readonly bytes: string;
        readonly event: GoldenEvent['event'];
      };
      return { generation, name: file.replace(/\.json$/, ''), bytes: Buffer.from(held.bytes, 'hex'), event: held.event };
    }),
  );

export const messageOf = ({ name }: GoldenEvent): string => name.split('.')[0] ?? name;

export const asJson = (value: unknown): unknown => JSON.parse(JSON.stringify(value));

/** What a projection makes of events, one behind the other: its keys as JSON, its values without the positions before them. */
export async function fold(projection: Projection, events: readonly EventEnvelope[]): Promise<ReadonlyMap<string, Buffer>> {
  const keys = new Map<string, Buffer>();
  const keyOf = (items: readonly KeyItem[]): string =>
    JSON.stringify(items.map((item) => (typeof item === 'object' && item !== null && 'uuid' in item ? item.uuid : item)));
  const set = (items: readonly KeyItem[], value: Buffer): void => void keys.set(keyOf(items), value);
  const view: View = {
    get: (items) => Promise.resolve(keys.get(keyOf(items))),
    range: () => Promise.reject(new Error('no projection of these tests reads a range')),
    set,
    setWithPosition: set,
    setAtPosition: set,
    clear: (items) => void keys.delete(keyOf(items)),
    held: () => Promise.reject(new Error('no projection of these tests reads content')),
  };
  for (const event of events) {
    const apply = projection.apply[event.payload.kind] as
      ((event: AppliedEvent<EventKind>, view: View) => void | Promise<void>) | undefined;
    await apply?.(event, view);
  }
  return keys;
}
