import { STATUS_CODES } from 'node:http';

import { errorTable, messageOf, type ErrorCode, type Refusal } from '../errors.js';

/** RFC 9457: a refusal in the management API. */
export interface Problem {
  /** What went wrong is told by `code`; no page of the web describes it. */
  readonly type: 'about:blank';
  /** The status in words. */
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  /** docs/errors.md, first column. */
  readonly code: ErrorCode;
}

export const problemType = 'application/problem+json';

export function problemOf(refusal: Refusal): Problem {
  const { status } = errorTable[refusal.refused];
  return { type: 'about:blank', title: STATUS_CODES[status] ?? '', status, detail: messageOf(refusal), code: refusal.refused };
}

/** Whether a path, as it was sent, is the management API's, whatever is there. */
export function isApiPath(url: string): boolean {
  return /^\/api\/v1(?:[/?]|$)/.test(url);
}
