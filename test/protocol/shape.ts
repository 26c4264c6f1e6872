import { expect } from 'vitest';

import { type Answer, RegistryClient } from '../support/client.js';
import type { Server } from '../support/server.js';

/** distribution-spec 1.1, "Error Codes", and the one that is for the registry's own faults. */
const specCodes = new Set([
  'BLOB_UNKNOWN',
  'BLOB_UPLOAD_INVALID',
  'BLOB_UPLOAD_UNKNOWN',
  'DIGEST_INVALID',
  'MANIFEST_BLOB_UNKNOWN',
  'MANIFEST_INVALID',
  'MANIFEST_UNKNOWN',
  'NAME_INVALID',
  'NAME_UNKNOWN',
  'SIZE_INVALID',
  'UNAUTHORIZED',
  'DENIED',
  'UNSUPPORTED',
  'TOOMANYREQUESTS',
]);

interface ErrorBody {
  readonly errors: readonly { readonly code: string; readonly message: string; readonly detail?: unknown }[];
}

/** Why the bytes are no error body of the specification; undefined: they are one. */
export function problemWithErrorBody(bytes: Buffer): string | undefined {
  let body: Partial<ErrorBody>;
  try {
    body = JSON.parse(bytes.toString()) as Partial<ErrorBody>;
  } catch {
    return `no JSON: ${bytes.toString().slice(0, 200)}`;
  }
  if (!Array.isArray(body.errors) || body.errors.length === 0) return 'no errors';
  for (const { code, message } of body.errors as ErrorBody['errors']) {
    if (!specCodes.has(code)) return `code ${code}`;
    if (typeof message !== 'string' || message === '') return `no message beside ${code}`;
  }
  return undefined;
}

/** The answer is the specification's error with this status and code; gives its message. */
export function expectError(answer: Answer, status: number, code: string): string {
  expect({ status: answer.status, codes: answer.codes() }, answer.request).toEqual({ status, codes: [code] });
  expect(problemWithErrorBody(answer.body)).toBeUndefined();
  expect(answer.header('content-type')).toBe('application/json');
  expect(answer.header('content-length')).toBe(String(answer.body.length));
  expect(answer.header('docker-distribution-api-version')).toBe('registry/2.0');
  const message = (answer.json() as ErrorBody).errors[0]?.message ?? '';
  expect(message, 'a hole that no detail filled').not.toMatch(/\{\w+\}/);
  return message;
}

/** A 404 and the like of a HEAD: the status says it all. */
export function expectBareError(answer: Answer, status: number): void {
  expect(answer.status, answer.request).toBe(status);
  expect(answer.body.length).toBe(0);
  expect(answer.header('docker-distribution-api-version')).toBe('registry/2.0');
}

export function keepAliveClient({ url, user, password }: Server): RegistryClient {
  return new RegistryClient({ url, user, password, keepAlive: true });
}

let names = 0;

/** A name of two parts that nothing was pushed to yet. */
export function freshName(prefix = 'p'): string {
  names += 1;
  return `${prefix}/r${names}`;
}

export const uuid = '[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}';
