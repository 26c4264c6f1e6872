import type { Digest } from '../digest.js';
import type { Held } from '../events/held-descriptors.js';
import { subjectOf, type EventEnvelope, type EventKind, type PayloadOf } from '../events/types.js';
import { parseUid, type Uid } from '../identifiers.js';
import type { KeyItem } from '../keyvalue/tuple.js';

/** The registry's log and indexes, and the platform's: organizations, projects, people. */
export const directoryNames = ['registry', 'platform'] as const;

export type DirectoryName = (typeof directoryNames)[number];

export interface ViewEntry {
  /** What stands behind the items that were asked for. */
  readonly items: readonly unknown[];
  readonly value: Buffer;
}

export interface ViewRange {
  readonly limit?: number;
}

/**
 * All that `apply` may see and change: its own build's keys and the log's content. There is no clock and no other projection's key, so that a replay
 * gives the same bytes.
 */
export interface View {
  get(items: readonly KeyItem[]): Promise<Buffer | undefined>;
  range(items: readonly KeyItem[], options?: ViewRange): Promise<readonly ViewEntry[]>;
  set(items: readonly KeyItem[], value: Buffer): void;
  /** Sets the event's position (`POSITION_BYTES`) followed by `value`. `apply` never reads such a key: while the command runs, nobody knows the position. */
  setWithPosition(items: readonly KeyItem[], value: Buffer): void;
  /**
   * Sets `value` under `items`, the incarnation and the versionstamp of the event's position: a key for each event, in the order of the log. As with
   * `setWithPosition`, `apply` never reads such a key.
   */
  setAtPosition(items: readonly KeyItem[], value: Buffer): void;
  clear(items: readonly KeyItem[]): void;
  /** What a manifest holds, by its bytes; throws when nothing is known of them. */
  held(digest: Digest): Promise<readonly Held[]>;
}

export type AppliedEvent<K extends EventKind> = EventEnvelope<PayloadOf<K>>;

/** Inline: applied in the transaction that appends the event. Async: follows the log with a checkpoint in the transaction of its data. */
export type ProjectionMode = 'inline' | 'async';

export interface Projection {
  readonly name: string;
  /** Raised whenever the same events would give other keys or values. */
  readonly version: number;
  readonly directory: DirectoryName;
  readonly mode: ProjectionMode;
  /** The version before, which this release goes on applying and reading for as long as it is the live one. docs/schema-changes.md. */
  readonly previous?: Projection;
  readonly apply: { readonly [K in EventKind]?: (event: AppliedEvent<K>, view: View) => void | Promise<void> };
}

export function projection(definition: Projection): Projection {
  return definition;
}

/** Hands an event to its projection, if that has a use for it. The next event is handed to it when this one is applied. */
export function applyEvent(target: Projection, event: EventEnvelope, view: View): void | Promise<void> {
  const apply = target.apply[event.payload.kind] as ((event: EventEnvelope, view: View) => void | Promise<void>) | undefined;
  return apply?.(event, view);
}

export const nothing = Buffer.alloc(0);

export function encodeJson(value: unknown): Buffer {
  return Buffer.from(JSON.stringify(value));
}

/** Of bytes that `encodeJson` wrote for the same type. */
export function decodeJson<T>(bytes: Buffer): T {
  return JSON.parse(bytes.toString()) as T;
}

/** The uid that the event's stream is named after; a blob's stream has none. */
export function aggregateUid(event: EventEnvelope): Uid {
  const uid = parseUid(subjectOf(event.stream));
  if (uid === undefined) throw new Error(`event ${event.id} of kind ${event.payload.kind} is in stream ${event.stream}`);
  return uid;
}
