import { describe, expect, test } from 'vitest';

import { RefusalError } from '../../src/errors.js';
import { hashPassword, unmatchableHash, verifyPassword } from '../../src/identity/password.js';
import { Turns } from '../../src/identity/turns.js';
import { VerifiedPasswords } from '../../src/identity/verified-passwords.js';

// Made by Python's hashlib.scrypt. What was once stored has to verify for ever.
const golden = [
  ['correct horse: battery', '$scrypt$ln=15,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$Kptdv6RRmjzxFDYAdxVz0xfvyK/gDUcISymQFqr49Bc'],
  ['pässwörd', '$scrypt$ln=15,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$tnbjFsaoWH6mfBeguVZqR9rY0iGi+ON+3801SWSCZs8'],
] as const;

describe('a password', () => {
  test.each(golden)('%s verifies against the hash that was stored', async (password, hash) => {
    expect(await verifyPassword(password, hash)).toBe(true);
    expect(await verifyPassword(password.normalize('NFD'), hash)).toBe(true);
    expect(await verifyPassword(`${password} `, hash)).toBe(false);
  });

  test('is hashed with a salt of its own', async () => {
    const [one, other] = await Promise.all([hashPassword('secret'), hashPassword('secret')]);
    expect(one).toMatch(/^\$scrypt\$ln=15,r=8,p=1\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}$/);
    expect(one).not.toBe(other);
    expect(await verifyPassword('secret', one)).toBe(true);
    expect(await verifyPassword('Secret', one)).toBe(false);
  });

  test('whose hash has other costs and lengths verifies, too', async () => {
    expect(await verifyPassword('secret', '$scrypt$ln=4,r=4,p=2$MDEyMzQ1Njc4OWFiY2RlZmdo$PMGYZRojz75n11xgcB49RItDpqirEmEj')).toBe(
      true,
    );
  });

  test('never matches the hash of nobody', async () => {
    expect(await verifyPassword('', unmatchableHash())).toBe(false);
  });

  test.each(['', 'plain', '$scrypt$ln=31,r=8,p=1$AAECAwQFBgcICQoLDA0ODw$AAAA', '$2b$10$abc'])(
    'a stored hash %j that is none is a fault',
    async (hash) => {
      await expect(verifyPassword('secret', hash)).rejects.toThrow('cannot be read');
    },
  );
});

