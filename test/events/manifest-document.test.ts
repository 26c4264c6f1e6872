import fs from 'node:fs';

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import {
  descriptorsToFind,
  MANIFEST_MAX_BYTES,
  manifestMediaTypes,
  parseManifest,
  type ManifestDocument,
  type ManifestProblem,
} from '../../src/events/manifest-document.js';
import { parseDigest } from '../../src/digest.js';

const ociImage = 'application/vnd.oci.image.manifest.v1+json';
const ociIndex = 'application/vnd.oci.image.index.v1+json';
const dockerImage = 'application/vnd.docker.distribution.manifest.v2+json';
const dockerList = 'application/vnd.docker.distribution.manifest.list.v2+json';
const accepted = [ociImage, ociIndex, dockerImage, dockerList].join(', ');
const layerType = 'application/vnd.oci.image.layer.v1.tar+gzip';
const configType = 'application/vnd.oci.image.config.v1+json';

const folder = new URL('../fixtures/manifests/', import.meta.url);
const fixture = (name: string): Buffer => fs.readFileSync(new URL(`${name}.json`, folder));
const names = fs.readdirSync(folder).map((file) => file.slice(0, -'.json'.length));

function documentOf(bytes: Buffer, contentType?: string): ManifestDocument {
  const parsed = parseManifest(bytes, contentType);
  if ('reason' in parsed) throw new Error(parsed.reason);
  return parsed;
}

function problemOf(bytes: Buffer, contentType: string | undefined): ManifestProblem {
  const parsed = parseManifest(bytes, contentType);
  if (!('reason' in parsed)) throw new Error('it was accepted');
  return parsed;
}

const json = (value: unknown): Buffer => Buffer.from(JSON.stringify(value));
const sha256 = (digit: string): string => `sha256:${digit.repeat(64)}`;
const layer = { mediaType: layerType, digest: sha256('a'), size: 10 };
const config = { mediaType: configType, digest: sha256('c'), size: 3 };
const child = { mediaType: ociImage, digest: sha256('1'), size: 100 };
const image = { schemaVersion: 2, mediaType: ociImage, config, layers: [layer] };
const index = { schemaVersion: 2, mediaType: ociIndex, manifests: [child] };

