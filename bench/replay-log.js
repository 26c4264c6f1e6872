import { createHash } from 'node:crypto';

/** @typedef {import('../src/events/types.ts').EventEnvelope} EventEnvelope */
/** @typedef {import('../src/events/types.ts').EventPayload} EventPayload */
/** @typedef {import('../src/events/types.ts').Stream} Stream */
/** @typedef {import('../src/digest.ts').Digest} Digest */
/** @typedef {import('../src/identifiers.ts').Uid} Uid */
/** @typedef {import('../src/identifiers.ts').ImagePath} ImagePath */
/** @typedef {import('../src/identifiers.ts').Tag} Tag */
/** @typedef {{ envelope: EventEnvelope, content: Buffer | undefined }} LoggedEvent an event, and the manifest that it puts beside the log */

const REPOSITORIES = 40;
/** @type {readonly ImagePath[]} */
const IMAGES = /** @type {never} */ (['', 'api', 'backend/worker']);
const FLOATING = ['latest', 'main', 'nightly', 'staging'];
/** An image keeps so many builds; older ones are deleted with their tags. */
const KEPT_BUILDS = 400;
const MANIFEST_TYPE = 'application/vnd.oci.image.manifest.v1+json';

const startedAt = Date.UTC(2026, 0, 1);
let counter = 0;

/** The same ones in every run. @returns {Uid} */
function uid() {
  counter += 1;
  const random = createHash('md5').update(`uid ${counter}`).digest('hex');
  const time = (startedAt + counter).toString(16).padStart(12, '0');
  return /** @type {Uid} */ (
    `${time.slice(0, 8)}-${time.slice(8)}-7${random.slice(0, 3)}-8${random.slice(3, 6)}-${random.slice(6, 18)}`
  );
}

/** @param {string | Buffer} data @returns {Digest} */
function sha256(data) {
  return /** @type {Digest} */ (`sha256:${createHash('sha256').update(data).digest('hex')}`);
}

/**
 * A team's years: builds that push a layer, a config and a manifest into some image, name it after the build, and move a floating tag to it. What an image has too
 * many of is deleted. Six events for each build, and four for each that goes.
 * @param {number} events
 * @returns {Generator<LoggedEvent>}
 */
export function* makeLog(events) {
  counter = 0;
  const project = uid();
  const repositories = Array.from({ length: REPOSITORIES }, () => uid());
  /** @type {Map<string, { digest: Digest, layer: Digest, tag: Tag }[]>} */
  const builds = new Map();
  /** @type {Map<string, Digest>} */
  const floating = new Map();
  let made = 0;
  for (const [index, repository] of repositories.entries()) {
    made += 1;
    yield logged(`repository/${repository}`, {
      kind: 'RepositoryCreated',
      project,
      projectId: /** @type {never} */ ('shop'),
      id: /** @type {never} */ (`service-${index}`),
      origin: 'push',
      scanning: false,
    });
  }
  for (let build = 0; made < events; build += 1) {
    for (const event of pushBuild(build, repositories, builds, floating)) {
      if (made === events) return;
      made += 1;
      yield event;
    }
  }
}

/**
 * @param {number} build @param {readonly Uid[]} repositories
 * @param {Map<string, { digest: Digest, layer: Digest, tag: Tag }[]>} builds @param {Map<string, Digest>} floating
 * @returns {Generator<LoggedEvent>}
 */
function* pushBuild(build, repositories, builds, floating) {
  const number = createHash('md5').update(`build ${build}`).digest().readUInt32BE();
  const repository = /** @type {Uid} */ (repositories[number % REPOSITORIES]);
  const image = /** @type {ImagePath} */ (IMAGES[(number >>> 8) % IMAGES.length]);
  const stream = `repository/${repository}`;
  const layer = sha256(`layer ${build}`);
  const config = sha256(`config ${build}`);
  const size = 1_000_000 + (number % 50_000_000);
  const content = Buffer.from(
    JSON.stringify({
      schemaVersion: 2,
      mediaType: MANIFEST_TYPE,
      config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: config, size: 2_048 },
      layers: [sha256('base 1'), sha256('base 2'), layer].map((digest) => ({
        mediaType: 'application/vnd.oci.image.layer.v1.tar+gzip',
        digest,
        size,
      })),
    }),
  );
  const digest = sha256(content);
  const tag = /** @type {Tag} */ (`build-${build}-${digest.slice(7, 14)}`);
  const moving = /** @type {Tag} */ (FLOATING[(number >>> 16) % FLOATING.length]);
  yield logged(`blob/${layer}`, { kind: 'BlobStored', digest: layer, size, generation: uid() });
  yield logged(stream, { kind: 'BlobPushed', digest: layer, size });
  yield logged(stream, { kind: 'BlobPushed', digest: config, size: 2_048 });
  const described = { artifactType: undefined, subject: undefined, config, layersSize: 3 * size };
  yield logged(
    stream,
    { kind: 'ManifestPushed', image, digest, mediaType: MANIFEST_TYPE, size: content.length, ...described },
    content,
  );
  yield logged(stream, { kind: 'TagMoved', image, tag, digest, previous: undefined });
  const place = `${repository}/${image}:${moving}`;
  yield logged(stream, { kind: 'TagMoved', image, tag: moving, digest, previous: floating.get(place) });
  floating.set(place, digest);
  yield* deleteOldest(stream, image, { digest, layer, tag }, builds, floating);
}

/**
 * @param {string} stream @param {ImagePath} image @param {{ digest: Digest, layer: Digest, tag: Tag }} newest
 * @param {Map<string, { digest: Digest, layer: Digest, tag: Tag }[]>} builds @param {Map<string, Digest>} floating
 * @returns {Generator<LoggedEvent>}
 */
function* deleteOldest(stream, image, newest, builds, floating) {
  const place = `${stream}/${image}`;
  const kept = builds.get(place) ?? [];
  builds.set(place, kept);
  kept.push(newest);
  const oldest = kept.length > KEPT_BUILDS ? kept.shift() : undefined;
  if (oldest === undefined) return;
  yield logged(stream, { kind: 'TagDeleted', image, tag: oldest.tag, digest: oldest.digest });
  for (const name of FLOATING) {
    const at = `${place.slice('repository/'.length)}:${name}`;
    if (floating.get(at) !== oldest.digest) continue;
    floating.delete(at);
    yield logged(stream, { kind: 'TagDeleted', image, tag: /** @type {Tag} */ (name), digest: oldest.digest });
  }
  yield logged(stream, { kind: 'ManifestDeleted', image, digest: oldest.digest });
  yield logged(stream, { kind: 'BlobUnlinked', digest: oldest.layer });
}

/** @param {string} stream @param {EventPayload} payload @param {Buffer} [content] @returns {LoggedEvent} */
function logged(stream, payload, content) {
  const id = uid();
  const request = uid();
  const envelope = {
    id,
    stream: /** @type {Stream} */ (stream),
    occurredAt: (startedAt + counter) * 1_000,
    actor: { kind: /** @type {const} */ ('user'), uid: actor, authentication: /** @type {const} */ ('token') },
    requestId: request,
    commandId: request,
    correlationId: request,
    causationId: undefined,
    clientHash,
    payload,
  };
  return { envelope, content };
}

const actor = /** @type {Uid} */ ('0190a000-0000-7000-8000-aaaaaaaaaaaa');
const clientHash = createHash('sha256').update('a client').digest('hex');
