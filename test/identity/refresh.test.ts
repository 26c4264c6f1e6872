import { expect, test } from 'vitest';

import type { Uid } from '../../src/identifiers.js';
import { createCredentialState, refreshedCaller } from '../../src/identity/refresh.js';

const uid = '01890a5d-ac96-774b-bcce-b302099a8058' as Uid;
const other = '01890a5d-ac96-774b-bcce-b302099a8057' as Uid;
const key = '01890a5d-ac96-774b-bcce-b302099a8059' as Uid;
const credentialState = createCredentialState(Buffer.alloc(32, 7));
const byPassword = { uid, auth: 'password', state: credentialState('hash') } as const;
const byKey = { uid, auth: 'key', key, state: '' } as const;

function knowing(user: { passwordHash: string } | undefined, account: Uid | undefined = uid) {
  const found = { key, identifier: 'team/ci', publicKey: Buffer.alloc(32), expiresAt: 2_000_000_000 };
  return {
    credentialState,
    findUserByUid: () => Promise.resolve(user && { uid, ...user }),
    findKey: (id: string) => Promise.resolve(id === key && account !== undefined ? { ...found, account } : undefined),
  };
}

test('a refresh token is good while the password is what it was', async () => {
  expect(await refreshedCaller(byPassword, knowing({ passwordHash: 'hash' }))).toMatchObject({ actor: { kind: 'user', uid } });
  expect(await refreshedCaller(byPassword, knowing({ passwordHash: 'another' }))).toBeUndefined();
});

test('a refresh token ends with the user, who was disabled or forgotten', async () => {
  expect(await refreshedCaller(byPassword, knowing(undefined))).toBeUndefined();
});

test('a refresh token of a key ends with the key or its account, and is narrowed to the end of the key', async () => {
  const caller = await refreshedCaller(byKey, knowing(undefined));
  expect(caller).toEqual({
    actor: { kind: 'service-account', uid, authentication: 'key', key },
    access: undefined,
    viaToken: false,
    until: 2_000_000_000,
  });
  expect(await refreshedCaller({ ...byKey, key: other }, knowing(undefined))).toBeUndefined();
  expect(await refreshedCaller(byKey, knowing(undefined, other))).toBeUndefined();
});

test('a refresh token of nobody is good for nothing', async () => {
  expect(await refreshedCaller({ uid: undefined, auth: 'none', state: '' }, knowing({ passwordHash: 'hash' }))).toBeUndefined();
});

// In the tokens of clients for as long as they live; made by Python's hmac.
test('what a refresh token says of a password stays', () => {
  expect(credentialState('$scrypt$ln=15,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$Kptdv6RRmjzxFDYAdxVz0xfvyK/gDUcISymQFqr49Bc')).toBe(
    'dVnDLVF_G7lIHI_3d86qqU',
  );
});
