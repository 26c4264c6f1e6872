import type { Position } from '../events/position.js';
import type { RepositorySettings } from '../events/types.js';
import type { Uid } from '../identifiers.js';
import { uuidItem } from '../keyvalue/keyspace.js';
import { aggregateUid, decodeJson, encodeJson, nothing, projection } from './projection.js';
import { uidItem } from './repositories.js';
import { indexOf, liveIndexOf, type Reading } from './store.js';
import { splitPosition } from './views.js';

/** The settings of each repository, and the repositories of each project in the order of their making. */
export const repositoryDetails = projection({
  name: 'repository-details',
  version: 1,
  directory: 'registry',
  mode: 'inline',
  apply: {
    RepositoryCreated(event, view) {
      const uid = uuidItem(aggregateUid(event));
      const { project, scanning } = event.payload;
      view.set(['settings', uid], encodeJson({ ...defaultSettings, scanning } satisfies RepositorySettings));
      view.setWithPosition(['made', uid], nothing);
      view.set(['in', uuidItem(project), uid], nothing);
    },
    RepositorySettingsChanged(event, view) {
      const { displayName, description, scanning, immutableTags, immutableTagExemptions } = event.payload;
      const settings = { displayName, description, scanning, immutableTags, immutableTagExemptions };
      view.set(['settings', uuidItem(aggregateUid(event))], encodeJson(settings satisfies RepositorySettings));
    },
    RepositoryDeletionBegun(event, view) {
      const uid = uuidItem(aggregateUid(event));
      view.clear(['settings', uid]);
      view.clear(['made', uid]);
      view.clear(['in', uuidItem(event.payload.project), uid]);
    },
  },
});

/** The tags of cosign's signatures and of the referrers of clients that know no API for them are moved by every new one. `<hex>`: commands/immutable-tags.ts. */
export const DEFAULT_EXEMPTIONS = ['sha256-<hex>*', 'sha512-<hex>*'] as const;

/** Of a repository about which nobody has said anything. */
export const defaultSettings: RepositorySettings = {
  displayName: '',
  description: '',
  scanning: false,
  immutableTags: false,
  immutableTagExemptions: DEFAULT_EXEMPTIONS,
};

/** Of a repository that is there. Costs one read. While a store of an older release has no such index yet, nobody can have changed them. */
export async function findSettings(reading: Reading, repository: Uid): Promise<RepositorySettings> {
  const value = await liveIndexOf(reading, repositoryDetails)?.get(['settings', uuidItem(repository)]);
  return value === undefined ? defaultSettings : decodeJson<RepositorySettings>(value);
}

/** Where a repository was made. Throws ProjectionNotLiveError. Costs one read. */
export async function findRepositoryCreation(reading: Reading, repository: Uid): Promise<Position | undefined> {
  const value = await indexOf(reading, repositoryDetails).get(['made', uuidItem(repository)]);
  return value === undefined ? undefined : splitPosition(value).position;
}

/** A project's repositories in the order of their making, or the other way round, behind `after`. Throws ProjectionNotLiveError. */
export async function listRepositoriesByTime(
  reading: Reading,
  project: Uid,
  page: { readonly limit: number; readonly after?: Uid | undefined; readonly newestFirst?: boolean },
): Promise<readonly Uid[]> {
  const index = indexOf(reading, repositoryDetails);
  const { limit, newestFirst: reverse = false } = page;
  const behind = page.after === undefined ? undefined : [uuidItem(page.after)];
  const found = await index.range(['in', uuidItem(project)], { limit, reverse, [reverse ? 'before' : 'after']: behind });
  return found.map(({ items }) => uidItem(items[0]));
}
