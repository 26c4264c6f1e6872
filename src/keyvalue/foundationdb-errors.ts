import { KeyValueError } from './database.js';
import type { FdbError } from './foundationdb-binding.js';
import { noCommitVersion, tooOld, unreadable } from './transaction-checks.js';

/** Error numbers of the C library ("Error codes"; flow/error_definitions.h). */
export const fdbCodes = {
  transactionTooOld: 1007,
  futureVersion: 1009,
  notCommitted: 1020,
  commitUnknownResult: 1021,
  transactionCancelled: 1025,
  transactionTimedOut: 1031,
  accessedUnreadable: 1036,
  processBehind: 1037,
  databaseLocked: 1038,
  clusterVersionChanged: 1039,
  commitProxyMemoryLimitExceeded: 1042,
  batchTransactionThrottled: 1051,
  grvProxyMemoryLimitExceeded: 1078,
  operationCancelled: 1101,
  tagThrottled: 1213,
  proxyTagThrottled: 1223,
  invertedRange: 2005,
  noCommitVersion: 2021,
  transactionTooLarge: 2101,
} as const;

// As long as the C library's own first pause for them, which it then makes longer; ours are jittered and bounded by the caller's patience.
const BUSY_PAUSE_MS = 100;

/** Codes that come of the transaction's end by this process, or by its time limit, and say nothing about the cluster. */
export function isOwnEnd(code: number): boolean {
  return code === fdbCodes.transactionCancelled || code === fdbCodes.operationCancelled || code === fdbCodes.transactionTimedOut;
}

/** After such an end of a commit it may still be on its way: nobody knows, and nobody will when asking now. */
export function isInDoubt(code: number): boolean {
  return isOwnEnd(code) || code === fdbCodes.clusterVersionChanged;
}

/** What the port says for an error of the C library; the ends by this process are for the caller, who knows why. */
export function keyValueError(error: FdbError, phase: 'read' | 'commit'): KeyValueError {
  const cause = { cause: error };
  switch (error.code) {
    case fdbCodes.notCommitted:
      return new KeyValueError('not_committed', 'another transaction changed what this one read', cause);
    case fdbCodes.transactionTooOld:
      return tooOld();
    case fdbCodes.commitUnknownResult:
      return commitUnknown('the cluster was lost during the commit', error);
    case fdbCodes.accessedUnreadable:
      return unreadable(cause);
    case fdbCodes.invertedRange:
      return new KeyValueError('inverted_range', 'the range begins after its end', cause);
    case fdbCodes.noCommitVersion:
      return noCommitVersion();
    case fdbCodes.databaseLocked:
      return new KeyValueError(
        'unavailable',
        'the FoundationDB database is locked, as it is during a restore or a switch-over',
        cause,
      );
    case fdbCodes.futureVersion:
    case fdbCodes.processBehind:
    case fdbCodes.clusterVersionChanged:
      return retryable(error, phase);
    case fdbCodes.commitProxyMemoryLimitExceeded:
    case fdbCodes.grvProxyMemoryLimitExceeded:
    case fdbCodes.batchTransactionThrottled:
    case fdbCodes.tagThrottled:
    case fdbCodes.proxyTagThrottled:
      return retryable(error, phase, BUSY_PAUSE_MS);
    default:
      return new KeyValueError('storage_failed', `FoundationDB: ${error.message} (${error.code})`, cause);
  }
}

/** Nothing was committed, and the next attempt, at another version, may well be. */
function retryable(error: FdbError, phase: 'read' | 'commit', retryAfterMs?: number): KeyValueError {
  const code = phase === 'read' ? 'transaction_too_old' : 'not_committed';
  return new KeyValueError(code, `FoundationDB: ${error.message} (${error.code})`, {
    cause: error,
    ...(retryAfterMs === undefined ? {} : { retryAfterMs }),
  });
}

export function commitUnknown(why: string, cause: FdbError): KeyValueError {
  return new KeyValueError('commit_unknown_result', why, { cause });
}

/** No answer in time. */
export function unavailable(message: string, options?: ErrorOptions): KeyValueError {
  return new KeyValueError('unavailable', message, options);
}
