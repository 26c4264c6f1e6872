import { Type } from 'typebox';

import { eraseContent } from '../../commands/erase-content.js';
import { reject } from '../../errors.js';
import { formatTime } from '../../events/database-time.js';
import { rotateKeys } from '../../identity/key-rotation.js';
import { readSigningKeys, SIGNING_AFTER_MS } from '../../identity/signing-keys.js';
import { commandContext, requestIdOf } from '../exchange.js';
import { administering, digestIn, granted } from './resources.js';
import { operation } from './route.js';
import { contentParams, object, time } from './schemas.js';

const tag = 'Upkeep';

const signingKey = object({ kid: Type.String({ description: 'RFC 7638 thumbprint.' }), created: time });

export const upkeepOperations = [
  operation({
    method: 'GET',
    path: '/signing-keys',
    id: 'listSigningKeys',
    tag,
    summary: 'The keys that tokens are signed with, the newest first; administrators are told',
    status: 200,
    answer: object({ signingKeys: Type.Array(signingKey) }),
    async run({ exchange }) {
      return exchange.services.executor.store.read(async (reading) => {
        await administering(reading, exchange, 'signing keys');
        const keys = await readSigningKeys(reading.tx, reading.platform.keyspace);
        return { body: { signingKeys: keys.map(({ kid, createdAt }) => ({ kid, created: formatTime(createdAt) })) } };
      });
    },
  }),
  operation({
    method: 'POST',
    path: '/signing-keys',
    id: 'rotateSigningKey',
    tag,
    summary: 'Makes a new key to sign tokens with; administrators may',
    description:
      'It signs after two minutes, when every server has read it. What the one before signed stays good for its time. Happens by itself every 30 days. With `compromised` the new one signs at once, and all others end within half a minute, with every token that they signed.',
    query: object({
      compromised: Type.Optional(
        Type.Boolean({ description: 'Somebody else may have a key: whoever has it can make any token.' }),
      ),
    }),
    status: 201,
    answer: object({ kid: Type.String() }),
    async run({ exchange, query }) {
      const { executor, logger } = exchange.services;
      const occasion = query.compromised === true ? 'compromised' : 'asked';
      const rotation = await rotateKeys(executor.store, occasion, (reading) => administering(reading, exchange, 'signing keys'));
      if (rotation === 'young') return reject('SIGNING_KEY_YOUNG', { seconds: SIGNING_AFTER_MS / 1_000 });
      if (rotation === 'older-release')
        return reject('UNAVAILABLE', {
          reason: 'a server of release 0.3.0 or before still runs, which would refuse the tokens of a new key',
        });
      // No stream is about these keys, so that no event says who it was.
      const request = requestIdOf(exchange);
      logger.info({ request, actor: exchange.caller.actor.uid, kid: rotation.kid, occasion }, 'a signing key was made');
      return { body: rotation };
    },
  }),
  operation({
    method: 'POST',
    path: '/content/:digest/erase',
    id: 'eraseContent',
    tag,
    summary: 'Erases the bytes of a manifest, a config or a blob from all repositories, for ever; administrators may',
    description:
      'They are not accepted again under this digest; the same bytes under their digest by the other algorithm, sha256 or sha512, are others, to be erased for themselves. History stays, and says that they were erased.',
    params: contentParams,
    status: 204,
    async run({ exchange, params }) {
      const { executor, newId } = exchange.services;
      await executor.store.read((reading) => administering(reading, exchange, 'content'));
      const digest = digestIn(params.digest);
      const contextOf = () => commandContext(exchange);
      granted(await eraseContent(executor, contextOf, { kind: 'EraseContent', digest, erasure: newId() }));
      return {};
    },
  }),
];
