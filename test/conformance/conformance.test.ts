import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';

import { run, temporaryFolder } from '../support/processes.js';
import { startServer, type Server } from '../support/server.js';

/** The program of the folder conformance of github.com/opencontainers/distribution-spec, built with `go build`. */
const program = process.env['ARTS_TEST_CONFORMANCE'] ?? '';
const title = 'the OCI conformance program';

interface Case {
  readonly name: string;
  readonly status: string;
  readonly said: string;
}

/** The cases of a junit.xml as the program writes it; its exit status says too little. */
function readCases(xml: string): readonly Case[] {
  return [...xml.matchAll(/<testcase ([^>]*?)(?:\/>|>([\s\S]*?)<\/testcase>)/g)].map(([, attributes = '', body = '']) => {
    const value = (name: string): string => new RegExp(`\\b${name}="([^"]*)"`).exec(attributes)?.[1] ?? '';
    return { name: value('name'), status: value('status'), said: body.replace(/&#xA;/g, '\n').trim() };
  });
}

// 1.1 leaves the cancelling of an upload out by itself; 'dev' asks for it.
const isExpectedSkip = ({ name, said }: Case): boolean =>
  name.endsWith('/blob-post-cancel') && said.includes('is disabled in the configuration');

if (program === '') {
  const reason =
    'ARTS_TEST_CONFORMANCE is not set to it; it is built of github.com/opencontainers/distribution-spec, folder conformance';
  console.warn(`SKIPPED ${title}: ${reason}`);
  test.skip(`${title}: ${reason}`, () => undefined);
} else {
  describe(title, () => {
    let server: Server;
    beforeAll(async () => {
      server = await startServer({ env: { ARTS_SPARSE_MANIFESTS: 'true' } });
    });
    afterAll(() => server.remove());

    test.each(['1.1', 'dev'])('has nothing to say against version %s', { timeout: 600_000 }, async (version) => {
      const results = temporaryFolder('conformance');
      const { output } = await run(program, [], {
        cwd: results,
        env: {
          PATH: process.env['PATH'],
          HOME: results,
          OCI_REGISTRY: server.host,
          OCI_TLS: 'disabled',
          OCI_REPO1: 'p/r/one',
          OCI_REPO2: 'p/s/two',
          OCI_USERNAME: server.user,
          OCI_PASSWORD: server.password,
          OCI_VERSION: version,
          OCI_DATA_SPARSE: 'true',
          OCI_RESULTS_DIR: results,
        },
        timeoutMs: 500_000,
      });
      const cases = readCases(readFileSync(join(results, 'junit.xml'), 'utf8'));
      expect(cases.length, output.slice(-2_000)).toBeGreaterThan(500);
      const unexpected = cases.filter((one) => one.status !== 'passed' && !isExpectedSkip(one));
      expect(unexpected.map(({ name, status, said }) => `${status}: ${name}: ${said}`).slice(0, 10)).toEqual([]);
      const passed = cases.filter(({ status }) => status === 'passed').length;
      process.stderr.write(`conformance: version ${version}, ${passed} passed, ${cases.length - passed} skipped\n`);
    });
  });
}