describe('what real pushers push', () => {
  interface Facts {
    readonly type: string;
    readonly artifactType?: string;
    readonly subject?: true;
    readonly layers?: number;
    readonly layersSize?: number;
    readonly manifests?: number;
    readonly blobs?: number;
    /** Content-Type, where the manifest has no field for it. */
    readonly header?: string;
  }
  // `manifests` and `blobs` are what must be found.
  const facts: Record<string, Facts> = {
    'docker-image': {
      type: dockerImage,
      artifactType: 'application/vnd.docker.container.image.v1+json',
      layers: 3,
      layersSize: 122_487,
      blobs: 4,
    },
    'docker-list': { type: dockerList, manifests: 2 },
    'docker-foreign-layers': {
      type: dockerImage,
      artifactType: 'application/vnd.docker.container.image.v1+json',
      layers: 3,
      layersSize: 1_614_507_091,
      blobs: 2,
    },
    'oci-image': { type: ociImage, artifactType: configType, layers: 3, layersSize: 122_487, blobs: 4 },
    'oci-image-without-media-type': {
      type: ociImage,
      artifactType: configType,
      layers: 1,
      layersSize: 3_265,
      blobs: 2,
      header: ociImage,
    },
    'buildx-index-with-attestations': { type: ociIndex, manifests: 6 },
    'buildkit-attestation-manifest': { type: ociImage, artifactType: configType, layers: 2, layersSize: 230_907, blobs: 3 },
    'buildkit-registry-cache-index': { type: ociIndex, blobs: 3 },
    'buildkit-registry-cache-docker-list': { type: dockerList, blobs: 2 },
    'buildkit-registry-cache-image': {
      type: ociImage,
      artifactType: 'application/vnd.buildkit.cacheconfig.v0',
      layers: 2,
      layersSize: 2_789_958,
      blobs: 3,
    },
    // The empty layer stands in it twice.
    'buildkit-inline-cache-image': { type: ociImage, artifactType: configType, layers: 4, layersSize: 3_402_878, blobs: 4 },
    'cosign-signature': { type: ociImage, artifactType: configType, layers: 1, layersSize: 248, blobs: 2 },
    'cosign-bundle': {
      type: ociImage,
      artifactType: 'application/vnd.dev.sigstore.bundle.v0.3+json',
      subject: true,
      layers: 1,
      layersSize: 4_971,
      blobs: 2,
    },
    'sigstore-bundle-with-parameter': {
      type: ociImage,
      artifactType: 'application/vnd.dev.sigstore.bundle+json;version=0.2',
      subject: true,
      layers: 1,
      layersSize: 4_971,
      blobs: 2,
    },
    'helm-chart': {
      type: ociImage,
      artifactType: 'application/vnd.cncf.helm.config.v1+json',
      layers: 2,
      layersSize: 3_355,
      blobs: 3,
      header: ociImage,
    },
    'oras-artifact': { type: ociImage, artifactType: 'application/vnd.example+type', layers: 2, layersSize: 1_215, blobs: 3 },
    // Its only layer is its config.
    'oras-attached-annotations-only': {
      type: ociImage,
      artifactType: 'application/vnd.example.note',
      subject: true,
      layers: 1,
      layersSize: 2,
      blobs: 1,
    },
    'notation-signature': {
      type: ociImage,
      artifactType: 'application/vnd.cncf.notary.signature',
      subject: true,
      layers: 1,
      layersSize: 2_090,
      blobs: 2,
    },
    'wasm-component': {
      type: ociImage,
      artifactType: 'application/vnd.wasm.config.v0+json',
      layers: 1,
      layersSize: 147_842,
      blobs: 2,
    },
    'oci-non-distributable-layers': { type: ociImage, artifactType: configType, layers: 3, layersSize: 135_991, blobs: 2 },
    'nested-index': { type: ociIndex, artifactType: 'application/vnd.example.bundle', subject: true, manifests: 2 },
    'empty-index': { type: ociIndex },
    'index-of-null': { type: ociIndex },
    'image-without-layers': { type: dockerImage, artifactType: 'application/vnd.docker.container.image.v1+json', blobs: 1 },
    'oci-image-with-no-layers-field': { type: ociImage, artifactType: configType, blobs: 1 },
    'unknown-fields': { type: ociImage, artifactType: configType, layers: 1, layersSize: 12, blobs: 2 },
    'sha512-index': { type: ociIndex, manifests: 1 },
  };

  test('every fixture is in the table', () => {
    expect(Object.keys(facts).sort()).toEqual([...names].sort());
  });

  test.each(Object.entries(facts))('%s is accepted for what it is', (name, expected) => {
    const document = documentOf(fixture(name), expected.header);
    const found = descriptorsToFind(document);
    expect({
      type: document.mediaType,
      artifactType: document.artifactType,
      subject: document.subject !== undefined,
      layers: document.layers.length,
      layersSize: document.layersSize,
      manifests: found.filter(({ kind }) => kind === 'manifest').length,
      blobs: found.filter(({ kind }) => kind === 'blob').length,
    }).toEqual({
      artifactType: undefined,
      subject: false,
      layers: 0,
      layersSize: 0,
      manifests: 0,
      blobs: 0,
      ...expected,
      header: undefined,
      ...(expected.subject === undefined ? {} : { subject: true }),
    });
    expect(documentOf(fixture(name), `${expected.type.toUpperCase()} ; charset=utf-8`)).toEqual(document);
  });
});

