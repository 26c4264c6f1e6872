import type { ImagePath, Uid } from '../identifiers.js';
import { digestToBytes } from '../digest.js';
import { uuidItem } from '../keyvalue/keyspace.js';
import { aggregateUid, nothing, projection, type View } from './projection.js';
import { uidItem } from './repositories.js';
import { indexOf, type Reading } from './store.js';

/** The `<name>`s that have a manifest: the catalog. */
export const images = projection({
  name: 'images',
  version: 1,
  directory: 'registry',
  mode: 'inline',
  apply: {
    RepositoryCreated(event, view) {
      // Events of the first version do not say the project's id: such a repository's images are found, not listed.
      if (event.payload.projectId === undefined) return;
      view.set(['repository', uuidItem(aggregateUid(event))], Buffer.from(`${event.payload.projectId}/${event.payload.id}`));
    },
    RepositoryDeleted(event, view) {
      view.clear(['repository', uuidItem(aggregateUid(event))]);
    },
    async ManifestPushed(event, view) {
      const { image, digest } = event.payload;
      const repository = aggregateUid(event);
      view.set(['manifest', uuidItem(repository), image, digestToBytes(digest)], nothing);
      await changeCatalog(view, repository, image, (name) => view.set(['name', name, uuidItem(repository), image], nothing));
    },
    async ManifestDeleted(event, view) {
      const { image, digest } = event.payload;
      const repository = aggregateUid(event);
      view.clear(['manifest', uuidItem(repository), image, digestToBytes(digest)]);
      if ((await view.range(['manifest', uuidItem(repository), image], { limit: 1 })).length > 0) return;
      await changeCatalog(view, repository, image, (name) => view.clear(['name', name, uuidItem(repository), image]));
    },
  },
});

async function changeCatalog(view: View, repository: Uid, image: ImagePath, change: (name: string) => void): Promise<void> {
  const name = await view.get(['repository', uuidItem(repository)]);
  if (name !== undefined) change(image === '' ? name.toString() : `${name.toString()}/${image}`);
}

export interface CatalogEntry {
  readonly name: string;
  readonly repository: Uid;
}

/**
 * At most `limit` names behind a name, or behind an entry, in byte order of the whole name. A name stands twice while a deleted repository of the same name is
 * being emptied; the caller, who looks the repository up, drops the one that is not there.
 */
export async function listCatalog(
  reading: Reading,
  after: string | CatalogEntry | undefined,
  limit: number,
): Promise<readonly CatalogEntry[]> {
  const behind = typeof after === 'object' ? [after.name, uuidItem(after.repository)] : after === undefined ? undefined : [after];
  const found = await indexOf(reading, images).range(['name'], { limit, after: behind });
  return found.map(({ items }) => ({ name: String(items[0]), repository: uidItem(items[1]) }));
}
