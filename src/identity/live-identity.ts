import type { Actor } from '../events/types.js';
import type { RepositoryName } from '../identifiers.js';
import type { Store } from '../projections/store.js';
import { findTarget } from '../projections/targets.js';
import type { AuthenticationDeps } from './caller.js';
import { createKeyLookup, createUserLookup, findUserCredentials } from './directory.js';
import { Guessing } from './guessing.js';
import { allowedBy } from './judge.js';
import { createCredentialState, type RefreshDeps } from './refresh.js';
import { verbs, type ScopedVerb } from './scopes.js';
import type { TokenVerifier } from './tokens.js';
import { VerifiedPasswords } from './verified-passwords.js';

/** What a token may be given for, and to whom again. */
export interface Granting extends Pick<RefreshDeps, 'findUserByUid'> {
  /** What the actor may do on a `<name>` now, whether it is there or not. */
  readonly mayOn: (actor: Actor, name: RepositoryName) => Promise<readonly ScopedVerb[]>;
}

/** Who asks and what they may, asked of the store each time. `salt`: the store's own. */
export function createLiveIdentity(
  store: Store,
  salt: Buffer,
  tokens: TokenVerifier,
): { readonly authentication: AuthenticationDeps; readonly granting: Granting } {
  return {
    authentication: {
      findUser: createUserLookup(store, salt),
      findKey: createKeyLookup(store),
      tokens,
      passwords: new VerifiedPasswords(),
      guessing: new Guessing(),
      credentialState: createCredentialState(salt),
    },
    granting: {
      findUserByUid: (uid) => store.read((reading) => findUserCredentials(reading, uid)),
      async mayOn(actor, name) {
        const { role } = await store.read((reading) => findTarget(reading, actor, name));
        return verbs.filter((verb) => allowedBy(role).includes(verb));
      },
    },
  };
}
