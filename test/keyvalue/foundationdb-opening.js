// Opens the cluster file of its argument and says in one line how that went; loading the client library can be tried once in a process.
import { openFoundationDb } from '../../dist/keyvalue/foundationdb.js';

try {
  const database = await openFoundationDb({ clusterFile: process.argv[2] });
  await database.close();
  process.stdout.write('opened\n');
} catch (error) {
  process.stdout.write(`${error.name}: ${error.message}\n`);
}
