import fc from 'fast-check';
import { describe, expect, test } from 'vitest';

import type { Digest } from '../../src/digest.js';
import type { ImagePath, Uid } from '../../src/identifiers.js';
import {
  decodeEvent,
  encodeEvent,
  EVENT_GENERATION,
  EVENT_MAX_BYTES,
  EventDecodeError,
  EventEncodeError,
  EventTooNewError,
} from '../../src/events/codec.js';
import { CHECKSUM_BYTES, CHECKSUM_TAG, hasChecksum, setChecksum } from '../../src/events/checksum.js';
import { artifactstore } from '../../src/events/generated/events.js';
import { repositoryStream, userStream, type EventEnvelope, type Stream } from '../../src/events/types.js';
import { downcast } from '../../src/events/upcasters.js';
import { envelopesOf, firstKinds } from './arbitraries.js';
import { envelopeOf, goldenEvents, sha256, uid } from './samples.js';

const { Event } = artifactstore.events;
const pushed = envelopeOf(repositoryStream(uid('4')), { kind: 'BlobPushed', digest: sha256('c'), size: 7 });

const encoded = (envelope: EventEnvelope): Buffer => encodeEvent(envelope, 1);

/** An event of generation 1 as generation 2 has it. */
function summed(bytes: Buffer): Buffer {
  const whole = Buffer.concat([Buffer.alloc(CHECKSUM_BYTES, CHECKSUM_TAG), bytes]);
  setChecksum(whole);
  return whole;
}

