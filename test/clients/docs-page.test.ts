import { expect, test } from 'vitest';

import { describeClient } from './workplace.js';

describeClient('the page of the API in a browser', ['chromium'], (place) => {
  test('shows every operation, and nothing of it is refused or missing', async () => {
    const { output, stdout } = await place.run('chromium', [
      '--headless',
      '--no-sandbox',
      '--disable-gpu',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
      `--user-data-dir=${place.newFolder('profile')}`,
      '--enable-logging=stderr',
      '--virtual-time-budget=20000',
      '--dump-dom',
      `${place.server.url}/api/docs`,
    ]);
    const description = (await place.client.request('GET', '/api/v1/openapi.json', { auth: 'none' })).expect(200);
    const { paths } = description.json() as { readonly paths: Readonly<Record<string, object>> };
    const operations = Object.values(paths).flatMap((item) => Object.values(item) as { readonly operationId: string }[]);
    expect(operations.length).toBeGreaterThan(50);
    const page = stdout.toString();
    for (const { operationId } of operations) expect(page).toContain(`-${operationId}"`);
    // What the browser refused by the page's policy, could not load, or what a script threw.
    expect(output.split('\n').filter((line) => line.includes(':CONSOLE'))).toEqual([]);
  });
});
