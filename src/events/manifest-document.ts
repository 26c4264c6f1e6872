import { algorithmOf, digestForm, isDigestAlgorithm, parseDigest, type Digest } from '../digest.js';

/** distribution-spec 1.1, "Pushing manifests": registries SHOULD take 4 MiB. The caller counts; nothing here looks at the length. */
export const MANIFEST_MAX_BYTES = 4 * 1024 * 1024;
/** More would not fit one transaction. */
export const MANIFEST_MAX_DESCRIPTORS = 4_000;
/** Real manifests are 5 deep. 4 MiB of brackets would hold the event loop in JSON.parse for more than a second. */
export const MANIFEST_MAX_DEPTH = 100;
/** RFC 6838 names end at 255 characters, but Content-Type parameters follow them in real artifact types; the event has room for this. */
export const MEDIA_TYPE_MAX_LENGTH = 1_024;

const kinds = {
  'application/vnd.oci.image.manifest.v1+json': 'image',
  'application/vnd.oci.image.index.v1+json': 'index',
  'application/vnd.docker.distribution.manifest.v2+json': 'image',
  'application/vnd.docker.distribution.manifest.list.v2+json': 'index',
} as const;

export type ManifestMediaType = keyof typeof kinds;
export const manifestMediaTypes = Object.keys(kinds) as readonly ManifestMediaType[];
const acceptedTypes = manifestMediaTypes.join(', ');

export function isManifestMediaType(text: string): text is ManifestMediaType {
  return Object.hasOwn(kinds, text);
}

export type DescriptorRole = 'config' | 'layer' | 'manifest' | 'blob' | 'subject';

/** What this registry reads of a descriptor; all its other fields are only in the manifest's bytes. */
export interface ManifestDescriptor {
  /** `manifest` and `blob` are an index's entries: which of the two it is looked up as follows from its media type. */
  readonly role: DescriptorRole;
  readonly mediaType: string;
  readonly digest: Digest;
  readonly size: number;
  /** False for foreign and non-distributable layers, which need not be here. */
  readonly distributable: boolean;
  /** Where it stands: `config`, `layers[3]`, `manifests[0]`, `subject`. */
  readonly path: string;
}

interface DocumentBase {
  readonly mediaType: ManifestMediaType;
  /** As referrers show it: the manifest's own, else an image's config media type. Absent for an index without one. */
  readonly artifactType?: string;
  readonly subject?: ManifestDescriptor;
  readonly annotations?: Readonly<Record<string, string>>;
  /** Empty for an index. */
  readonly layers: readonly ManifestDescriptor[];
  /** Empty for an image. */
  readonly entries: readonly ManifestDescriptor[];
  /** The sum of all layers' sizes, the non-distributable ones included; 0 for an index. */
  readonly layersSize: number;
}

export interface ImageDocument extends DocumentBase {
  readonly kind: 'image';
  readonly config: ManifestDescriptor;
}

export interface IndexDocument extends DocumentBase {
  readonly kind: 'index';
  readonly config?: undefined;
}

export type ManifestDocument = ImageDocument | IndexDocument;

/** Why bytes are no manifest. `field` is `Content-Type` or a path such as `layers[3].digest`; absent when the bytes are no JSON object. */
export interface ManifestProblem {
  readonly reason: string;
  readonly field?: string;
}

/** Something that must be there before the manifest can be pushed. */
export interface Requirement {
  readonly kind: 'blob' | 'manifest';
  readonly digest: Digest;
  readonly size: number;
  readonly mediaType: string;
  readonly path: string;
}

/**
 * Reads pushed bytes as a manifest. Never throws. It checks what the registry and every client rely on; it does not check that what the manifest
 * names is there, nor its digest, nor anything inside configs and layers.
 */
export function parseManifest(bytes: Buffer, contentType: string | undefined): ManifestDocument | ManifestProblem {
  const header = bareType(contentType);
  if (header !== undefined && !isManifestMediaType(header)) {
    return problem('Content-Type', `Content-Type is ${show(header)}; ${unaccepted(header)}accepted are ${acceptedTypes}`);
  }
  const parsed = parseRoot(bytes);
  if (isProblem(parsed)) return parsed;
  const { root } = parsed;
  const mediaType = effectiveType(root, header);
  if (isProblem(mediaType)) return mediaType;
  return kinds[mediaType] === 'image' ? readImage(root, mediaType) : readIndex(root, mediaType);
}

