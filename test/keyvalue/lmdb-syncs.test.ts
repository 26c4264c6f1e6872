import type * as Fs from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test, vi } from 'vitest';

import { WritableStore } from '../../src/keyvalue/lmdb-store.js';

const { paths, synced } = vi.hoisted(() => ({ paths: new Map<number, string>(), synced: [] as (string | undefined)[] }));

vi.mock('node:fs', async (importOriginal) => {
  const fs = await importOriginal<typeof Fs>();
  return {
    ...fs,
    openSync: (path: string, flags: string) => {
      const descriptor = fs.openSync(path, flags);
      paths.set(descriptor, path);
      return descriptor;
    },
    fsyncSync: (descriptor: number) => {
      synced.push(paths.get(descriptor));
      fs.fsyncSync(descriptor);
    },
  };
});

let base: string;

beforeEach(async () => {
  base = await mkdtemp(join(tmpdir(), 'lmdb-'));
  synced.length = 0;
});

afterEach(async () => {
  await rm(base, { recursive: true, force: true });
});

const openAndClose = async (folder: string): Promise<void> => {
  await WritableStore.open(folder, { create: true, mapSize: 2 ** 30 }).close();
};

test('a new store syncs its guard, its folder, and every level that it made with the one above', async () => {
  const folder = join(base, 'one', 'two', 'three');
  await openAndClose(folder);
  expect(synced).toEqual([join(folder, 'guard.mdb'), folder, join(base, 'one', 'two'), join(base, 'one'), base]);
});

test('a store that another process made is synced as well: that one may have died before it did', async () => {
  const folder = join(base, 'one');
  await openAndClose(folder);
  synced.length = 0;
  await openAndClose(folder);
  expect(synced).toEqual([join(folder, 'guard.mdb'), folder, base]);
});