describe('verified passwords', () => {
  function counted() {
    const calls: string[] = [];
    let now = 0;
    const passwords = new VerifiedPasswords({
      now: () => now,
      verifyPassword: async (password, hash) => {
        calls.push(password);
        await Promise.resolve();
        if (hash === 'broken') throw new Error('a stored password hash cannot be read');
        return hash === `hash of ${password}`;
      },
    });
    return { calls, passwords, pass: (ms: number) => (now += ms) };
  }

  test('are remembered for a minute, for one principal and one hash', async () => {
    const { calls, passwords, pass } = counted();
    expect(await passwords.verify('ann', 'hash of a', 'a')).toBe(true);
    pass(59_999);
    expect(await passwords.verify('ann', 'hash of a', 'a')).toBe(true);
    expect(calls).toHaveLength(1);
    pass(1);
    expect(await passwords.verify('ann', 'hash of a', 'a')).toBe(true);
    expect(calls).toHaveLength(2);
    expect(await passwords.verify('bob', 'hash of a', 'a')).toBe(true);
    expect(await passwords.verify('ann', 'hash of b', 'a')).toBe(false);
    expect(calls).toHaveLength(4);
  });

  test('wrong ones are, for a minute, for the address that sent them and one hash', async () => {
    const { calls, passwords, pass } = counted();
    const verify = (from: string, hash = 'hash of a') => passwords.verify('ann', hash, 'b', { from, slowly: (check) => check() });
    expect(await verify('home')).toBe(false);
    pass(59_999);
    expect(await verify('home')).toBe(false);
    expect(calls).toHaveLength(1);
    expect(await verify('elsewhere')).toBe(false);
    expect(calls).toHaveLength(2);
    pass(1);
    expect(await verify('home')).toBe(false);
    expect(calls).toHaveLength(3);
    // The password was changed to this one.
    expect(await verify('home', 'hash of b')).toBe(true);
  });

  test('the same credentials at the same time cost one verification, also where it fails', async () => {
    const { calls, passwords } = counted();
    const all = await Promise.all(Array.from({ length: 50 }, () => passwords.verify('ann', 'hash of a', 'a')));
    expect(new Set(all)).toEqual(new Set([true]));
    expect(calls).toHaveLength(1);
    const failed = await Promise.allSettled([1, 2].map(() => passwords.verify('ann', 'broken', 'a')));
    expect(failed.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
    expect(calls).toHaveLength(2);
  });

  test('the oldest are forgotten when there are too many', async () => {
    const { calls, passwords } = counted();
    for (let index = 0; index <= 4_096; index += 1) await passwords.verify(`user ${index}`, 'hash of a', 'a');
    calls.length = 0;
    await passwords.verify('user 4096', 'hash of a', 'a');
    expect(calls).toHaveLength(0);
    await passwords.verify('user 0', 'hash of a', 'a');
    expect(calls).toHaveLength(1);
  });

  test('right ones are slowed down but once, also when the minute is over; wrong ones when they are not remembered', async () => {
    const { passwords, pass } = counted();
    const slowed: string[] = [];
    const verify = (password: string, from = 'home') =>
      passwords.verify('ann', 'hash of a', password, {
        from,
        slowly: (check) => {
          slowed.push(password);
          return check();
        },
      });
    expect(await verify('b')).toBe(false);
    expect(await verify('c')).toBe(false);
    expect(await verify('b')).toBe(false);
    expect(await verify('a')).toBe(true);
    pass(3_600_000);
    expect(await verify('a', 'elsewhere')).toBe(true);
    expect(await verify('b')).toBe(false);
    expect(slowed).toEqual(['b', 'c', 'a', 'b']);
  });

  test('who waits in one place for a turn holds nobody up elsewhere with the same password', async () => {
    const { calls, passwords } = counted();
    const never = { from: 'far', slowly: () => new Promise<boolean>(() => undefined) };
    void passwords.verify('ann', 'hash of a', 'a', never);
    expect(await passwords.verify('ann', 'hash of a', 'a', { from: 'home', slowly: (check) => check() })).toBe(true);
    expect(calls).toEqual(['a']);
  });
});

describe('verified passwords, where strangers flood', () => {
  const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

  /** Scrypts that end one by one, and which began. */
  function flooded() {
    const scrypts: { readonly password: string; readonly end: () => void }[] = [];
    const begun: string[] = [];
    let now = 0;
    const passwords = new VerifiedPasswords({
      now: () => now,
      turns: new Turns({ atOnce: 2, waitingAtMost: 128 }),
      verifyPassword: (password, hash) => {
        begun.push(password);
        return new Promise((resolve) => scrypts.push({ password, end: () => resolve(hash === `hash of ${password}`) }));
      },
    });
    const attempt = (from: string, password: string) =>
      passwords
        .verify('ann', 'hash of right', password, { from, slowly: (check) => check() })
        .catch((error: unknown) => (error instanceof RefusalError ? error.refusal.refused : String(error)));
    const end = async (password?: string): Promise<void> => {
      await settled();
      const at = password === undefined ? 0 : scrypts.findIndex((one) => one.password === password);
      for (const one of scrypts.splice(at, 1)) one.end();
      await settled();
    };
    let guesses = 0;
    /** From each of many addresses as many attempts as make more than there is room for. */
    const flood = (addressOf: (index: number) => string, addresses = 17) => {
      for (let round = 0; round < 20; round += 1)
        for (let index = 0; index < addresses; index += 1) void attempt(addressOf(index), `guess ${(guesses += 1)}`);
    };
    return { begun, attempt, end, flood, pass: (ms: number) => void (now += ms) };
  }

  const v4 = (index: number): string => `192.0.2.${index}`;

  test('those that were right once wait for none of them, when the minute is over', async () => {
    const { begun, attempt, end, flood, pass } = flooded();
    const first = attempt('home', 'right');
    await end();
    expect(await first).toBe(true);
    pass(3_600_000);
    flood(v4);
    const again = attempt('elsewhere', 'right');
    await end();
    expect(begun.slice(1)).toEqual(['guess 1', 'guess 2', 'right']);
    await end('right');
    expect(await again).toBe(true);
  });

  test('those from an address of their own find room, and are next', async () => {
    const { begun, attempt, end, flood } = flooded();
    flood(v4);
    // Until none of the strangers is new.
    for (let index = 0; index < 40; index += 1) await end();
    flood(v4);
    const before = begun.length;
    const first = attempt('home', 'right');
    await end();
    expect(begun.slice(before)).toEqual(['right']);
    await end('right');
    expect(await first).toBe(true);
  });

  test('one site of IPv6 has one share, however many networks it has', async () => {
    const { begun, attempt, end, flood } = flooded();
    flood((index) => `2001:db8:1:${index.toString(16)}::1`, 200);
    const first = attempt('2001:db8:2::1', 'right');
    await end();
    await end();
    expect(begun).toContain('right');
    await end('right');
    expect(await first).toBe(true);
  });

  test('the same from many addresses at once cost one scrypt, in the turn of the first', async () => {
    const { begun, attempt, end } = flooded();
    const all = [1, 2, 3, 4].map((index) => attempt(v4(index), 'right'));
    await end();
    expect(await Promise.all(all)).toEqual([true, true, true, true]);
    expect(begun).toEqual(['right']);
  });
});
