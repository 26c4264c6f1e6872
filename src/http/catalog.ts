import type { FastifyReply } from 'fastify';

import { refuse, reject, RefusalError } from '../errors.js';
import { parseName, type RepositoryName, type Uid } from '../identifiers.js';
import type { Caller } from '../identity/caller.js';
import { refuseBarred } from '../identity/judge.js';
import { isBarred } from '../projections/principals.js';
import { listCatalog, type CatalogEntry } from '../projections/images.js';
import { findProject, type Project } from '../projections/projects.js';
import { principalsOf } from '../projections/grants.js';
import { findRepository, findRepositoryUid } from '../projections/repositories.js';
import { listRepositoriesOf } from '../projections/repository-access.js';
import { standingOnProject, standingOnRepository, type Standing } from '../projections/standing.js';
import type { Reading } from '../projections/store.js';
import { hasRoleAnywhere } from '../projections/targets.js';
import { openPlace, sealPlace } from './catalog-place.js';
import { deny, type Exchange, credentialOf } from './exchange.js';
import { linkToNext, listBytes, listOf, pageSize, sendList } from './paging.js';

// Without `n`: so many names, and a link to the rest.
const CATALOG_PAGE = 1_000;
const CATALOG_MAX = 10_000;
// What one request costs at most: whoever may see little of much gets short pages, and Links that go on.
const LOOKED_AT_MOST = 5_000;
const READ_AT_LEAST = 100;
// One after another, each would be a way to the cluster and back.
const JUDGED_AT_ONCE = 200;

/** The names with a manifest that the caller may pull, in byte order. Docker's registry HTTP API V2, "Listing Repositories". */
export async function getCatalog(exchange: Exchange): Promise<FastifyReply> {
  const { services, caller, query } = exchange;
  const scope = 'registry:catalog:*';
  if (caller.actor.kind === 'anonymous' && !caller.viaToken) throw new RefusalError(refuse('UNAUTHORIZED', { scope }));
  // What is a bad token by now is that before it is one of too little.
  const { store } = services.executor;
  const barred = await store.readCached(`barred ${credentialOf(caller)}`, (reading) => isBarred(reading, caller.actor));
  const refusal = refuseBarred(caller, barred ? 'barred' : undefined);
  if (refusal !== undefined) throw new RefusalError(refusal);
  const granted = caller.access?.some(
    (entry) => entry.type === 'registry' && entry.name === 'catalog' && entry.actions.includes('*'),
  );
  if (granted === false) throw new RefusalError(refuse('SCOPE_INSUFFICIENT', { scope }));
  const limit = pageSize(exchange, CATALOG_MAX) ?? CATALOG_PAGE;
  const last = query.get('last')?.replaceAll('\u0000', '');
  if (last !== undefined && last.length > 1_000) return reject('PAGE_INVALID', { reason: 'last is longer than any name' });
  const key = `catalog ${credentialOf(caller)} ${limit} ${last ?? ''}`;
  const read = async (reading: Reading) => {
    const { names, next } = await readCatalog(reading, caller, { last, limit });
    const link = next === undefined ? undefined : linkToNext('/v2/_catalog', { n: String(limit), last: next });
    return { list: listOf({ repositories: names }, link) };
  };
  return sendList(exchange, (await services.executor.store.readCached(key, read, listBytes)).list);
}

interface CatalogPage {
  readonly names: readonly string[];
  /** The `last` of the page after this one, where there may be more. */
  readonly next: string | undefined;
}

/** One page. Reads at most `lookAtMost` entries of the catalog, of everybody's; when they do not fill it, it is shorter, and may be empty, and has a `next`. */
export async function readCatalog(
  reading: Reading,
  caller: Caller,
  page: { readonly last: string | undefined; readonly limit: number; readonly lookAtMost?: number },
): Promise<CatalogPage> {
  const { last, limit, lookAtMost = LOOKED_AT_MOST } = page;
  if (limit === 0 || !(await hasRoleAnywhere(reading, caller.actor))) return { names: [], next: undefined };
  const sight = new Sight(reading, caller);
  const names: string[] = [];
  let after = last === undefined ? undefined : ((await openPlace(reading, last)) ?? last);
  let looks = lookAtMost;
  while (looks > 0) {
    const wanted = Math.min(looks, Math.max(limit + 1 - names.length, READ_AT_LEAST));
    const entries = await listCatalog(reading, after, wanted);
    looks -= entries.length;
    for (let first = 0; first < entries.length; first += JUDGED_AT_ONCE) {
      const some = entries.slice(first, first + JUDGED_AT_ONCE);
      const reached = await Promise.all(some.map((entry) => sight.reaches(entry)));
      for (const { name } of some.filter((_, index) => reached[index])) {
        // Names that the caller may see are a plain `last`, as other registries have it.
        if (names.length === limit) return { names, next: names.at(-1) };
        names.push(name);
      }
    }
    const end = entries.at(-1);
    if (end === undefined || entries.length < wanted) return { names, next: undefined };
    after = await sight.placeBehind(end);
  }
  return { names, next: after === undefined ? undefined : await sealPlace(reading, after) };
}

