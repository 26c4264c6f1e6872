import type { EventKind } from '../events/types.js';
import { pack } from '../keyvalue/tuple.js';
import { projection, type AppliedEvent, type View } from './projection.js';
import { indexOf, type Reading } from './store.js';

/**
 * All events of the platform's log in one order, also those of what is gone: its ids lead nowhere any more, and its end is what is asked for then. The key ends in the
 * position, the value is the stream.
 */
export const platformHistory = projection({
  name: 'platform-history',
  version: 1,
  directory: 'platform',
  mode: 'inline',
  apply: {
    OrganizationCreated: record,
    OrganizationDescribed: record,
    OrganizationDeleted: record,
    ProjectCreated: record,
    ProjectDescribed: record,
    ProjectDeleted: record,
    UserCreated: record,
    UserDisabled: record,
    UserEnabled: record,
    UserPasswordChanged: record,
    UserForgotten: record,
    ServiceAccountCreated: record,
    ServiceAccountDeleted: record,
    ServiceAccountKeyAdded: record,
    ServiceAccountKeyRevoked: record,
    RoleGranted: record,
    RoleRevoked: record,
  },
});

function record({ stream }: AppliedEvent<EventKind>, view: View): void {
  view.setAtPosition(['event'], Buffer.from(stream));
}

/** What the live build's keys begin with. Throws ProjectionNotLiveError. */
export function platformHistoryPrefix(reading: Reading): Buffer {
  return pack(indexOf(reading, platformHistory).prefix, ['event']);
}
