// Prints what vitest's JSON report counts as one line, "N passed, N failed, N skipped", for those who don't know vitest's own summary.
import { readFileSync } from 'node:fs';

const counts = { passed: 0, failed: 0, skipped: 0 };
try {
  for (const { status, assertionResults } of JSON.parse(readFileSync(process.argv[2], 'utf8')).testResults) {
    for (const test of assertionResults) counts[test.status in counts ? test.status : 'skipped'] += 1;
    // A file that could not be read, or a hook that failed, has no failed test.
    if (status === 'failed' && assertionResults.every((test) => test.status !== 'failed')) counts.failed += 1;
  }
} catch (error) {
  console.error(`no report of the tests: ${error.message}`);
  counts.failed += 1;
}
console.log(`${counts.passed} passed, ${counts.failed} failed, ${counts.skipped} skipped`);
