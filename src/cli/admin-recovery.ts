import { randomBytes } from 'node:crypto';

import { isRefusal } from '../commands/execute.js';
import { changePassword, setUserDisabled } from '../commands/user.js';
import type { Config } from '../config.js';
import { messageOf } from '../errors.js';
import { hashPassword } from '../identity/password.js';
import { resolveUser } from '../identity/principal-text.js';
import { openRegistry, systemContext } from '../open-registry.js';
import { told } from './complaints.js';

/**
 * Gives a user another password straight on the store, as whoever may read its files, and lets the user in again: for who has nobody left to log in as. Also while
 * servers run. Exit status.
 */
export async function recoverUser(config: Config, user: string, password: string | undefined): Promise<number> {
  const registry = await openRegistry(config, false);
  try {
    const { executor, store } = registry;
    const uid = await store.read((reading) => resolveUser(reading, user));
    if (uid === undefined) return told(`there is no user ${user}`, 1);
    const made = password ?? randomBytes(18).toString('base64url');
    const command = { kind: 'ChangePassword', user: uid, passwordHash: await hashPassword(made), verified: undefined } as const;
    for (const outcome of [
      await changePassword(executor, systemContext(), command),
      await setUserDisabled(executor, systemContext(), { kind: 'SetUserDisabled', user: uid, disabled: false }),
    ]) {
      if (isRefusal(outcome)) return told(messageOf(outcome), 1);
    }
    process.stdout.write(password === undefined ? `${made}\n` : `the password of ${user} is set\n`);
    return 0;
  } finally {
    await registry.close();
  }
}
