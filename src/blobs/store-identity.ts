import { randomUUID } from 'node:crypto';
import * as fs from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';

import { BlobStoreError, type BlobStore } from './blob-store.js';
import type { Directories } from './directories.js';
import { writeAll } from './file-bytes.js';
import { FILE_MODE, linked, unlessAbsent, type FileCalls } from './file-calls.js';
import type { LocalLayout } from './local-layout.js';
import { storing } from './storage-errors.js';

const fsync = promisify(fs.fsync);

const { O_CREAT, O_EXCL, O_WRONLY } = fs.constants;

/** The file STORE, which says whose blobs these are, and the empty file FOUNDED, which says that this store is set up. */
export function createStoreIdentity(
  calls: FileCalls,
  directories: Directories,
  { root, identity: file, founded }: LocalLayout,
): Pick<BlobStore, 'readIdentity' | 'isEmpty' | 'writeIdentity' | 'markFounded'> {
  async function readIdentity(): Promise<string | undefined> {
    return storing(`reading ${file}`, () => unlessAbsent(() => fs.promises.readFile(file, 'utf8')));
  }

  async function isEmpty(): Promise<boolean> {
    return storing(`reading ${root}`, async () => (await strangerIn(root)) === undefined);
  }

  async function writeIdentity(identity: string): Promise<void> {
    await storing(`writing ${file}`, async () => {
      const other = (await readIdentity()) === undefined ? await strangerIn(root) : 'STORE';
      if (other !== undefined)
        throw new BlobStoreError('not_empty', `${root} holds ${other}; a new store begins in an empty directory`);
      const temporary = `${file}.${randomUUID()}`;
      const opened = await calls.open(temporary, O_CREAT | O_EXCL | O_WRONLY, FILE_MODE);
      try {
        try {
          await writeAll(calls, opened, [Buffer.from(identity)], Buffer.byteLength(identity), 0);
          // The bytes first, then the name: a STORE without its content would be a store that nobody can open.
          await fsync(opened);
        } finally {
          await calls.close(opened);
        }
        // A link, since it refuses to replace the STORE of another process that begins at the same moment.
        if (!(await linked(calls, temporary, file))) {
          if ((await unlessAbsent(() => calls.stat(file))) !== undefined)
            throw new BlobStoreError('not_empty', `${root} has become another store meanwhile`);
          await calls.rename(temporary, file);
        }
      } finally {
        await unlessAbsent(() => calls.unlink(temporary));
      }
      await directories.sync(root);
    });
  }

  async function markFounded(): Promise<void> {
    await storing(`writing ${founded}`, async () => {
      if ((await unlessAbsent(() => calls.stat(founded))) !== undefined) return;
      await calls.close(await calls.open(founded, O_CREAT | O_WRONLY, FILE_MODE));
      await directories.sync(root);
    });
  }

  return { readIdentity, isEmpty, writeIdentity, markFounded };
}

/** What a directory holds besides its STORE that an empty store does not. A file system's own lost+found, and what a crash left of a STORE, do not count. */
async function strangerIn(root: string): Promise<string | undefined> {
  for (const name of await fs.promises.readdir(root)) {
    if (name === 'lost+found' || name === 'STORE' || name.startsWith('STORE.')) continue;
    if (name !== 'uploads' && name !== 'blobs') return name;
    const [inside] = await fs.promises.readdir(join(root, name));
    if (inside !== undefined) return `${name}/${inside}`;
  }
  return undefined;
}
