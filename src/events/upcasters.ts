import type { ProjectId, RepositoryId, Uid } from '../identifiers.js';
import type { EventPayload, RepositoryCreated } from './types.js';

/**
 * From the shapes that were stored once to the ones that the code knows. To change a payload:
 *
 * 1. events.proto: a new message `<Name>V<n+1>` in the oneof, under a new number; the old one stays as it is. `npm run generate`.
 * 2. types.ts: `<Name>` gets its new shape.
 * 3. here: the shape it had becomes `<Name>V<n>` in `OlderPayload`, with its case in `upcast`; the case of V<n-1> gives V<n>, as it did.
 * 4. codec.ts: `readers` gets the new message, the old reader gives V<n>; `writers` writes the new message first, and behind it the old one for payloads
 *    that it says as well, if such a payload has to be written while servers of an older release run. `generations` gets the new message under a new
 *    generation, one above the last release's (a release has one, whatever it adds); `EVENT_GENERATION` is raised to it. Nobody writes the new message
 *    until `meta/live` allows its generation, which is when every server reads it.
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

/**
 * The other way round: a payload in the first of its messages (the newest is first) that is of an allowed generation and can say it. Undefined when none is.
 */
export function downcast<P, M extends string, W>(
  messages: { readonly [C in M]?: (payload: P) => W | undefined },
  generations: Readonly<Record<M, number>>,
  payload: P,
  generation: number,
): { readonly [C in M]?: W } | undefined {
  for (const message of Object.keys(messages) as M[]) {
    const written = generations[message] <= generation ? messages[message]?.(payload) : undefined;
    if (written !== undefined) return { [message]: written } as { readonly [C in M]?: W };
  }
  return undefined;
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
