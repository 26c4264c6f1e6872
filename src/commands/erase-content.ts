import type { Digest } from '../digest.js';
import { refuse, type Refusal } from '../errors.js';
import { clearContent, readContent } from '../events/content.js';
import { blobStream, repositoryStream } from '../events/types.js';
import type { Uid } from '../identifiers.js';
import { findBlob, isErased, type CanonicalBlob } from '../projections/blobs.js';
import { encodeJson } from '../projections/projection.js';
import { listLinkingRepositories } from '../projections/references.js';
import { standingAsAdministrator } from '../projections/standing.js';
import type { Writing } from '../projections/store.js';
import type { ErasureOfBlob } from './erasure-notes.js';
import { isRefusal, type CommandContext, type Decision, type Executor, type NewEvent } from './execute.js';

/**
 * Takes the bytes of a manifest, a config or a blob away for ever, from all repositories at once, and keeps them from coming back. What happened to it stays in the
 * history, and so does what it held. An administrator may.
 */
export interface EraseContent {
  readonly kind: 'EraseContent';
  readonly digest: Digest;
  /** Names what is still to be cleared when the event is there. */
  readonly erasure: Uid;
}

interface ErasureState {
  readonly denied: Refusal | undefined;
  readonly erased: boolean;
  /** Beside the log. */
  readonly isContent: boolean;
  readonly canonical: CanonicalBlob | undefined;
}

export interface ErasureOutcome {
  /** False where it was erased before. */
  readonly erased: boolean;
}

function decideEraseContent(state: ErasureState, { digest }: EraseContent): Decision<ErasureOutcome> {
  const { denied, erased, isContent, canonical } = state;
  if (denied !== undefined) return denied;
  if (erased) return { events: [], outcome: { erased: false } };
  if (!isContent && canonical === undefined) return refuse('CONTENT_UNKNOWN', { digest });
  return { events: [{ stream: blobStream(digest), payload: { kind: 'ContentErased', digest } }], outcome: { erased: true } };
}

/**
 * In bounded transactions: the first has the event, from which on nobody is given the bytes; the others take the blob from the repositories that may read it, and
 * are finished by `processes/finish-erasures.ts` where this process dies. `contextOf` makes a context with a command id of its own for each.
 */
export async function eraseContent(
  executor: Executor,
  contextOf: () => CommandContext,
  command: EraseContent,
): Promise<ErasureOutcome | Refusal> {
  const context = contextOf();
  const erased = await executor.execute(context, async (writing) => {
    const state = await loadErasureState(writing, context, command);
    const decision = decideEraseContent(state, command);
    // Also what was erased before: nothing should have brought it back, and nothing else would take it away.
    if (!isRefusal(decision)) await clear(writing, command, state.canonical);
    return decision;
  });
  if (!isRefusal(erased)) await unlinkEverywhere(executor, contextOf, command.digest);
  return erased;
}

async function loadErasureState(writing: Writing, context: CommandContext, { digest }: EraseContent): Promise<ErasureState> {
  const denied = context.judgeManaging(await standingAsAdministrator(writing, context.actor), 'content');
  if (denied !== undefined) return { denied, erased: false, isContent: false, canonical: undefined };
  const [erased, bytes, canonical] = await Promise.all([
    isErased(writing, digest),
    readContent(writing.tx, writing.registry.keyspace, digest),
    findBlob(writing, digest),
  ]);
  return { denied, erased, isContent: bytes !== undefined, canonical };
}

/** The file of a blob is no part of the transaction: a note of it is. */
async function clear(writing: Writing, { digest, erasure }: EraseContent, canonical: CanonicalBlob | undefined): Promise<void> {
  const { keyspace } = writing.registry;
  await clearContent(writing.tx, keyspace, digest);
  if (canonical === undefined) return;
  const note: ErasureOfBlob = { kind: 'blob', digest, generation: canonical.generation };
  writing.tx.set(keyspace.erasure(erasure), encodeJson(note));
}

// Each is an event and six keys.
const LINKS_A_STEP = 200;

/** Takes a blob whose bytes were erased from all repositories that have it. Several at once do it together. */
export async function unlinkEverywhere(executor: Executor, contextOf: () => CommandContext, digest: Digest): Promise<void> {
  for (;;) {
    const step = await executor.execute(contextOf(), async (writing) => {
      const linking = await listLinkingRepositories(writing, digest, LINKS_A_STEP);
      const events = linking.map((repository): NewEvent => ({
        stream: repositoryStream(repository),
        payload: { kind: 'BlobUnlinked', digest },
      }));
      return { events, outcome: { done: linking.length < LINKS_A_STEP } };
    });
    if (isRefusal(step) || step.done) return;
  }
}
