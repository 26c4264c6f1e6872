// The commit worker, but it dies of a commit when its folder has a file named `die`, once.
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parentPort, workerData } from 'node:worker_threads';

const omen = join(workerData.folder, 'die');
const on = parentPort.on.bind(parentPort);
parentPort.on = (event, listener) =>
  on(event, (message) => {
    if (existsSync(omen)) {
      rmSync(omen);
      process.exit(1);
    }
    listener(message);
  });
await import('../../dist/keyvalue/lmdb-commit-worker.js');
