import type { Role } from '../../src/events/types.js';

/** DESIGN.md, section 9, said once more and without the product's code: what the matrix expects. */

export type Verb = 'pull' | 'push' | 'delete' | 'manage' | 'see project' | 'manage project';

export interface Asker {
  readonly kind: 'anonymous' | 'user' | 'service-account';
  readonly state: 'good' | 'barred';
  readonly role: Role | undefined;
  readonly level: 'organization' | 'project' | 'repository';
  /** `wide`: a token for everything on the very name that is asked for; `narrow`: for nothing on it. */
  readonly by: 'nothing' | 'basic' | 'wide token' | 'narrow token';
}

/** What a name stands for, and what is granted there to everybody. */
export interface Place {
  /** Owned by the organization that the matrix grants on. */
  readonly ours: boolean;
  /** Bears the grants of the levels project and repository. */
  readonly granted: { readonly project: boolean; readonly repository: boolean };
  readonly everybody: 'all-users' | 'all-authenticated-users' | undefined;
  /** Where `everybody` is granted. */
  readonly everybodyOn: 'project' | 'repository';
  readonly there: 'repository' | 'project' | 'nothing';
}

export type Expected =
  | { readonly status: 401; readonly error: 'invalid_token' | 'insufficient_scope' | undefined }
  | { readonly status: 403 }
  | { readonly status: 404 }
  | { readonly status: 'done' };

const rank: Readonly<Record<Role, number>> = { viewer: 1, editor: 2, owner: 3 };
const least: Readonly<Record<Verb, number>> = {
  'see project': 1,
  pull: 1,
  push: 2,
  delete: 3,
  manage: 3,
  'manage project': 3,
};

/** The highest of what was granted on the place or above, as its number; 0 is none. */
export function rankOf(asker: Asker, place: Place, ofProject = false): number {
  if (place.there === 'nothing') {
    // An owner of exactly one organization could create the project; a service account owns it as well.
    return asker.role === 'owner' && asker.level === 'organization' ? rank.owner : 0;
  }
  const reaches =
    (asker.level === 'organization' && place.ours) ||
    (asker.level === 'project' && place.granted.project) ||
    (asker.level === 'repository' && place.granted.repository && !ofProject && place.there === 'repository');
  const own = reaches && asker.role !== undefined ? rank[asker.role] : 0;
  const counts = place.everybodyOn === 'project' || (!ofProject && place.there === 'repository');
  const everybody =
    counts && (place.everybody === 'all-users' || (place.everybody !== undefined && asker.kind !== 'anonymous')) ? 1 : 0;
  return Math.max(own, everybody);
}

/** The answer to a verb on a place, in the order of the contract. */
export function expectedOf(asker: Asker, verb: Verb, place: Place): Expected {
  const viaToken = asker.by === 'wide token' || asker.by === 'narrow token';
  const ofProject = verb === 'see project' || verb === 'manage project';
  const held = rankOf(asker, place, ofProject);
  const may = held >= least[verb];
  if (asker.state === 'barred') return { status: 401, error: viaToken ? 'invalid_token' : undefined };
  if (asker.kind === 'anonymous' && !may) return { status: 401, error: viaToken ? 'insufficient_scope' : undefined };
  const scoped = verb === 'pull' || verb === 'push' || verb === 'delete';
  if (may && viaToken && (asker.by === 'narrow token' || !scoped)) return { status: 401, error: 'insufficient_scope' };
  if (held === 0) return { status: 403 };
  const missing = ofProject ? place.there === 'nothing' : place.there !== 'repository';
  // Only an owner can create it, by pushing.
  if (missing && !(verb === 'push' && held === rank.owner)) return { status: 404 };
  return may ? { status: 'done' } : { status: 403 };
}
