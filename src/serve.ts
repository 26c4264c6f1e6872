import { randomBytes } from 'node:crypto';

import { isUnavailable, observeAvailability, untilAnswered } from './availability.js';
import { withCommandLog } from './command-log.js';
import { createFirstOwner, type CreateFirstOwner } from './commands/first-owner.js';
import { createTurns } from './commands/in-turn.js';
import { resumeDeletions } from './commands/repository.js';
import { unusable, type Config } from './config.js';
import type { OrganizationId } from './events/types.js';
import { createApp } from './http/app.js';
import { BytesCache } from './http/bytes-cache.js';
import { RunningUploads } from './http/running-uploads.js';
import { createClientHash } from './identity/client-hash.js';
import { nameHash, readSalt } from './identity/directory.js';
import { createLiveIdentity } from './identity/live-identity.js';
import { hashPassword } from './identity/password.js';
import { rotateKeys } from './identity/key-rotation.js';
import { SigningKeyRing } from './identity/signing-key-ring.js';
import { loadSigningKeys, SIGNING_AFTER_MS } from './identity/signing-keys.js';
import { TokenIssuer, TokenVerifier } from './identity/tokens.js';
import { bracketed, checkTls, listen } from './listening.js';
import { createIndexUpkeep } from './index-upkeep.js';
import { createLogger, faultOf } from './logger.js';
import { newId, openRegistry, systemContext } from './open-registry.js';
import { finishErasedBlobs, finishForgetting } from './processes/finish-erasures.js';
import { pruneCommands } from './processes/command-pruning.js';
import { periodically } from './processes/periodic.js';
import { PullCounting, PULLS_WRITTEN_MS } from './processes/pull-counting.js';
import { pruneRequests } from './processes/request-pruning.js';
import { expireUploads } from './processes/upload-expiry.js';
import type { Store } from './projections/store.js';
import { anyUser } from './projections/users.js';
import { welcome, type FirstOwner } from './welcome.js';

// A new key signs only when every server has read it.
const KEYS_READ_MS = SIGNING_AFTER_MS / 4;
const CACHE_BYTES = 32 * 1024 * 1024;
const CACHE_ENTRY_BYTES = 256 * 1024;

