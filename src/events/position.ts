import { STAMP_BYTES } from '../keyvalue/keyspace.js';

/** Where an event stands: the commit's 10-byte versionstamp and the event's 2-byte number in it, under the store's incarnation. */
export interface Position {
  readonly incarnation: number;
  readonly stamp: Buffer;
}

const textForm = /^(0|[1-9][0-9]{0,14})-([0-9a-f]{24})$/;

/** Negative when `left` happened before `right`. */
export function comparePositions(left: Position, right: Position): number {
  return left.incarnation === right.incarnation ? Buffer.compare(left.stamp, right.stamp) : left.incarnation - right.incarnation;
}

/** The position of event number `index` of the commit that wrote `versionstamp` (the 10 bytes of `Transaction.versionstamp`). */
export function positionInCommit(incarnation: number, versionstamp: Buffer, index: number): Position {
  const stamp = Buffer.alloc(STAMP_BYTES);
  versionstamp.copy(stamp, 0, 0, 10);
  stamp.writeUInt16BE(index, 10);
  return { incarnation, stamp };
}

/** `<incarnation>-<24 hex digits>`: for cursors, checkpoints and people. */
export function formatPosition(position: Position): string {
  return `${position.incarnation}-${position.stamp.toString('hex')}`;
}

export function parsePosition(text: string): Position | undefined {
  const [, incarnation, stamp] = textForm.exec(text) ?? [];
  return incarnation === undefined || stamp === undefined
    ? undefined
    : { incarnation: Number(incarnation), stamp: Buffer.from(stamp, 'hex') };
}

/** The version of the commit. A time only where versions are: `timesOf` tells the time. */
export function versionOf(position: Position): bigint {
  return position.stamp.readBigUInt64BE(0);
}
