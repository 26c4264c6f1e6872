import { repositoryStream, type Principal } from '../events/types.js';
import type { RepositoryRole } from '../projections/repository-access.js';
import type { NewEvent } from './execute.js';

/**
 * What takes a principal's roles on repositories away when it is gone for ever. They are in the registry's log, which is told of nobody's end otherwise: without it,
 * lists of permissions would show who is no more for as long as the repository is there. Roles on organizations and projects end with the principal's own event.
 */
export function revocationsOf(principal: Principal, roles: readonly RepositoryRole[]): readonly NewEvent[] {
  return roles.map(({ repository, role }) => ({
    stream: repositoryStream(repository),
    payload: { kind: 'RoleRevoked', principal, role },
  }));
}

/** As many go in one transaction, by far: each is an event in a log, with its history. */
export const REVOKED_AT_ONCE = 500;
