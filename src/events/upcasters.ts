import type { ProjectId, RepositoryId, Uid } from '../identifiers.js';
import type { EventPayload, RepositoryCreated } from './types.js';

/**
 * From the shapes that were stored once to the ones that the code knows. To change a payload:
 *
 * 1. events.proto: a new message `<Name>V<n+1>` in the oneof, under a new number; the old one stays as it is. `npm run generate`.
 * 2. types.ts: `<Name>` gets its new shape.
 * 3. here: the shape it had becomes `<Name>V<n>` in `OlderPayload`, with its case in `upcast`; the case of V<n-1> gives V<n>, as it did.
 * 4. codec.ts: `readers` gets the new message, the old reader gives V<n>; `writers` writes the new message only.
 * 5. scripts/write-golden.js: a sample of the new message; it writes its bytes. Those of the old one are never touched.
 *
 * The type check fails until 3 and 4 are done, the test of the golden events until 5 is. An upcaster is pure: it knows the old payload alone, and what
 * that does not say becomes `undefined` or `'unknown'`, never a guess.
 */
export type OlderPayload = RepositoryCreatedV1;

export type StoredPayload = EventPayload | OlderPayload;

/** Did not say how the repository came to be, nor its settings. */
export interface RepositoryCreatedV1 {
  readonly kind: 'RepositoryCreatedV1';
  readonly project: Uid;
  readonly id: RepositoryId;
}

export function upcast(stored: StoredPayload): EventPayload {
  switch (stored.kind) {
    case 'RepositoryCreatedV1':
      return upcast(repositoryCreatedV2(stored));
    default:
      return stored;
  }
}

// Scanning is off for such a repository until somebody turns it on: nobody had said yes.
function repositoryCreatedV2({ project, id }: RepositoryCreatedV1): RepositoryCreated {
  const projectId: ProjectId | undefined = undefined;
  return { kind: 'RepositoryCreated', project, projectId, id, origin: 'unknown', scanning: false };
}
