import type { Founding } from '../../src/commands/found-store.js';

/** Stands in for a blob store where nothing touches a blob's bytes: the founding of a store asks for the identity alone. */
export function identityOnly(): Founding['blobs'] {
  let identity: string | undefined;
  return {
    readIdentity: () => Promise.resolve(identity),
    isEmpty: () => Promise.resolve(true),
    writeIdentity: (text) => Promise.resolve(void (identity = text)),
    markFounded: () => Promise.resolve(),
  };
}
