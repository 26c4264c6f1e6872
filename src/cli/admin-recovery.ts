import { randomBytes } from 'node:crypto';

import { isRefusal } from '../commands/execute.js';
import { changePassword, setUserDisabled } from '../commands/user.js';
import type { Config } from '../config.js';
import { messageOf } from '../errors.js';
import { hashPassword } from '../identity/password.js';
import { resolveUser } from '../identity/principal-text.js';
import { openRegistry, systemContext } from '../open-registry.js';
import { AdminError } from './complaints.js';

/**
 * Gives a user another password straight on the store, as whoever may read its files, and lets the user in again: for who has nobody left to log in as. Also while
 * servers run. Gives the password that was made up, where none was given.
 */
export async function recoverUser(config: Config, user: string, password: string | undefined): Promise<string | undefined> {
  const registry = await openRegistry(config, false);
  try {
    const { executor, store } = registry;
    const uid = await store.read((reading) => resolveUser(reading, user));
    if (uid === undefined) throw new AdminError(`there is no user ${user}`);
    const made = password ?? randomBytes(18).toString('base64url');
    const command = { kind: 'ChangePassword', user: uid, passwordHash: await hashPassword(made), verified: undefined } as const;
    for (const outcome of [
      await changePassword(executor, systemContext(), command),
      await setUserDisabled(executor, systemContext(), { kind: 'SetUserDisabled', user: uid, disabled: false }),
    ]) {
      if (isRefusal(outcome)) throw new AdminError(messageOf(outcome));
    }
    return password === undefined ? made : undefined;
  } finally {
    await registry.close();
  }
}
