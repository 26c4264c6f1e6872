import * as fs from 'node:fs';
import { dirname } from 'node:path';
import { promisify } from 'node:util';

import { systemCode, type FileCalls } from './file-calls.js';

const fsync = promisify(fs.fsync);

const DIRECTORY_MODE = 0o750;

export interface Directories {
  /** Makes the directory and those above it, durably. Those made or checked here once are remembered. */
  ensure(path: string): Promise<void>;
  /** Makes it if it is not there; its name in the parent is durable only after `sync(parent)`. */
  make(path: string): Promise<void>;
  /** Forgets what `ensure` remembers of it, for when it turns out to be gone. */
  forget(path: string): void;
  /** Resolves once all names that were in the directory when this was called are durable. */
  sync(path: string): Promise<void>;
}

export function createDirectories(calls: FileCalls): Directories {
  // For the fan-out alone: two algorithms with 256 directories each, and what is above them.
  const durable = new Set<string>();
  const running = new Map<string, { readonly now: Promise<void>; next?: Promise<void> }>();

  async function syncNow(path: string): Promise<void> {
    const directory = await calls.open(path, fs.constants.O_RDONLY | fs.constants.O_DIRECTORY);
    try {
      await fsync(directory);
    } finally {
      await calls.close(directory);
    }
  }

  function start(path: string): Promise<void> {
    const entry = { now: syncNow(path) };
    running.set(path, entry);
    const over = () => {
      if (running.get(path) === entry) running.delete(path);
    };
    entry.now.then(over, over);
    return entry.now;
  }

  function sync(path: string): Promise<void> {
    const entry = running.get(path);
    if (entry === undefined) return start(path);
    // The running sync may have passed our name by; one that begins after it covers everyone who is waiting by then.
    entry.next ??= entry.now.then(
      () => start(path),
      () => start(path),
    );
    return entry.next;
  }

  async function make(path: string): Promise<void> {
    try {
      await calls.mkdir(path, DIRECTORY_MODE);
    } catch (error) {
      if (systemCode(error) !== 'EEXIST') throw error;
    }
  }

  async function ensure(path: string): Promise<void> {
    if (durable.has(path)) return;
    const parent = dirname(path);
    try {
      await make(path);
    } catch (error) {
      if (systemCode(error) !== 'ENOENT' || parent === path) throw error;
      durable.delete(parent);
      await ensure(parent);
      await make(path);
    }
    // Also when it was there already: whoever made it may have lost power, or be about to, before syncing its parent.
    await sync(parent);
    durable.add(path);
  }

  return { ensure, make, sync, forget: (path) => void durable.delete(path) };
}