const checksummed = [...goldenEvents()]
  .filter(([name]) => /^events-[23]\//.test(name))
  .map(([, { bytes }]) => Buffer.from(bytes, 'hex'));

test.each(Array.from({ length: EVENT_GENERATION }, (_, index) => index + 1))(
  'what is encoded comes back as it was, in generation %i',
  (generation) => {
    fc.assert(
      fc.property(envelopesOf(generation), (envelope) => {
        expect(decodeEvent(encodeEvent(envelope, generation))).toStrictEqual(envelope);
      }),
    );
  },
);

test('what generation 3 has first is not written for an older server, nor what was done by a key', () => {
  fc.assert(
    fc.property(envelopesOf(3), fc.constantFrom(1, 2), (envelope, generation) => {
      if (!firstKinds.includes(envelope.payload.kind) || envelope.actor.key !== undefined) {
        expect(() => encodeEvent(envelope, generation)).toThrow(EventTooNewError);
      } else expect(decodeEvent(encodeEvent(envelope, generation))).toStrictEqual(envelope);
    }),
  );
});

describe('the checksum', () => {
  // The check value of the CRC's definition, as zlib has it.
  test('is the CRC-32 of what is behind it', () => {
    const bytes = Buffer.from('\x55....123456789', 'latin1');
    setChecksum(bytes);
    expect(bytes.toString('hex', 0, 5)).toBe('552639f4cb');
  });

  test('is before an event of generation 1, which has none', () => {
    fc.assert(
      fc.property(envelopesOf(1), (envelope) => {
        expect(encodeEvent(envelope, 2).equals(summed(encoded(envelope)))).toBe(true);
        expect([encoded(envelope), encodeEvent(envelope, 2)].map(hasChecksum)).toEqual([false, true]);
      }),
    );
  });

  test('finds every flipped bit', () => {
    expect(checksummed.length).toBeGreaterThan(15);
    for (const sample of checksummed) {
      for (let bit = 0; bit < sample.length * 8; bit += 1) {
        const damaged = Buffer.from(sample);
        damaged.writeUInt8(damaged.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
        expectDecodeError(damaged);
      }
    }
  });

  test('finds every other byte, also in its own place', () => {
    const other = fc.tuple(fc.nat(), fc.integer({ min: 1, max: 255 }));
    fc.assert(
      fc.property(
        fc.oneof(
          envelopesOf(3).map((envelope) => encodeEvent(envelope, 3)),
          fc.constantFrom(...checksummed),
        ),
        other,
        (bytes, [place, change]) => {
          const damaged = Buffer.from(bytes);
          damaged.writeUInt8(damaged.readUInt8(place % damaged.length) ^ change, place % damaged.length);
          expectDecodeError(damaged);
        },
      ),
      { numRuns: 2_000 },
    );
    // The tag of a checksum that is none, before values of it that lengthen what a tag or a length could be.
    const value = fc.array(fc.constantFrom(0x00, 0x0a, 0x10, 0x12, 0x80, 0x8a, 0x90), { minLength: 4, maxLength: 4 });
    fc.assert(
      fc.property(fc.constantFrom(...checksummed), fc.nat(255), value, (bytes, tag, sum) => {
        if (tag === CHECKSUM_TAG) return;
        const damaged = Buffer.concat([Buffer.of(tag, ...sum), bytes.subarray(CHECKSUM_BYTES)]);
        expectDecodeError(damaged);
      }),
      { numRuns: 5_000 },
    );
  });

  test('finds every truncation', () => {
    for (const bytes of checksummed) {
      for (let length = 0; length < bytes.length; length += 1) expectDecodeError(bytes.subarray(0, length));
    }
  });

  test('stands nowhere but in front', () => {
    const field = summed(encoded(pushed)).subarray(0, CHECKSUM_BYTES);
    const zero = Buffer.from([CHECKSUM_TAG, 0, 0, 0, 0]);
    for (const extra of [field, zero]) {
      for (const whole of [Buffer.concat([encoded(pushed), extra]), summed(Buffer.concat([encoded(pushed), extra]))])
        expectDecodeError(whole);
      const { length } = Event.encode({ blobPushed: { digest: sha256('c'), size: 7 } }).finish();
      const middle = Buffer.concat([encoded(pushed).subarray(0, -length), extra, encoded(pushed).subarray(-length)]);
      expect(() => decodeEvent(middle)).toThrow('a checksum is not the first field');
      expect(() => decodeEvent(summed(middle))).toThrow('a checksum is not the first field');
      expect(() => decodeEvent(summed(summed(encoded(pushed))))).toThrow('a checksum is not the first field');
    }
  });
});

test.each(['z', 'z'.repeat(80)])('a text is UTF-8 or no event (%s)', (z) => {
  const withImage = (image: string): Buffer =>
    encoded({ ...pushed, payload: { kind: 'ManifestDeleted', image: image as ImagePath, digest: sha256('c') } });
  const replaced = withImage(`${z}\ufffd\ufeff\u{1f600}`);
  expect(decodeEvent(replaced).payload).toMatchObject({ image: `${z}\ufffd\ufeff\u{1f600}` });
  for (const wrong of ['80', 'ff', 'c3', 'c080', 'eda080', 'f4908080']) {
    const bytes = withImage(`${z}${'#'.repeat(wrong.length / 2)}`);
    Buffer.from(wrong, 'hex').copy(bytes, bytes.indexOf('#'));
    expectDecodeError(bytes);
    expectDecodeError(summed(bytes));
  }
});

test('what no message of an allowed generation says is too new', () => {
  expect(() => encodeEvent(pushed, 0)).toThrow(EventTooNewError);
  expect(() => encodeEvent(pushed, 0)).toThrow(/^BlobPushed has no message of generation 0; it can be written once/);
});

describe('downcast', () => {
  const generations = { kept: 1, keptV2: 3 };
  const messages = {
    keptV2: ({ name, age }: { name: string; age: number }) => ({ name, age }),
    kept: ({ name, age }: { name: string; age: number }) => (age === 0 ? { name } : undefined),
  };
  const one = { name: 'a', age: 1 };

  test('takes the newest message that is allowed', () => {
    expect(downcast(messages, generations, one, 3)).toEqual({ keptV2: one });
    expect(downcast(messages, generations, one, 4)).toEqual({ keptV2: one });
  });

  test('takes an older one where it says the same', () => {
    expect(downcast(messages, generations, { name: 'a', age: 0 }, 2)).toEqual({ kept: { name: 'a' } });
    expect(downcast(messages, generations, one, 2)).toBeUndefined();
    expect(downcast(messages, generations, one, 0)).toBeUndefined();
  });
});

function expectDecodeError(bytes: Buffer): void {
  let decoded: unknown;
  try {
    decoded = decodeEvent(bytes);
  } catch (error) {
    if (error instanceof EventDecodeError) return;
    throw error;
  }
  expect.fail(`${bytes.toString('hex')} decodes to ${JSON.stringify(decoded)}`);
}

describe('bytes that are no event that this release knows stop the reader', () => {
  const wire = (change: artifactstore.events.Event.$Properties): Buffer => {
    const event = Object.assign(Event.decode(encoded(pushed)), change);
    return Buffer.from(Event.encode(event).finish());
  };
  const granted = (principal: artifactstore.events.Principal.$Properties | undefined): Buffer => {
    const event = Event.decode(without('blobPushed'));
    const roleGranted = { role: 1, ...(principal === undefined ? {} : { principal }) };
    return Buffer.from(Event.encode(Object.assign(event, { roleGranted })).finish());
  };
  // Field 1000, of two bytes: what a newer server's payload looks like to this one.
  const newer = Buffer.from('c23e020a00', 'hex');
  const without = (payload: keyof artifactstore.events.Event): Buffer => {
    const event = Event.decode(encoded(pushed));
    delete event[payload];
    return Buffer.from(Event.encode(event).finish());
  };
  const only = (field: 'blobPushed' | 'actor'): Buffer =>
    Buffer.from(Event.encode({ [field]: Event.decode(encoded(pushed))[field] }).finish());
  // Its number is above the one of BlobPushed: in their order, they are what an encoder would write.
  const unlinked = Buffer.from(Event.encode({ blobUnlinked: { digest: sha256('c') } }).finish());
  const digestField = Buffer.from(`0a47${Buffer.from(sha256('c')).toString('hex')}`, 'hex');
  const wireTwice = Buffer.concat([without('blobPushed'), Buffer.from('aa019201', 'hex'), digestField, digestField]);
  const inStreamOf = (aggregate: string, name: string): Buffer => {
    const golden = Buffer.from(goldenEvents().get(`events/${name}`)?.bytes ?? '', 'hex');
    return Buffer.from(Event.encode(Object.assign(Event.decode(golden), { stream: `${aggregate}/${uid('1')}` })).finish());
  };

  test.each<[string, Buffer, RegExp]>([
    ['nothing at all', Buffer.alloc(0), /id of an event has 0 bytes/],
    ['a payload of a newer release', Buffer.concat([without('blobPushed'), newer]), /newer/],
    ['a field of a newer release beside a payload', Buffer.concat([encoded(pushed), newer]), /does not know/],
    ['no payload', without('blobPushed'), /no payload/],
    ['no actor', without('actor'), /no actor/],
    ['a uid of 15 bytes', wire({ requestId: Buffer.alloc(15) }), /request_id of an event has 15 bytes/],
    ['a client hash of 31 bytes', wire({ clientHash: Buffer.alloc(31) }), /client_hash of an event has 31 bytes, not 32/],
    ['no digest', wire({ blobPushed: { digest: 'sha256:abc', size: 1 } }), /digest of an event is "sha256:abc"/],
    ['a size above 2^53', wire({ blobPushed: { digest: sha256('a'), size: 2 ** 53 + 2 } }), /size of an event/],
    ['a time before 1970', wire({ occurredAt: -1 }), /occurred_at of an event/],
    ['a stream of a newer release', wire({ stream: 'planet/1' }), /stream of an event is "planet\/1"/],
    ['two events', Buffer.concat([encoded(pushed), encoded(pushed)]), /a field is there twice/],
    ['two different events', Buffer.concat([encoded({ ...pushed, id: uid('9') }), encoded(pushed)]), /a field is there twice/],
    ['a payload twice', Buffer.concat([encoded(pushed), only('blobPushed')]), /a field is there twice/],
    ['two payloads', Buffer.concat([encoded(pushed), unlinked]), /two payloads/],
    ['an actor twice', Buffer.concat([encoded(pushed), only('actor')]), /a field is there twice/],
    ['a digest twice', wireTwice, /a field is there twice/],
    ['fields in another order', Buffer.concat([only('blobPushed'), without('blobPushed')]), /a field is there twice/],
    ["a tag in a user's stream", inStreamOf('user', 'tagMoved'), /stream of TagMoved of an event is "user\//],
    ["a repository in a project's stream", inStreamOf('project', 'repositoryCreated'), /stream of RepositoryCreated/],
    ["a blob's bytes in a repository's stream", inStreamOf('repository', 'blobStored'), /stream of BlobStored/],
    ['a stream without a uid', wire({ stream: 'repository/' }), /stream of an event/],
    [
      'an unknown kind of actor',
      wire({ actor: { kind: 9 as artifactstore.events.Actor.Kind, authentication: 1 } }),
      /actor.kind of an event is 9/,
    ],
    ['an unspecified authentication', wire({ actor: { kind: 1 } }), /actor.authentication of an event is 0/],
    ['a user without a uid', wire({ actor: { kind: 3, authentication: 2 } }), /actor.uid/],
    ['a system with a uid', wire({ actor: { kind: 1, authentication: 1, uid: Buffer.alloc(16) } }), /actor.uid/],
    ['a role for nobody', granted(undefined), /no principal/],
    ['a principal of no kind', granted({ uid: Buffer.alloc(16) }), /principal.kind of an event is 0/],
    ['a principal that is a user without a uid', granted({ kind: 1 }), /principal.uid of an event has 0 bytes/],
    ['a principal that is a service account without a uid', granted({ kind: 2 }), /principal.uid of an event has 0 bytes/],
    ['all users with a uid', granted({ kind: 3, uid: Buffer.alloc(16) }), /principal.uid/],
    ['all authenticated users with a uid', granted({ kind: 4, uid: Buffer.alloc(16) }), /principal.uid/],
  ])('%s', (_, bytes, message) => {
    for (const whole of [bytes, summed(bytes)]) {
      expect(() => decodeEvent(whole)).toThrow(EventDecodeError);
      expect(() => decodeEvent(whole)).toThrow(message);
    }
  });

  test('every truncation', () => {
    for (const { bytes } of goldenEvents().values()) {
      const whole = Buffer.from(bytes, 'hex');
      for (let length = 0; length < whole.length; length += 1) {
        expect(() => decodeEvent(whole.subarray(0, length))).toThrow(EventDecodeError);
      }
    }
  });

  test('a flipped bit gives another event or EventDecodeError, and random bytes do', () => {
    const samples = [...goldenEvents().values()].map(({ bytes }) => Buffer.from(bytes, 'hex'));
    const onlyDecodeErrors = (bytes: Buffer): void => {
      try {
        decodeEvent(bytes);
      } catch (error) {
        expect(error).toBeInstanceOf(EventDecodeError);
      }
    };
    for (const sample of samples) {
      for (let bit = 0; bit < sample.length * 8; bit += 1) {
        const damaged = Buffer.from(sample);
        damaged.writeUInt8(damaged.readUInt8(bit >> 3) ^ (1 << (bit & 7)), bit >> 3);
        onlyDecodeErrors(damaged);
      }
    }
    fc.assert(fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => onlyDecodeErrors(Buffer.from(bytes))));
    const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 8 });
    fc.assert(
      fc.property(fc.constantFrom(...samples), damage, (sample, changes) => {
        const damaged = Buffer.from(sample);
        for (const [at, byte] of changes) damaged.writeUInt8(byte, at % damaged.length);
        onlyDecodeErrors(damaged);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('what can not be stored as it is is refused', () => {
  const payload = (change: object): EventEnvelope => ({ ...pushed, payload: { ...pushed.payload, ...change } });
  const granted = (principal: unknown, role = 'viewer'): EventEnvelope => payload({ kind: 'RoleGranted', principal, role });

  test.each<[string, EventEnvelope]>([
    ['a size that is a text', payload({ size: '7' })],
    ['a size that is no whole number', payload({ size: 1.5 })],
    ['a negative size', payload({ size: -1 })],
    ['a size above 2^53', payload({ size: 2 ** 53 })],
    ['a digest that is none', payload({ digest: 'sha256:c' as Digest })],
    ['a digest that is a number', payload({ digest: 5 })],
    ['a digest that is missing', payload({ digest: undefined })],
    ['a uid that is none', { ...pushed, commandId: '' as Uid }],
    ['a stream that is none', { ...pushed, stream: 'repository' as Stream }],
    ['a stream that the event has no business in', { ...pushed, stream: userStream(uid('1')) }],
    ['a user without a uid', { ...pushed, actor: { kind: 'user', authentication: 'token' } }],
    [
      'a flag that is a text',
      payload({ kind: 'RepositoryCreated', project: uid('1'), id: 'a', origin: 'push', scanning: 'yes' }),
    ],
    ['an empty tag', payload({ kind: 'TagDeleted', image: '', tag: '' })],
    ['an image that is a number', payload({ kind: 'ManifestDeleted', image: 5 })],
    ['half of a surrogate pair', payload({ kind: 'ManifestDeleted', image: '\ud800' })],
    ['an unknown role', granted({ kind: 'user', uid: uid('1') }, 'king')],
    ['a role that is empty', granted({ kind: 'user', uid: uid('1') }, '')],
    ['a principal of no kind', granted({ kind: '', uid: uid('1') })],
    ['a principal that is a uid', granted(uid('1'))],
    ['a principal that is a user without a uid', granted({ kind: 'user' })],
    ['a principal that is a service account without a uid', granted({ kind: 'service-account' })],
    ['all users with a uid', granted({ kind: 'all-users', uid: uid('1') })],
    ['all authenticated users with a uid', granted({ kind: 'all-authenticated-users', uid: uid('1') })],
  ])('%s', (_, envelope) => {
    for (const generation of [1, 2]) expect(() => encodeEvent(envelope, generation)).toThrow(EventEncodeError);
  });

  test('more than 10 kB', () => {
    const image = 'x'.repeat(EVENT_MAX_BYTES);
    expect(() => encoded(payload({ kind: 'ManifestDeleted', image }))).toThrow(
      /^ManifestDeleted has \d+ bytes; an event has at most 10000$/,
    );
  });
});
