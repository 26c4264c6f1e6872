// Another process at the same store: takes one JSON command a line, answers with one JSON line. Runs the built engine.
import { readSync, writeSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { randomUUID } from 'node:crypto';
import { openLmdb } from '../../dist/keyvalue/lmdb.js';
import { DEFAULT_MAP_SIZE, WritableStore } from '../../dist/keyvalue/lmdb-store.js';

const [folder] = process.argv.slice(2);
// A full pipe must not lose an acknowledgement to a SIGKILL.
const say = (answer) => writeSync(1, `${JSON.stringify(answer)}\n`);
const key = (text) => Buffer.from(text);
const one = () => Buffer.from([1, 0, 0, 0, 0, 0, 0, 0]);

let database = await openLmdb(folder, { create: true });

/** Blocks the thread: stdin is a pipe that does not wait. */
function waitForLine() {
  for (;;) {
    try {
      if (readSync(0, Buffer.alloc(64)) > 0) return;
    } catch (error) {
      if (error.code !== 'EAGAIN') throw error;
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 5);
    }
  }
}

/** One increment, guarded by its marker: an attempt after an unknown outcome does nothing. */
async function increment(kind, counter, id) {
  await database.transact(async (tx) => {
    const marker = key(`marker/${counter}/${id}`);
    if ((await tx.get(marker)) !== undefined) return;
    tx.set(marker, Buffer.alloc(0));
    if (kind === 'add') tx.add(key(counter), 1n);
    else {
      const value = (await tx.get(key(counter)))?.readBigUInt64LE() ?? 0n;
      const bytes = Buffer.alloc(8);
      bytes.writeBigUInt64LE(value + 1n);
      tx.set(key(counter), bytes);
    }
  });
}

const commands = {
  stamp: async () => {
    let stamp;
    await database.transact(async (tx) => {
      stamp = tx.versionstamp();
      tx.setVersionstampedKey(Buffer.concat([key('stamp/'), Buffer.alloc(10)]), 6, Buffer.alloc(0));
    });
    return { stamp: (await stamp).toString('hex') };
  },

  /** Sets key after key and says so after each, until the process is killed. */
  setForEver: async () => {
    for (let number = 0; ; number += 1) {
      await database.transact(async (tx) => tx.set(key(`number/${number}`), Buffer.alloc(300)));
      say({ acknowledged: number });
    }
  },

  set: async ({ name }) => {
    await database.transact(async (tx) => tx.set(key(name), one()));
    return {};
  },

  /** Increments for ever with four calls at a time: shared and own counters, read and written, and added to. */
  incrementForEver: async ({ own }) => {
    const loop = async (kind, counter) => {
      for (;;) {
        const id = randomUUID();
        say({ trying: `marker/${counter}/${id}` });
        await increment(kind, counter, id);
        say({ acknowledged: `marker/${counter}/${id}` });
      }
    };
    await Promise.all([loop('write', 'same-write'), loop('add', 'same-add'), loop('write', own), loop('add', 'same-add')]);
  },

  /** Holds a read transaction and never lets go. */
  holdRead: () =>
    database.read(async (tx) => {
      await tx.get(key('a'));
      say({});
      await new Promise(() => undefined);
    }),

  /** Holds LMDB's write lock, and the guard's, until the next line comes. */
  holdLock: async () => {
    const store = WritableStore.open(folder, { create: false, mapSize: DEFAULT_MAP_SIZE });
    store.write(() => {
      say({ holding: true });
      waitForLine();
    });
    await store.close();
    return { released: true };
  },

  /** Closes the store and ends by itself. */
  close: async () => {
    await database.close();
    say({ closed: true });
    lines.close();
    process.stdin.destroy();
  },

  reopen: async ({ times }) => {
    for (let count = 0; count < times; count += 1) {
      await database.close();
      database = await openLmdb(folder, { create: false });
    }
    return {};
  },

  /** Writes until the file may not grow any more. */
  fill: async () => {
    process.on('SIGXFSZ', () => undefined);
    let written = 0;
    try {
      for (; written < 2_000; written += 1)
        await database.transact(async (tx) => tx.set(key(`fill/${written}`), Buffer.alloc(50_000)));
    } catch (error) {
      const both = await Promise.allSettled(['x', 'y'].map((name) => commands.fillOne({ name })));
      return { written, code: error.code, hasCause: error.cause instanceof Error, both: both.map(({ reason }) => reason?.code) };
    }
    return { written };
  },

  fillOne: async ({ name }) => {
    await database.transact(async (tx) => tx.set(key(name), Buffer.alloc(90_000)));
    return {};
  },
};

say({ ready: true });
const lines = createInterface({ input: process.stdin });
lines.on('line', (line) => {
  const { command, ...rest } = JSON.parse(line);
  // The lock's holder reads from stdin by itself.
  if (command === 'holdLock') process.stdin.pause();
  commands[command](rest).then(
    (answer) => {
      if (command === 'holdLock') process.stdin.resume();
      if (answer !== undefined) say(answer);
    },
    (error) => say({ error: String(error) }),
  );
});
lines.on('close', () => void database.close());