/** Runs the registry until SIGTERM or SIGINT; exit status. */
export async function serve(config: Config): Promise<number> {
  const logger = createLogger(config.debug);
  checkTls(config);
  let onBack = (): void => undefined;
  const registry = await openRegistry(config, true, {
    observe: (database) =>
      observeAvailability(database, {
        away: ({ message }) => logger.error({ reason: message }, 'the database does not answer'),
        back(ms) {
          logger.info({ seconds: Math.round(ms / 100) / 10 }, 'the database answers again');
          onBack();
        },
      }),
    samplingFailed(err) {
      if (!isUnavailable(err)) logger.error(faultOf(err), 'sampling the time failed');
    },
  });
  const { store, blobs } = registry;
  const executor = withCommandLog(registry.executor, logger);
  try {
    const firstOwner = await prepareFirstOwner(config, store);
    const { database, keyspaces } = store;
    const keys = new SigningKeyRing(database, keyspaces.platform, await loadSigningKeys(database, keyspaces.platform));
    const salt = await readSalt(store);
    const { authentication, granting } = createLiveIdentity(store, salt, new TokenVerifier({ issuer: registry.identity, keys }));
    let starting = true;
    let draining = false;
    const indexes = createIndexUpkeep(store, newId, logger);
    onBack = () => indexes.beatNow();
    const failed = (what: string) => (err: unknown) => {
      // The store closes under what still runs; the next start goes on with it. That the database is away is told once.
      if (!draining && !isUnavailable(err)) logger.error(faultOf(err), what);
    };
    const pulls = new PullCounting(store, {
      newId,
      failed: failed('counting pulls failed'),
      missed: (count) =>
        logger.warn({ pulls: count }, 'pulls were not counted: too many manifests were pulled while no counts could be written'),
    });
    const app = createApp({
      logger,
      authentication,
      tokens: {
        issuer: new TokenIssuer({ issuer: registry.identity, keys, lifetimeSeconds: config.tokenLifetimeSeconds }),
        ...granting,
      },
      services: {
        executor,
        blobs,
        logger,
        config,
        newId,
        hashClient: createClientHash(salt),
        inTurn: createTurns(),
        runningUploads: new RunningUploads(newId()),
        countPull: pulls.counted,
        bytes: new BytesCache(CACHE_BYTES, CACHE_ENTRY_BYTES),
      },
      async checkReady() {
        if (starting) throw new Error('the registry is starting');
        if (draining) throw new Error('the registry is shutting down');
        await store.read(() => Promise.resolve());
        await registry.checkDatabase();
        indexes.checkWriting();
        if ((await blobs.readIdentity()) !== registry.identity) throw new Error('the blob store is not there');
        const builds = indexes.builds();
        return builds.length === 0 ? {} : { builds };
      },
    });
    const bound = await listen(app, config);
    try {
      await indexes.start();
      // A generated password is known to nobody else: once it is in the store nothing may fail, nor be waited for, before it is printed. So a cluster that went away
      // in the middle is asked, by the command's id, whether it is.
      const context = systemContext();
      const made = firstOwner && (await untilAnswered(() => createFirstOwner(executor, context, firstOwner.command))).created;
      // For people; stdout has the log's lines and nothing else, unless a person reads it.
      const terminal = process.stdout.isTTY ? process.stdout : process.stderr;
      terminal.write(welcome(config, registry.databaseName, bound, made === true ? firstOwner : undefined));
    } catch (error) {
      await indexes.stop();
      await indexes.leave();
      await app.close();
      throw error;
    }
    starting = false;
    const address = `${bracketed(bound.address)}:${bound.port}`;
    logger.info({ address, store: registry.identity, ...registry.described }, 'serving');

    const ending = new AbortController();
    // This process's own name for itself, in what only one at a time works on.
    const owner = newId();
    const chores = [
      periodically(60_000, () => resumeDeletions(executor, systemContext), failed('a repository could not be emptied'), 0),
      periodically(60_000, () => expireUploads(executor, blobs, expiry(config)), failed('expiring uploads failed')),
      periodically(
        5_000,
        () => finishErasedBlobs(executor, systemContext, blobs, ending.signal),
        failed('an erasure could not be finished'),
      ),
      periodically(
        5_000,
        () => finishForgetting(executor, systemContext, { owner, signal: ending.signal }),
        failed('a person could not be forgotten to the end'),
      ),
      periodically(PULLS_WRITTEN_MS, () => pulls.flush(), failed('counting pulls failed')),
      periodically(KEYS_READ_MS, () => keys.refresh(), failed('reading the signing keys failed')),
      periodically(600_000, () => rotateKeys(store, 'due'), failed('rotating the signing key failed')),
      periodically(600_000, () => pruneCommands(store), failed('pruning commands failed')),
      periodically(600_000, () => pruneRequests(store), failed('pruning requests failed')),
    ];

    const signal = await stopSignal();
    ending.abort();
    draining = true;
    logger.info({ signal }, 'draining: no new requests, waiting for the running ones');
    for (const chore of chores) chore.unsubscribe();
    await indexes.stop();
    const cut = setTimeout(() => {
      logger.warn('some requests did not end in time and are cut off');
      app.server.closeAllConnections();
    }, config.drainSeconds * 1_000);
    // A connection is only closed where it is idle when closing begins: one whose request ends later is kept alive by its client.
    const idle = setInterval(() => app.server.closeIdleConnections(), 100);
    await app.close();
    clearInterval(idle);
    clearTimeout(cut);
    await pulls.flush().catch((err: unknown) => logger.warn(faultOf(err), 'the pulls of the last seconds are not counted'));
    await indexes.leave();
    logger.info('stopped');
    return 0;
  } finally {
    await registry.close();
  }
}

function expiry(config: Config) {
  return { idleSeconds: config.uploadIdleSeconds, timeoutSeconds: config.uploadTimeoutSeconds };
}

// npm passes a signal on that the terminal, or systemd, has sent to the whole group already.
const REPEATED_MS = 2_000;

/** The first signal to stop. One that comes later than its own echoes ends the process at once. */
function stopSignal(): Promise<NodeJS.Signals> {
  let first: number | undefined;
  return new Promise((resolve) => {
    for (const signal of ['SIGTERM', 'SIGINT'] as const) {
      process.on(signal, () => {
        first ??= performance.now();
        if (performance.now() - first > REPEATED_MS) process.exit(1);
        resolve(signal);
      });
    }
  });
}

const FIRST_ORGANIZATION = 'default' as OrganizationId;

/** What a name that is asked for would be taken for: a service account, a special principal, the user name of key files. */
const otherNames = /\/|^(?:allUsers|allAuthenticatedUsers|_json_key|_json_key_base64)$/i;

/** In a registry that knows nobody: who the first owner will be, with a password made up where none was given. Undefined where there is somebody. */
async function prepareFirstOwner(
  config: Config,
  store: Store,
): Promise<(FirstOwner & { readonly command: CreateFirstOwner }) | undefined> {
  if (await store.read(anyUser)) return undefined;
  const name = config.firstUser ?? 'admin@localhost';
  if (otherNames.test(name))
    throw unusable(
      'ARTS_FIRST_USER',
      name,
      'it stands for somebody else, a service account or a key file',
      'an e-mail, for instance',
    );
  const password = config.firstPassword ?? randomBytes(18).toString('base64url');
  const command = {
    kind: 'CreateFirstOwner',
    user: newId(),
    organization: newId(),
    organizationId: FIRST_ORGANIZATION,
    loginName: name,
    nameHash: nameHash(await readSalt(store), name),
    passwordHash: await hashPassword(password),
  } as const;
  return { name, password, generated: config.firstPassword === undefined, command };
}