/**
 * The distinct blobs and manifests that must exist, each with the first place that names it. The subject is not among them (it may come later or
 * never), nor are layers that may not be distributed.
 */
export function descriptorsToFind(document: ManifestDocument): readonly Requirement[] {
  const found = new Map<string, Requirement>();
  const named = [...(document.config === undefined ? [] : [document.config]), ...document.layers, ...document.entries];
  for (const { role, digest, size, mediaType, path, distributable } of named) {
    const kind = role === 'manifest' ? 'manifest' : 'blob';
    const key = `${kind} ${digest}`;
    if (distributable && !found.has(key)) found.set(key, { kind, digest, size, mediaType, path });
  }
  return [...found.values()];
}

type Json = Readonly<Record<string, unknown>>;

function readImage(root: Json, mediaType: ManifestMediaType): ImageDocument | ManifestProblem {
  // CVE-2021-41190: what one client reads as an image and another as an index lets its author show each of them something else.
  if (present(root['manifests'])) return misplaced('manifests', mediaType);
  if (!present(root['config'])) return problem('config', `config is missing; ${mediaType} needs a descriptor there`);
  // image-spec 1.1 does not call layers REQUIRED (images FROM scratch go without), and Go writes null for a list that was never made.
  const list = descriptorList(root['layers'] ?? [], 'layers');
  if (isProblem(list)) return list;
  const common = readCommon(root, list.length + 1);
  if (isProblem(common)) return common;
  const config = readDescriptor(root['config'], 'config', 'config');
  if (isProblem(config)) return config;
  const layers = readAll(list, 'layers', () => 'layer');
  if (isProblem(layers)) return layers;
  const conflict = findSizeConflict([config, ...layers]);
  if (conflict !== undefined) return conflict;
  const layersSize = layers.reduce((sum, layer) => sum + layer.size, 0);
  if (!Number.isSafeInteger(layersSize)) {
    return problem(
      'layers',
      `layers have sizes that add up to more than ${Number.MAX_SAFE_INTEGER} bytes, the most that is accepted`,
    );
  }
  // distribution-spec 1.1, "Listing Referrers": empty or missing becomes the config's media type.
  return { kind: 'image', mediaType, artifactType: config.mediaType, ...common, config, layers, entries: [], layersSize };
}

function readIndex(root: Json, mediaType: ManifestMediaType): IndexDocument | ManifestProblem {
  for (const field of ['config', 'layers']) if (present(root[field])) return misplaced(field, mediaType);
  // image-spec 1.1: manifests MUST be present and MAY be empty. null is how Go writes an empty one.
  if (root['manifests'] === undefined)
    return problem('manifests', `manifests is missing; ${mediaType} needs an array of descriptors there`);
  const list = descriptorList(root['manifests'] ?? [], 'manifests');
  if (isProblem(list)) return list;
  const common = readCommon(root, list.length);
  if (isProblem(common)) return common;
  // BuildKit's registry cache lists layers and its configuration directly in an index.
  const entries = readAll(list, 'manifests', (type) => (isManifestMediaType(bareType(type) ?? '') ? 'manifest' : 'blob'));
  if (isProblem(entries)) return entries;
  return findSizeConflict(entries) ?? { kind: 'index', mediaType, ...common, layers: [], entries, layersSize: 0 };
}

type Common = Pick<DocumentBase, 'artifactType' | 'subject' | 'annotations'>;

function readCommon(root: Json, others: number): Common | ManifestProblem {
  if (root['schemaVersion'] !== 2) {
    const hint = root['schemaVersion'] === 1 ? ' (Docker schema 1 is no longer accepted; push with a newer client)' : '';
    return problem('schemaVersion', `schemaVersion is ${show(root['schemaVersion'])}; accepted is the number 2${hint}`);
  }
  const count = others + (present(root['subject']) ? 1 : 0);
  if (count > MANIFEST_MAX_DESCRIPTORS) {
    const field = present(root['manifests']) ? 'manifests' : 'layers';
    return problem(
      field,
      `the manifest names ${count} descriptors, most of them in ${field}; at most ${MANIFEST_MAX_DESCRIPTORS} are accepted`,
    );
  }
  const artifactType = root['artifactType'] ?? '';
  const wrongType = artifactType === '' ? undefined : checkMediaType(artifactType, 'artifactType');
  if (wrongType !== undefined) return wrongType;
  const wrongAnnotation = checkAnnotations(root['annotations'], 'annotations');
  if (wrongAnnotation !== undefined) return wrongAnnotation;
  const subject = present(root['subject']) ? readDescriptor(root['subject'], 'subject', 'subject') : undefined;
  if (isProblem(subject)) return subject;
  return {
    ...(artifactType === '' ? {} : { artifactType: artifactType as string }),
    ...(present(root['annotations']) ? { annotations: root['annotations'] as Record<string, string> } : {}),
    ...(subject === undefined ? {} : { subject }),
  };
}

