import { parseUid, type Uid } from '../identifiers.js';

/**
 * A staged file's name: `<upload>.<file>`, both UUIDv7. Every server that takes an upload over makes a file of its own, so that a late write of the one
 * before is to a file that nobody reads. Up to release 0.2.0 the name is the upload's id alone.
 */
export function stagedName(upload: Uid, file: Uid): string {
  return `${upload}.${file}`;
}

export interface StagedName {
  readonly upload: Uid;
  /** The file's own id, and its bytes' generation once they are committed. */
  readonly file: Uid;
}

/** Undefined: no staged file has such a name. */
export function parseStagedName(name: string): StagedName | undefined {
  const dot = name.indexOf('.');
  const upload = parseUid(dot < 0 ? name : name.slice(0, dot));
  const file = parseUid(name.slice(dot + 1));
  return upload === undefined || file === undefined ? undefined : { upload, file };
}
