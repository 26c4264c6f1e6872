import { describe, expect, test } from 'vitest';

import { decideChangePassword, decideCreateUser, decideSetUserDisabled } from '../../src/commands/user.js';
import { refuse } from '../../src/errors.js';
import type { Uid } from '../../src/identifiers.js';

const denied = refuse('DENIED');
const user = 'ann' as Uid;

describe('decideCreateUser', () => {
  const nameHash = 'a'.repeat(64);
  const command = { kind: 'CreateUser', user, loginName: 'ann@example.org', nameHash, passwordHash: 'none' } as const;

  test('nothing personal is in the event', () => {
    expect(decideCreateUser({ denied: undefined, taken: false }, command)).toEqual({
      events: [{ stream: 'user/ann', payload: { kind: 'UserCreated', nameHash } }],
      outcome: { user },
    });
  });

  test('a name is borne once', () => {
    const refusal = { refused: 'USER_EXISTS', details: { user: 'ann@example.org' } };
    expect(decideCreateUser({ denied: undefined, taken: true }, command)).toMatchObject(refusal);
  });

  test('who may not is not told whether it is', () => {
    expect(decideCreateUser({ denied, taken: true }, command)).toBe(denied);
  });
});

describe('decideSetUserDisabled', () => {
  const state = { denied: undefined, exists: true, state: 'active', refusedAsLastOwner: undefined } as const;
  const disable = { kind: 'SetUserDisabled', user, disabled: true } as const;
  const enable = { ...disable, disabled: false };

  test.each([
    ['active', disable, 'UserDisabled'],
    ['disabled', enable, 'UserEnabled'],
  ] as const)('a user who is %s becomes the other', (before, command, kind) => {
    expect(decideSetUserDisabled({ ...state, state: before }, command)).toEqual({
      events: [{ stream: 'user/ann', payload: { kind } }],
      outcome: { user },
    });
  });

  test.each([
    ['active', enable],
    ['disabled', disable],
  ] as const)('who is %s already stays so, without an event', (before, command) => {
    expect(decideSetUserDisabled({ ...state, state: before }, command)).toEqual({ events: [], outcome: { user } });
  });

  test('an organization’s last owner is not disabled', () => {
    const refusedAsLastOwner = refuse('LAST_OWNER', { organization: 'acme' });
    expect(decideSetUserDisabled({ ...state, refusedAsLastOwner }, disable)).toBe(refusedAsLastOwner);
  });

  test.each([
    ['who is not there, or forgotten', { exists: false, state: 'forgotten' }, 'USER_UNKNOWN'],
    ['for who may not', { denied, exists: false }, 'DENIED'],
  ] as const)('nor a user %s', (_, more, refused) => {
    expect(decideSetUserDisabled({ ...state, ...more }, disable)).toMatchObject({ refused });
    expect(decideSetUserDisabled({ ...state, ...more }, enable)).toMatchObject({ refused });
  });
});

describe('decideChangePassword', () => {
  const state = { denied: undefined, exists: true, current: 'hash of the old' };
  const own = { kind: 'ChangePassword', user, passwordHash: 'hash of the new', verified: 'hash of the old' } as const;

  test.each([
    ['by the user is a change', own, false],
    ['by an administrator is a reset', { ...own, verified: undefined }, true],
  ])('another password %s, and in no event', (_, command, reset) => {
    expect(decideChangePassword(state, command)).toEqual({
      events: [{ stream: 'user/ann', payload: { kind: 'UserPasswordChanged', reset } }],
      outcome: { user },
    });
  });

  test('the old one, changed by another request since it was looked at, is the old one no more', () => {
    expect(decideChangePassword({ ...state, current: 'hash of another' }, own)).toMatchObject({ refused: 'CREDENTIALS_WRONG' });
  });

  test.each([
    ['of nobody', { exists: false, current: undefined }, 'USER_UNKNOWN'],
    ['by who may not', { denied, exists: false, current: undefined }, 'DENIED'],
  ])('not that %s', (_, more, refused) => {
    expect(decideChangePassword({ ...state, ...more }, { ...own, verified: undefined })).toMatchObject({ refused });
  });
});
