import { beforeAll, expect, test } from 'vitest';

import { randomImage } from '../support/client.js';
import { makePublic } from '../support/public-repository.js';
import type { Tool } from './tools.js';
import { describeClient } from './workplace.js';

/** How a client pulls without a login, and pushes what it pulled. */
const clients: readonly {
  readonly tool: Tool;
  readonly pull: (reference: string, folder: string) => readonly string[];
  readonly push: (folder: string, reference: string) => readonly string[];
}[] = [
  {
    tool: 'crane',
    pull: (reference, folder) => ['pull', '--format', 'oci', reference, folder],
    push: (folder, reference) => ['push', folder, reference],
  },
  {
    tool: 'skopeo',
    pull: (reference, folder) => ['copy', '--src-tls-verify=false', `docker://${reference}`, `oci:${folder}:1`],
    push: (folder, reference) => ['copy', '--dest-tls-verify=false', `oci:${folder}:1`, `docker://${reference}`],
  },
];

for (const { tool, pull, push } of clients) {
  describeClient(`${tool} without a login`, [tool], (place) => {
    beforeAll(async () => {
      for (const name of ['acme/open', 'acme/closed'])
        await place.client.pushImage(name, '1', randomImage({ layerBytes: 1_000 }));
      await makePublic(place.client, 'acme', 'open');
    });

    test('pulls the public image, and neither the private one beside it nor one that is not there', async () => {
      await place.run(tool, pull(place.reference('acme/open:1'), place.path('open')));
      const denied = /unauthorized|authentication required|denied/i;
      for (const name of ['acme/closed', 'acme/absent', 'none/absent']) {
        expect(await place.refused(tool, pull(place.reference(`${name}:1`), place.path('none')))).toMatch(denied);
      }
      expect(await place.refused(tool, push(place.path('open'), place.reference('acme/open:2')))).toMatch(denied);
      expect(await place.client.tags('acme/open')).toEqual(['1']);
    });
  });
}