/** So many repositories with a role of their own are looked up, to pass over projects without one. */
const GRANTED_AT_MOST = 1_000;

/** What a caller may pull, by its role alone: a catalog's token is not for pulling. Asks for each project and each repository once. */
class Sight {
  readonly #reading: Reading;
  readonly #caller: Caller;
  readonly #projects = new Map<string, Promise<SeenProject | undefined>>();
  #granted: Promise<ReadonlySet<Uid> | undefined> | undefined;
  readonly #repositories = new Map<string, Promise<Uid | undefined>>();

  constructor(reading: Reading, caller: Caller) {
    this.#reading = reading;
    this.#caller = { ...caller, access: undefined };
  }

  /** Whether the entry's repository is still there under that name, and the caller may pull from it. */
  async reaches(entry: CatalogEntry): Promise<boolean> {
    const name = parseName(entry.name);
    return !('problem' in name) && (await this.#repository(name)) === entry.repository;
  }

  /** Where to read on behind an entry: behind its whole project, where the caller may see nothing of that. */
  async placeBehind(entry: CatalogEntry): Promise<string | CatalogEntry> {
    const name = parseName(entry.name);
    const hidden = !('problem' in name) && (await this.#hides(name));
    // All names are ASCII: what stands behind `<project>/` and the last of characters is of another project.
    return hidden ? `${name.project}/\u{10ffff}` : entry;
  }

  #repository(name: RepositoryName): Promise<Uid | undefined> {
    const find = async () => {
      const seen = await this.#project(name);
      if (seen === undefined) return undefined;
      const { project, above } = seen;
      const repository = await findRepositoryUid(this.#reading, project.uid, name.repository);
      if (repository === undefined) return undefined;
      const role = await standingOnRepository(this.#reading, this.#caller.actor, repository, above);
      return deny(this.#caller, 'pull', { name, repository, role }) === undefined ? repository : undefined;
    };
    return once(this.#repositories, `${name.project}/${name.repository}`, find);
  }

  #project(name: RepositoryName): Promise<SeenProject | undefined> {
    return once(this.#projects, name.project, async () => {
      const project = await findProject(this.#reading, name.project);
      if (project === undefined) return undefined;
      return { project, above: await standingOnProject(this.#reading, this.#caller.actor, project) };
    });
  }

  /** Whether the caller can see nothing of the name's project: no role there, nor on one of its repositories. */
  async #hides(name: RepositoryName): Promise<boolean> {
    const seen = await this.#project(name);
    if (seen === undefined) return true;
    if (seen.above !== undefined && seen.above !== 'barred') return false;
    const granted = await (this.#granted ??= this.#projectsWithGrants());
    return granted !== undefined && !granted.has(seen.project.uid);
  }

  /** Projects of repositories that the caller has a role on; undefined where they are too many to know. */
  async #projectsWithGrants(): Promise<ReadonlySet<Uid> | undefined> {
    const repositories = await listRepositoriesOf(this.#reading, principalsOf(this.#caller.actor), GRANTED_AT_MOST);
    if (repositories.length >= GRANTED_AT_MOST) return undefined;
    const found = await Promise.all(repositories.map((repository) => findRepository(this.#reading, repository)));
    return new Set(found.flatMap((record) => (record === undefined ? [] : [record.project])));
  }
}

interface SeenProject {
  readonly project: Project;
  /** The caller's role on it. */
  readonly above: Standing | undefined;
}

function once<T>(known: Map<string, Promise<T>>, key: string, find: () => Promise<T>): Promise<T> {
  const before = known.get(key);
  if (before !== undefined) return before;
  const found = find();
  known.set(key, found);
  return found;
}