describe('what a document says', () => {
  test('descriptors carry their place, role and whether they are distributed', () => {
    const { layers, config } = documentOf(fixture('oci-non-distributable-layers')) as ManifestDocument & { kind: 'image' };
    expect([config, ...layers].map(({ path, role, distributable }) => [path, role, distributable])).toEqual([
      ['config', 'config', true],
      ['layers[0]', 'layer', false],
      ['layers[1]', 'layer', false],
      ['layers[2]', 'layer', true],
    ]);
  });

  test("an index's entries are manifests or blobs by their media type", () => {
    const mixed = { ...index, manifests: [child, { ...layer }, { ...child, digest: sha256('2'), mediaType: dockerList }] };
    const document = documentOf(json(mixed));
    expect(document.entries.map(({ path, role }) => [path, role])).toEqual([
      ['manifests[0]', 'manifest'],
      ['manifests[1]', 'blob'],
      ['manifests[2]', 'manifest'],
    ]);
    expect(document.kind).toBe('index');
  });

  test('an encrypted foreign layer is still not distributed', () => {
    const type = 'application/vnd.oci.image.layer.nondistributable.v1.tar+gzip+encrypted';
    const document = documentOf(json({ ...image, layers: [{ ...layer, mediaType: type }] }));
    expect(descriptorsToFind(document).map(({ path }) => path)).toEqual(['config']);
  });

  test('what must be found is distinct, with expected size and the first place', () => {
    const twice = {
      ...image,
      config: { ...layer, mediaType: configType },
      layers: [layer, layer, { ...layer, digest: sha256('b') }],
    };
    expect(descriptorsToFind(documentOf(json({ ...twice, subject: child })))).toEqual([
      { kind: 'blob', digest: sha256('a'), size: 10, mediaType: configType, path: 'config' },
      { kind: 'blob', digest: sha256('b'), size: 10, mediaType: layerType, path: 'layers[2]' },
    ]);
  });

  test('a layer that is listed as foreign and as ordinary must be found', () => {
    const foreign = { ...layer, mediaType: 'application/vnd.docker.image.rootfs.foreign.diff.tar.gzip' };
    const document = documentOf(json({ ...image, layers: [foreign, layer] }));
    expect(descriptorsToFind(document).map(({ path }) => path)).toEqual(['config', 'layers[1]']);
  });

  test("an image's empty artifactType gives way to the config's media type, an index's is left out", () => {
    expect(documentOf(json({ ...image, artifactType: '' })).artifactType).toBe(configType);
    expect(documentOf(json({ ...image, artifactType: null })).artifactType).toBe(configType);
    expect('artifactType' in documentOf(json({ ...index, artifactType: '' }))).toBe(false);
  });

  test('null is what Go writes for absent', () => {
    const nothing = { subject: null, annotations: null, artifactType: null };
    expect(documentOf(json({ ...image, ...nothing, layers: null, manifests: null })).layers).toEqual([]);
    expect(documentOf(json({ ...index, ...nothing, config: null, layers: null })).entries).toHaveLength(1);
    const bare = { ...layer, data: null, urls: null, annotations: null, platform: null };
    expect(documentOf(json({ ...image, mediaType: null, layers: [bare] }), ociImage).mediaType).toBe(ociImage);
    expect(documentOf(json({ ...image, mediaType: '' }), ociImage).mediaType).toBe(ociImage);
  });

  test('annotations are kept, even one named __proto__', () => {
    const text = JSON.stringify({ ...image, annotations: { a: 'b' } }).replace('"a":', '"__proto__":');
    expect(Object.entries(documentOf(Buffer.from(text)).annotations ?? {})).toEqual([['__proto__', 'b']]);
  });

  test("a subject may be of any media type, and its size may differ from a layer's of that digest", () => {
    const subject = { mediaType: 'application/vnd.example.thing', digest: layer.digest, size: 99 };
    expect(documentOf(json({ ...image, subject })).subject).toMatchObject({ path: 'subject', role: 'subject', size: 99 });
  });

  test('exactly 4000 descriptors are accepted', () => {
    expect(documentOf(json({ ...image, layers: Array(3_999).fill(layer) })).layers).toHaveLength(3_999);
  });

  test('the media types are the four', () => {
    expect(manifestMediaTypes.join(', ')).toBe(accepted);
  });
});