/** The type that the manifest is stored and served under. The header alone is enough for OCI types; nothing is guessed from the content. */
function effectiveType(root: Json, header: ManifestMediaType | undefined): ManifestMediaType | ManifestProblem {
  const field = root['mediaType'] ?? '';
  if (field === '' && header === undefined) {
    return problem(
      'Content-Type',
      `there is neither a Content-Type nor a mediaType; send one of ${acceptedTypes} as Content-Type`,
    );
  }
  if (typeof field !== 'string') return problem('mediaType', `mediaType is ${show(field)}; accepted are ${acceptedTypes}`);
  if (field !== '' && !isManifestMediaType(field)) {
    return problem('mediaType', `mediaType is ${show(field)}; ${unaccepted(field)}accepted are ${acceptedTypes}`);
  }
  if (field !== '' && header !== undefined && field !== header) {
    return problem('mediaType', `mediaType is ${show(field)}, but Content-Type is ${show(header)}; both must be the same`);
  }
  // docker will not pull a manifest of its own types that lacks the field, and every pusher of them writes it.
  if (field === '' && header?.startsWith('application/vnd.docker.') === true) {
    return problem('mediaType', `mediaType is missing; docker does not pull ${header} unless mediaType says so, too`);
  }
  return header ?? (field as ManifestMediaType);
}

function readAll(
  list: readonly unknown[],
  name: string,
  roleOf: (mediaType: string) => DescriptorRole,
): readonly ManifestDescriptor[] | ManifestProblem {
  const descriptors: ManifestDescriptor[] = [];
  for (const [index, value] of list.entries()) {
    const descriptor = readDescriptor(value, `${name}[${index}]`, roleOf);
    if (isProblem(descriptor)) return descriptor;
    descriptors.push(descriptor);
  }
  return descriptors;
}

function readDescriptor(
  value: unknown,
  path: string,
  role: DescriptorRole | ((mediaType: string) => DescriptorRole),
): ManifestDescriptor | ManifestProblem {
  if (!isObject(value))
    return problem(path, `${path} is ${show(value)}; accepted is a descriptor: an object with mediaType, digest and size`);
  const { mediaType, digest, size } = value;
  const wrong =
    checkMediaType(mediaType, `${path}.mediaType`) ??
    checkDigest(digest, `${path}.digest`) ??
    checkSize(size, `${path}.size`) ??
    checkData(value['data'], size as number, `${path}.data`) ??
    checkAnnotations(value['annotations'], `${path}.annotations`);
  if (wrong !== undefined) return wrong;
  const type = mediaType as string;
  return {
    role: typeof role === 'string' ? role : role(type),
    mediaType: type,
    digest: digest as Digest,
    size: (size as number) + 0, // -0 becomes 0
    distributable: !isNonDistributable(type),
    path,
  };
}

// Any media type passes, RFC 6838 or not: image-spec 1.1 says MUST NOT error on an unknown one. Printable ASCII survives headers, events and logs.
function checkMediaType(value: unknown, field: string): ManifestProblem | undefined {
  if (typeof value === 'string' && value.length <= MEDIA_TYPE_MAX_LENGTH && /^[\x20-\x7e]+$/.test(value) && value.trim() !== '')
    return undefined;
  const length =
    typeof value === 'string' && value.length > MEDIA_TYPE_MAX_LENGTH ? `${value.length} characters long` : show(value);
  return problem(
    field,
    `${field} is ${length}; accepted is a media type, 1 to ${MEDIA_TYPE_MAX_LENGTH} printable ASCII characters`,
  );
}

