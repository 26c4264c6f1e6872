// Ends with 3 while thousands of reads of the cluster of its argument are under way.
import { openFoundationDb } from '../../dist/keyvalue/foundationdb.js';

const database = await openFoundationDb({ clusterFile: process.argv[2] });

async function readForEver(number) {
  for (;;) await database.read((tx) => tx.get(Buffer.from(`artifact-store-tests/${number}`)));
}

for (let number = 0; number < 2_000; number += 1) void readForEver(number);
setTimeout(() => {
  // Answers pile up while this thread does something else.
  const until = performance.now() + 100;
  while (performance.now() < until);
  process.exit(3);
}, 500);