describe('what is refused, and why', () => {
  const types = `accepted are ${accepted}`;
  const digestForm = 'sha256:<64 lower-case hex digits> or sha512:<128 lower-case hex digits>';
  const refusals: readonly (readonly [
    what: string,
    content: unknown,
    contentType: string | undefined,
    field: string | undefined,
    reason: string,
  ])[] = [
    ['unknown Content-Type', image, 'application/json', 'Content-Type', `Content-Type is "application/json"; ${types}`],
    [
      'schema 1 by Content-Type',
      image,
      'application/vnd.docker.distribution.manifest.v1+prettyjws',
      'Content-Type',
      `Content-Type is "application/vnd.docker.distribution.manifest.v1+prettyjws"; Docker schema 1 is no longer accepted, push with a newer client; ${types}`,
    ],
    [
      'unknown mediaType',
      { ...image, mediaType: 'application/vnd.oci.artifact.manifest.v1+json' },
      undefined,
      'mediaType',
      `mediaType is "application/vnd.oci.artifact.manifest.v1+json"; ${types}`,
    ],
    ['mediaType of another type', { ...image, mediaType: 7 }, ociImage, 'mediaType', `mediaType is 7; ${types}`],
    [
      'two media types',
      image,
      ociIndex,
      'mediaType',
      `mediaType is "${ociImage}", but Content-Type is "${ociIndex}"; both must be the same`,
    ],
    [
      'no media type at all',
      { ...image, mediaType: undefined },
      undefined,
      'Content-Type',
      `there is neither a Content-Type nor a mediaType; send one of ${accepted} as Content-Type`,
    ],
    [
      'no media type at all, with an empty Content-Type',
      { ...image, mediaType: undefined },
      ' ; charset=utf-8',
      'Content-Type',
      `there is neither a Content-Type nor a mediaType; send one of ${accepted} as Content-Type`,
    ],
    [
      'a Docker manifest without mediaType',
      { ...image, mediaType: undefined },
      dockerImage,
      'mediaType',
      `mediaType is missing; docker does not pull ${dockerImage} unless mediaType says so, too`,
    ],
    [
      'schema 1 by version',
      { ...image, schemaVersion: 1 },
      undefined,
      'schemaVersion',
      'schemaVersion is 1; accepted is the number 2 (Docker schema 1 is no longer accepted; push with a newer client)',
    ],
    [
      'schemaVersion missing',
      { ...index, schemaVersion: undefined },
      undefined,
      'schemaVersion',
      'schemaVersion is missing; accepted is the number 2',
    ],
    [
      'schemaVersion as text',
      { ...image, schemaVersion: '2' },
      undefined,
      'schemaVersion',
      'schemaVersion is "2"; accepted is the number 2',
    ],
    [
      'config missing',
      { ...image, config: undefined },
      undefined,
      'config',
      `config is missing; ${ociImage} needs a descriptor there`,
    ],
    [
      'config as an array',
      { ...image, config: [] },
      undefined,
      'config',
      'config is an array; accepted is a descriptor: an object with mediaType, digest and size',
    ],
    [
      'layers as an object',
      { ...image, layers: {} },
      undefined,
      'layers',
      'layers is an object; accepted is an array of descriptors',
    ],
    [
      'a layer that is null',
      { ...image, layers: [layer, null] },
      undefined,
      'layers[1]',
      'layers[1] is null; accepted is a descriptor: an object with mediaType, digest and size',
    ],
    [
      'manifests missing',
      { ...index, manifests: undefined },
      undefined,
      'manifests',
      `manifests is missing; ${ociIndex} needs an array of descriptors there`,
    ],
    [
      'manifests as text',
      { ...index, manifests: 'x' },
      undefined,
      'manifests',
      'manifests is "x"; accepted is an array of descriptors',
    ],
    ...(
      [
        ['manifests', ociImage, { ...image, manifests: [] }],
        ['config', ociIndex, { ...index, config }],
        ['layers', ociIndex, { ...index, layers: [] }],
      ] as const
    ).map(
      ([field, type, content]) =>
        [
          `${field} where it could be read as the other kind`,
          content,
          undefined,
          field,
          `${field} does not belong in ${type}; an image manifest has config and layers, an index has manifests, and a document that could be read as either is refused`,
        ] as const,
    ),
    [
      'a media type missing',
      { ...image, layers: [{ ...layer, mediaType: undefined }] },
      undefined,
      'layers[0].mediaType',
      'layers[0].mediaType is missing; accepted is a media type, 1 to 1024 printable ASCII characters',
    ],
    [
      'an empty media type',
      { ...index, manifests: [{ ...child, mediaType: '' }] },
      undefined,
      'manifests[0].mediaType',
      'manifests[0].mediaType is ""; accepted is a media type, 1 to 1024 printable ASCII characters',
    ],
    [
      'a media type with a line break',
      { ...image, config: { ...config, mediaType: 'a/b\n' } },
      undefined,
      'config.mediaType',
      'config.mediaType is "a/b\\n"; accepted is a media type, 1 to 1024 printable ASCII characters',
    ],
    [
      'a long artifactType',
      { ...image, artifactType: 'a'.repeat(1_025) },
      undefined,
      'artifactType',
      'artifactType is 1025 characters long; accepted is a media type, 1 to 1024 printable ASCII characters',
    ],
    [
      'artifactType of another type',
      { ...index, artifactType: {} },
      undefined,
      'artifactType',
      'artifactType is an object; accepted is a media type, 1 to 1024 printable ASCII characters',
    ],
    [
      'a digest missing',
      { ...image, config: { ...config, digest: undefined } },
      undefined,
      'config.digest',
      `config.digest is missing; accepted is ${digestForm}`,
    ],
    [
      'a digest without algorithm',
      { ...image, config: { ...config, digest: 'abc' } },
      undefined,
      'config.digest',
      `config.digest is "abc", without an algorithm; accepted is ${digestForm}`,
    ],
    [
      'an unknown algorithm',
      { ...image, layers: [{ ...layer, digest: 'md5:d41d8cd98f00b204e9800998ecf8427e' }] },
      undefined,
      'layers[0].digest',
      'layers[0].digest has the algorithm "md5"; accepted are sha256 and sha512',
    ],
    [
      'a digest too short',
      { ...image, layers: [{ ...layer, digest: 'sha256:baddigeststring' }] },
      undefined,
      'layers[0].digest',
      'layers[0].digest has 15 characters after sha256:; accepted are 64 lower-case hex digits',
    ],
    [
      'a digest in upper case',
      { ...image, layers: [{ ...layer, digest: sha256('A') }] },
      undefined,
      'layers[0].digest',
      'layers[0].digest has something else than lower-case hex digits after sha256:; accepted are 64 lower-case hex digits',
    ],
    [
      'sha512 with the length of sha256',
      { ...image, layers: [{ ...layer, digest: `sha512:${'a'.repeat(64)}` }] },
      undefined,
      'layers[0].digest',
      'layers[0].digest has 64 characters after sha512:; accepted are 128 lower-case hex digits',
    ],
    ...[undefined, null, '10', -1, 1.5, 2 ** 53].map(
      (size) =>
        [
          `a size of ${JSON.stringify(size)}`,
          { ...image, layers: [{ ...layer, size }] },
          undefined,
          'layers[0].size',
          `layers[0].size is ${size === undefined ? 'missing' : JSON.stringify(size)}; accepted is a whole number of bytes from 0 to 9007199254740991`,
        ] as const,
    ),
    [
      'data that is no base64',
      { ...image, layers: [{ ...layer, data: 'a-_=' }] },
      undefined,
      'layers[0].data',
      'layers[0].data is not base64; accepted is the content in the standard alphabet, with padding',
    ],
    [
      'data of another length',
      { ...image, layers: [{ ...layer, data: 'e30=' }] },
      undefined,
      'layers[0].data',
      "layers[0].data holds 2 bytes; the descriptor's size is 10, and both must be the same",
    ],
    [
      'annotations as an array',
      { ...image, annotations: [] },
      undefined,
      'annotations',
      'annotations is an array; accepted is a map of strings to strings',
    ],
    [
      'an annotation that is a number',
      { ...index, annotations: { ok: '', 'org.example': 5 } },
      undefined,
      'annotations["org.example"]',
      'annotations["org.example"] is 5; accepted is a string',
    ],
    [
      "a layer's annotation that is null",
      { ...image, layers: [{ ...layer, annotations: { a: null } }] },
      undefined,
      'layers[0].annotations["a"]',
      'layers[0].annotations["a"] is null; accepted is a string',
    ],
    [
      'a subject that is none',
      { ...image, subject: sha256('a') },
      undefined,
      'subject',
      `subject is "${sha256('a')}"; accepted is a descriptor: an object with mediaType, digest and size`,
    ],
    [
      'one digest with two sizes',
      { ...image, layers: [layer, { ...layer, size: 11 }] },
      undefined,
      'layers[1].size',
      'layers[1].size is 11, but layers[0] has the same sha256 digest with size 10; both must be the same',
    ],
    [
      'one digest with two sizes in an index',
      { ...index, manifests: [child, { ...child, size: 0 }] },
      undefined,
      'manifests[1].size',
      'manifests[1].size is 0, but manifests[0] has the same sha256 digest with size 100; both must be the same',
    ],
    [
      'sizes whose sum cannot be counted',
      {
        ...image,
        layers: [
          { ...layer, size: Number.MAX_SAFE_INTEGER },
          { ...layer, digest: sha256('b') },
        ],
      },
      undefined,
      'layers',
      'layers have sizes that add up to more than 9007199254740991 bytes, the most that is accepted',
    ],
    [
      'too many layers',
      { ...image, layers: Array(4_000).fill(layer) },
      undefined,
      'layers',
      'the manifest names 4001 descriptors, most of them in layers; at most 4000 are accepted',
    ],
    [
      'too many entries',
      { ...index, manifests: Array(4_000).fill(child), subject: child },
      undefined,
      'manifests',
      'the manifest names 4001 descriptors, most of them in manifests; at most 4000 are accepted',
    ],
    ['an array', [], ociImage, undefined, 'the manifest is an array; accepted is a JSON object'],
    ['null', null, ociImage, undefined, 'the manifest is null; accepted is a JSON object'],
    ['text', 'x', ociImage, undefined, 'the manifest is "x"; accepted is a JSON object'],
  ];

  test.each(refusals)('%s', (_what, content, contentType, field, reason) => {
    expect(problemOf(json(content), contentType)).toEqual(field === undefined ? { reason } : { reason, field });
  });

  const raw = JSON.stringify(image);
  test.each([
    ['nothing', Buffer.alloc(0), 'the manifest is empty; accepted is a JSON object'],
    ['broken JSON', Buffer.from(raw.slice(0, -1)), 'the manifest is not JSON; accepted is a JSON object'],
    ['JSON with a tail', Buffer.from(`${raw}{}`), 'the manifest is not JSON; accepted is a JSON object'],
    [
      'a byte order mark',
      Buffer.from(`\ufeff${raw}`),
      'the manifest begins with a byte order mark; accepted is JSON without one',
    ],
    [
      'invalid UTF-8',
      Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff]), Buffer.from('"}')]),
      'the manifest is not valid UTF-8; accepted is a JSON object in UTF-8',
    ],
    ['UTF-16', Buffer.from(raw, 'utf16le'), 'the manifest is not JSON; accepted is a JSON object'],
  ])('%s', (_what, bytes, reason) => {
    expect(problemOf(bytes, ociImage)).toEqual({ reason });
  });

  test.each([
    [
      '"config":',
      '"config":{},"config":',
      'config',
      'config stands twice in the manifest, and clients differ in which they take; write it once',
    ],
    [
      '"config":',
      '"conf\\u0069g":{},"config":',
      'config',
      'config stands twice in the manifest, and clients differ in which they take; write it once',
    ],
    [
      '"config":',
      '"Manifests":[],"config":',
      'Manifests',
      '"Manifests" differs from manifests in case alone, and some clients read it as that; write manifests',
    ],
    [
      '"config":',
      '"layer\u017f":[],"config":',
      'layer\u017f',
      '"layer\u017f" differs from layers in case alone, and some clients read it as that; write layers',
    ],
  ])('a top level that parsers read differently: %s as %s', (from, to, field, reason) => {
    expect(problemOf(Buffer.from(raw.replace(from, to)), ociImage)).toEqual({ reason, field });
  });

  test('repeated keys elsewhere, and strings that look like keys, are left alone', () => {
    const text = raw.replace('{', '{"x":"\\"config\\":","x":["config",":"],"y":{"config":1,"config":2},');
    expect(documentOf(Buffer.from(text)).kind).toBe('image');
  });
});

