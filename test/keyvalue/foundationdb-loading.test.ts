import { spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';

import { DatabaseUnusableError } from '../../src/keyvalue/database.js';
import { selectApiVersion, whyNoBinary, type FdbError, type SelectApiVersion } from '../../src/keyvalue/foundationdb-binding.js';
import { coordinatorsIn } from '../../src/keyvalue/foundationdb-cluster-file.js';
import { temporaryFolder } from '../support/processes.js';
import { freePort } from '../support/server.js';

/** Opens a cluster file in a process of its own, and says how that ended: the library is loaded once in a process, and so found once. */
function opening(clusterFile: string, libraries: string | undefined): { readonly line: string; readonly seconds: number } {
  const script = fileURLToPath(new URL('foundationdb-opening.js', import.meta.url));
  const environment = { ...process.env, LD_LIBRARY_PATH: libraries };
  const started = performance.now();
  const { stdout, stderr } = spawnSync(process.execPath, [script, clusterFile], { env: environment, encoding: 'utf8' });
  expect(stderr).toBe('');
  return { line: stdout.trim(), seconds: (performance.now() - started) / 1_000 };
}

const libraries = process.env['LD_LIBRARY_PATH'];
const folder = temporaryFolder('fdb-loading');
const fileWith = (name: string, text: string): string => {
  const path = join(folder, name);
  writeFileSync(path, text);
  return path;
};
const somewhere = fileWith('fdb.cluster', 'test:test@127.0.0.1:1\n');

// What is installed decides what can go wrong here; where the library is in the system's folders, nothing takes it away.
const without = opening(somewhere, '/nonexistent').line;
const canBeMissing = without.includes('libfdb_c.so is not found');
const canBeLoaded = !opening(join(folder, 'nowhere.cluster'), libraries).line.includes('client library');
if (!canBeMissing) console.warn('SKIPPED a missing client library: libfdb_c.so is in the system’s folders');
if (!canBeLoaded) {
  console.warn(
    'SKIPPED what goes wrong after the client library was loaded: libfdb_c.so is not found; to get it: foundationdb-clients 7.3, and LD_LIBRARY_PATH where it is elsewhere than in the system’s folders',
  );
}

describe('opening a cluster without', () => {
  test.runIf(canBeMissing)('the client library says which package has it, in one line', () => {
    expect(without).toMatch(
      /^DatabaseUnusableError: the client library libfdb_c\.so is not found; .*foundationdb-clients 7\.3.*LD_LIBRARY_PATH/,
    );
    expect(without).not.toContain('\n');
  });

  test.runIf(canBeLoaded)('a cluster file names the file', () => {
    const path = join(folder, 'nowhere.cluster');
    const { line } = opening(path, libraries);
    expect(line).toMatch(/^DatabaseUnusableError: the cluster file .* is not there; /);
    expect(line).toContain(path);
  });

  test.runIf(canBeLoaded)('a cluster file of the form of one says the form', () => {
    const { line } = opening(fileWith('garbled.cluster', 'not a cluster\n'), libraries);
    expect(line).toContain('garbled.cluster is no cluster file; it has one line of the form description:id@host:port');
  });

  test.runIf(canBeLoaded)('an answer of the cluster ends within 10 s and names its coordinators', async () => {
    const address = `127.0.0.1:${await freePort()}`;
    const { line, seconds } = opening(fileWith('silent.cluster', `test:test@${address}\n`), libraries);
    expect(line).toMatch(/^DatabaseUnusableError: no answer within 6 s from the cluster of .*silent\.cluster, coordinators /);
    expect(line).toContain(address);
    expect(line).not.toContain('\n');
    expect(seconds).toBeLessThan(10);
  });
});

describe('a binary that does not load', () => {
  test('is told from one that is not there', () => {
    expect(whyNoBinary('libfdb_c.so: cannot open shared object file: No such file or directory')).toContain('is not found');
    expect(whyNoBinary('No native build was found for platform=linux arch=arm64 runtime=node\n    loaded from: x')).toMatch(
      /has no binary for .*linux-x64/,
    );
    expect(whyNoBinary('/x/node.napi.node: undefined symbol: fdb_future_get_keyvalue_array')).toContain('older than');
    expect(whyNoBinary('libstdc++.so.6: version `GLIBCXX_3.4.30` not found\nmore')).toMatch(
      /can't be loaded: libstdc\+\+[^\n]*$/,
    );
  });
});

describe('the API version', () => {
  class NumberedError extends Error {
    constructor(readonly code: number) {
      super(`error ${code}`);
    }
  }
  const isFdbError = (error: unknown): error is FdbError => error instanceof NumberedError;
  /** A library that knows these versions alone, and only under headers that are not newer. */
  const library =
    (newest: number, calls: (readonly [number, number | undefined])[]): SelectApiVersion =>
    (version, headers = 720) => {
      calls.push([version, headers]);
      if (version > newest || headers > newest) throw new NumberedError(2203);
    };

  test('is 720 of a client 7.2 or newer, and 710 of a client 7.1', () => {
    const calls: (readonly [number, number | undefined])[] = [];
    expect(selectApiVersion(library(730, calls), isFdbError)).toBe(720);
    expect(calls).toEqual([[720, 720]]);
    expect(selectApiVersion(library(710, calls), isFdbError)).toBe(710);
    expect(calls.slice(1)).toEqual([
      [720, 720],
      [710, 710],
    ]);
  });

  test('of an older client is refused, and so is whatever else goes wrong', () => {
    expect(() => selectApiVersion(library(630, []), isFdbError)).toThrow(/older than FoundationDB 7\.1/);
    const fails: SelectApiVersion = () => {
      throw new NumberedError(2201);
    };
    expect(() => selectApiVersion(fails, isFdbError)).toThrow(DatabaseUnusableError);
  });
});

describe('a cluster file', () => {
  test('names its coordinators, whatever comments and spaces it has', () => {
    const text =
      '# of the operators\n  prod_1:aZ09@10.0.0.1:4500,10.0.0.2:4500:tls,[::1]:4501,db-3.example.com:4500 # three and a half\n\n';
    expect(coordinatorsIn(text, 'x')).toEqual(['10.0.0.1:4500', '10.0.0.2:4500:tls', '[::1]:4501', 'db-3.example.com:4500']);
  });

  test.each([
    '',
    'x',
    'a:b@',
    'a:b@1.2.3.4',
    'a:b@1.2.3.4:4500,',
    'a@1.2.3.4:4500',
    'a b:c-d@1.2.3.4:4500',
    'a:b@1.2.3.4:4500 c:d@5.6.7.8:4500',
  ])('is not %j', (text) => {
    expect(() => coordinatorsIn(text, '/etc/x.cluster')).toThrow(/^\/etc\/x\.cluster is no cluster file; /);
  });
});