function checkDigest(value: unknown, field: string): ManifestProblem | undefined {
  if (typeof value !== 'string') return problem(field, `${field} is ${show(value)}; accepted is ${digestForm}`);
  if (parseDigest(value) !== undefined) return undefined;
  const colon = value.indexOf(':');
  if (colon < 1) return problem(field, `${field} is ${show(value)}, without an algorithm; accepted is ${digestForm}`);
  const algorithm = value.slice(0, colon);
  if (!isDigestAlgorithm(algorithm)) {
    return problem(field, `${field} has the algorithm ${show(algorithm)}; accepted are sha256 and sha512`);
  }
  const digits = algorithm === 'sha256' ? 64 : 128;
  const hex = value.slice(colon + 1);
  const has =
    hex.length === digits
      ? `something else than lower-case hex digits after ${algorithm}:`
      : `${hex.length} characters after ${algorithm}:`;
  return problem(field, `${field} has ${has}; accepted are ${digits} lower-case hex digits`);
}

function checkSize(value: unknown, field: string): ManifestProblem | undefined {
  if (typeof value === 'number' && Number.isSafeInteger(value) && value >= 0) return undefined;
  return problem(field, `${field} is ${show(value)}; accepted is a whole number of bytes from 0 to ${Number.MAX_SAFE_INTEGER}`);
}

// image-spec 1.1, "Embedded Content": a client reads data in place of the blob. Its length is compared; its digest is the client's to verify.
function checkData(value: unknown, size: number, field: string): ManifestProblem | undefined {
  if (!present(value)) return undefined;
  const length = typeof value === 'string' ? base64Length(value) : undefined;
  if (length === undefined)
    return problem(field, `${field} is not base64; accepted is the content in the standard alphabet, with padding`);
  if (length !== size)
    return problem(field, `${field} holds ${length} bytes; the descriptor's size is ${size}, and both must be the same`);
  return undefined;
}

/** How many bytes the text stands for, without decoding it; undefined when it is no base64 (RFC 4648, section 4). */
function base64Length(text: string): number | undefined {
  const padding = text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0;
  if (text.length % 4 !== 0 || /[^A-Za-z0-9+/]/.test(text.slice(0, text.length - padding))) return undefined;
  return (text.length / 4) * 3 - padding;
}

function checkAnnotations(value: unknown, field: string): ManifestProblem | undefined {
  if (!present(value)) return undefined;
  if (!isObject(value)) return problem(field, `${field} is ${show(value)}; accepted is a map of strings to strings`);
  for (const [key, text] of Object.entries(value)) {
    if (typeof text === 'string') continue;
    const place = `${field}[${show(key)}]`;
    return problem(place, `${place} is ${show(text)}; accepted is a string`);
  }
  return undefined;
}

/** One digest has one size: listed twice with two, one of them is a lie, and clients that check would fail. */
function findSizeConflict(descriptors: readonly ManifestDescriptor[]): ManifestProblem | undefined {
  const first = new Map<Digest, ManifestDescriptor>();
  for (const descriptor of descriptors) {
    const other = first.get(descriptor.digest);
    if (other === undefined) first.set(descriptor.digest, descriptor);
    else if (other.size !== descriptor.size) {
      const field = `${descriptor.path}.size`;
      const what = `the same ${algorithmOf(descriptor.digest)} digest`;
      return problem(
        field,
        `${field} is ${descriptor.size}, but ${other.path} has ${what} with size ${other.size}; both must be the same`,
      );
    }
  }
  return undefined;
}

function descriptorList(value: unknown, field: string): readonly unknown[] | ManifestProblem {
  return Array.isArray(value) ? value : problem(field, `${field} is ${show(value)}; accepted is an array of descriptors`);
}

function misplaced(field: string, mediaType: ManifestMediaType): ManifestProblem {
  return problem(
    field,
    `${field} does not belong in ${mediaType}; an image manifest has config and layers, an index has manifests, and a document that could be ` +
      'read as either is refused',
  );
}

// Suffixes go on: .tar, .tar+gzip, .tar+zstd, and +encrypted after any of them.
/** Foreign layers and those that may not be distributed need not be in a registry. OCI image-spec 1.1, "Non-Distributable Layers". */
export function isNonDistributable(mediaType: string): boolean {
  return (
    mediaType.startsWith('application/vnd.oci.image.layer.nondistributable.') ||
    mediaType.startsWith('application/vnd.docker.image.rootfs.foreign.diff.')
  );
}

/** RFC 9110, section 8.3.1: type and subtype are case-insensitive; what the parameters say plays no part here. */
function bareType(contentType: string | undefined): string | undefined {
  const bare = contentType?.split(';', 1)[0]?.trim().toLowerCase();
  return bare === '' ? undefined : bare;
}