describe('hostile bytes', () => {
  const nested = { reason: 'the manifest is nested more than 100 levels deep, the most that is accepted' };
  test.each([
    ['open brackets', '['.repeat(MANIFEST_MAX_BYTES)],
    ['balanced brackets', '['.repeat(MANIFEST_MAX_BYTES / 2) + ']'.repeat(MANIFEST_MAX_BYTES / 2)],
    ['objects in an unknown field', `{"a":`.repeat(600_000) + '1' + '}'.repeat(600_000)],
  ])('4 MiB of %s are refused before they are parsed', (_what, text) => {
    expect(problemOf(Buffer.from(text), ociImage)).toEqual(nested);
  });

  test('4 MiB of anything else end, too', () => {
    const fill = (text: string): string => text.repeat(Math.floor((MANIFEST_MAX_BYTES - 500) / text.length));
    for (const text of [
      JSON.stringify({ ...image, layers: [{ ...layer, data: fill('A') }] }),
      JSON.stringify({ ...image, layers: [{ ...layer, data: fill('=') }] }),
      JSON.stringify(image).replace('{', `{"a":"${fill('\\\\')}",`),
      JSON.stringify(image).replace('{', `{${fill('"\\u0061":1,')}`),
      JSON.stringify({ ...image, mediaType: fill('x') }),
      JSON.stringify({ ...image, config: { ...config, digest: fill('x:') } }),
      `{"layers":[${fill('{},')}{}]}`,
      `"${fill('\\"')}`,
    ]) {
      expect(text.length).toBeLessThanOrEqual(MANIFEST_MAX_BYTES);
      const parsed = parseManifest(Buffer.from(text), ociImage);
      if ('reason' in parsed) expect(parsed.reason.length).toBeLessThan(600);
    }
  });

  test('brackets in strings are no nesting', () => {
    expect(documentOf(json({ ...image, annotations: { a: '[{"'.repeat(1_000) } })).kind).toBe('image');
  });

  const contentTypes = fc.constantFrom(undefined, '', 'text/plain', ...manifestMediaTypes);

  test('arbitrary bytes never throw', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), contentTypes, (bytes, type) => void parseManifest(Buffer.from(bytes), type)),
      {
        numRuns: 2_000,
      },
    );
  });

  test('arbitrary text and JSON never throw', () => {
    const text = fc.oneof(fc.string({ unit: 'binary' }), fc.json(), fc.string({ unit: fc.constantFrom(...'{}[]":,\\a1') }));
    fc.assert(
      fc.property(text, contentTypes, (content, type) => void parseManifest(Buffer.from(content), type)),
      { numRuns: 2_000 },
    );
  });

  type Path = readonly (string | number)[];
  function pathsOf(value: unknown, path: Path = []): Path[] {
    if (typeof value !== 'object' || value === null) return [path];
    return [
      ...(path.length === 0 ? [] : [path]),
      ...Object.entries(value).flatMap(([key, inner]) => pathsOf(inner, [...path, key])),
    ];
  }
  function mutate(value: unknown, path: Path, change: unknown): unknown {
    const [key, ...rest] = path;
    if (key === undefined) return change;
    const copy = (Array.isArray(value) ? [...(value as unknown[])] : { ...(value as object) }) as Record<
      string | number,
      unknown
    >;
    copy[key] = mutate(copy[key], rest, change);
    return copy;
  }

  test('a valid manifest changed in one place is a document or a problem that names a field', () => {
    const changed = fc.constantFrom(...names).chain((name) => {
      const valid: unknown = JSON.parse(fixture(name).toString());
      const change = fc.oneof(
        fc.jsonValue(),
        fc.constant(undefined),
        fc.constantFrom(layer, child, [layer], sha256('a'), 2, ociIndex),
      );
      return fc.record({ valid: fc.constant(valid), path: fc.constantFrom(...pathsOf(valid)), change });
    });
    fc.assert(
      fc.property(changed, contentTypes, ({ valid, path, change }, type) => {
        const parsed = parseManifest(json(mutate(valid, path, change)), type);
        if ('reason' in parsed) {
          expect(parsed.field).toBeTypeOf('string');
          const named = parsed.field === 'Content-Type' || parsed.reason.includes(parsed.field ?? '?');
          expect(named).toBe(true);
        } else {
          const all = [...parsed.layers, ...parsed.entries];
          for (const { digest, size } of all) {
            expect(parseDigest(digest)).toBe(digest);
            expect(Number.isSafeInteger(size) && size >= 0).toBe(true);
          }
          expect(descriptorsToFind(parsed).length).toBeLessThanOrEqual(all.length + 1);
        }
      }),
      { numRuns: 5_000 },
    );
  });
});