function unaccepted(mediaType: string): string {
  return mediaType.startsWith('application/vnd.docker.distribution.manifest.v1+')
    ? 'Docker schema 1 is no longer accepted, push with a newer client; '
    : '';
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

// Wrapped, since the pushed object may have a field `reason` of its own.
function parseRoot(bytes: Buffer): { readonly root: Json } | ManifestProblem {
  if (bytes.length === 0) return { reason: 'the manifest is empty; accepted is a JSON object' };
  let text: string;
  try {
    text = utf8.decode(bytes);
  } catch {
    return { reason: 'the manifest is not valid UTF-8; accepted is a JSON object in UTF-8' };
  }
  // RFC 8259, section 8.1: MUST NOT add one; Go's decoder, and so most clients, cannot read it.
  if (text.startsWith('\ufeff')) return { reason: 'the manifest begins with a byte order mark; accepted is JSON without one' };
  const outline = outlineOf(text);
  if (outline === undefined)
    return { reason: `the manifest is nested more than ${MANIFEST_MAX_DEPTH} levels deep, the most that is accepted` };
  let root: unknown;
  try {
    root = JSON.parse(text);
  } catch {
    return { reason: 'the manifest is not JSON; accepted is a JSON object' };
  }
  if (!isObject(root)) return { reason: `the manifest is ${show(root)}; accepted is a JSON object` };
  return findAmbiguousKey(outline) ?? { root };
}

/** The top level's keys as they are written, repetitions included, which JSON.parse cannot show; undefined when nested too deep. */
function outlineOf(text: string): readonly string[] | undefined {
  const keys: string[] = [];
  let depth = 0;
  let string: string | undefined; // the last string of the top level, a key if a colon follows
  for (let at = 0; at < text.length; at++) {
    const char = text[at];
    if (char === '"') {
      const start = at;
      for (at++; at < text.length && text[at] !== '"'; at++) if (text[at] === '\\') at++;
      if (depth === 1) string = text.slice(start, at + 1);
    } else if (char === ':' && depth === 1) {
      if (string !== undefined) keys.push(string);
    } else if (char === '{' || char === '[') {
      if (++depth > MANIFEST_MAX_DEPTH) return undefined;
    } else if (char === '}' || char === ']') depth--;
  }
  return keys;
}

const fieldsOfFold = new Map(
  ['schemaVersion', 'mediaType', 'artifactType', 'config', 'layers', 'manifests', 'subject', 'annotations'].map((name) => [
    fold(name),
    name,
  ]),
);

/**
 * JSON.parse takes the last of two equal keys, other parsers the first; Go reads `Manifests` as `manifests`. At the top level that decides what the
 * document is, the ambiguity of CVE-2021-41190 again, so it is refused there. In descriptors and for unknown fields it is left alone: what a client
 * may take from it is still a digest, and no pusher writes it.
 */
function findAmbiguousKey(written: readonly string[]): ManifestProblem | undefined {
  const seen = new Set<string>();
  for (const raw of written) {
    const key = raw.includes('\\') ? (JSON.parse(raw) as string) : raw.slice(1, -1);
    const name = key.length > 'schemaVersion'.length ? undefined : fieldsOfFold.get(fold(key));
    if (name === undefined) continue;
    if (key !== name)
      return problem(key, `${show(key)} differs from ${name} in case alone, and some clients read it as that; write ${name}`);
    if (seen.has(name))
      return problem(name, `${name} stands twice in the manifest, and clients differ in which they take; write it once`);
    seen.add(name);
  }
  return undefined;
}

/** Equal for names that Go's case folding calls equal, which knows the long s and the Kelvin sign, too. */
function fold(name: string): string {
  return name.toLowerCase().toUpperCase();
}

/** Go writes null for what was never set. */
function present(value: unknown): boolean {
  return value !== undefined && value !== null;
}

function isObject(value: unknown): value is Json {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isProblem(value: object | string | undefined): value is ManifestProblem {
  return typeof value === 'object' && 'reason' in value && typeof value.reason === 'string';
}

function problem(field: string, reason: string): ManifestProblem {
  return { reason, field };
}

/** A value for a message: short, and never a structure that would have to be walked. */
function show(value: unknown): string {
  if (value === undefined) return 'missing';
  if (typeof value === 'string') return JSON.stringify(value.length > 80 ? `${value.slice(0, 80)}...` : value);
  if (Array.isArray(value)) return 'an array';
  // eslint-disable-next-line @typescript-eslint/no-base-to-string -- it is no object here
  return isObject(value) ? 'an object' : String(value);
}
