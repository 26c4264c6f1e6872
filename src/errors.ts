/** The codes of the OCI distribution specification 1.1, "Error Codes", and UNKNOWN for faults that are no client's. */
export type OciCode =
  | 'BLOB_UNKNOWN'
  | 'BLOB_UPLOAD_INVALID'
  | 'BLOB_UPLOAD_UNKNOWN'
  | 'DIGEST_INVALID'
  | 'MANIFEST_BLOB_UNKNOWN'
  | 'MANIFEST_INVALID'
  | 'MANIFEST_UNKNOWN'
  | 'NAME_INVALID'
  | 'NAME_UNKNOWN'
  | 'SIZE_INVALID'
  | 'UNAUTHORIZED'
  | 'DENIED'
  | 'UNSUPPORTED'
  | 'TOOMANYREQUESTS'
  | 'UNKNOWN';

interface ErrorRow {
  readonly status: number;
  readonly oci: OciCode;
  readonly message: string;
}

/**
 * The one table of errors. Docker repeats a refused upload POST for a minute unless its first code is UNAUTHORIZED, DENIED, UNSUPPORTED,
 * TOOMANYREQUESTS or NAME_UNKNOWN, so a refusal of a POST that repeating cannot mend has one of these. It repeats these, too, where the message is its own
 * default text and there is no detail: `authentication required` is not ours.
 */
const table = {
  NAME_INVALID: { status: 400, oci: 'NAME_INVALID', message: '{reason}' },
  NAME_TOO_SHORT: { status: 404, oci: 'NAME_UNKNOWN', message: '{reason}' },
  REPOSITORY_UNKNOWN: { status: 404, oci: 'NAME_UNKNOWN', message: 'repository {name} is not known to this registry' },
  PROJECT_UNKNOWN: { status: 404, oci: 'NAME_UNKNOWN', message: 'project {project} is not known to this registry' },
  REPOSITORY_NOT_CREATED: {
    status: 404,
    oci: 'NAME_UNKNOWN',
    message:
      'repository {name} is not there and is not created by a push; create it with: artifact-store repository create {name}',
  },
  REPOSITORY_NEEDS_OWNER: {
    status: 404,
    oci: 'NAME_UNKNOWN',
    message: 'repository {name} is not there; an owner of {project} can create it',
  },
  REPOSITORY_EXISTS: { status: 409, oci: 'DENIED', message: 'repository {name} exists already' },

  ORGANIZATION_UNKNOWN: {
    status: 404,
    oci: 'NAME_UNKNOWN',
    message: 'organization {organization} is not known to this registry',
  },
  ORGANIZATION_EXISTS: {
    status: 409,
    oci: 'DENIED',
    message: 'there is an organization {organization} already; choose another id',
  },
  ORGANIZATION_NEEDED: {
    status: 400,
    oci: 'UNSUPPORTED',
    message: 'there is not exactly one organization that you own: say in which the project is to be, by its id',
  },
  ORGANIZATION_NOT_EMPTY: {
    status: 409,
    oci: 'DENIED',
    message: 'organization {organization} has projects; delete them first',
  },
  ORGANIZATION_IS_FIRST: {
    status: 409,
    oci: 'DENIED',
    message: 'organization {organization} is the first one, whose owners administer this registry; it can not be deleted',
  },
  PROJECT_EXISTS: { status: 409, oci: 'DENIED', message: 'there is a project {project} already; choose another id' },
  PROJECT_NOT_EMPTY: { status: 409, oci: 'DENIED', message: 'project {project} has repositories; delete them first' },
  FIELD_INVALID: { status: 400, oci: 'UNSUPPORTED', message: '{field}: {reason}' },

  PRINCIPAL_UNKNOWN: { status: 404, oci: 'UNSUPPORTED', message: '{reason}' },
  EVERYBODY_VIEWS_ONLY: {
    status: 400,
    oci: 'UNSUPPORTED',
    message: 'allUsers and allAuthenticatedUsers can be artifact_store_viewer only, and only on a project or a repository',
  },
  ROLE_UNKNOWN: { status: 404, oci: 'UNSUPPORTED', message: '{principal} has no role that was granted on {what} itself' },
  ROLES_ON_TOO_MANY: {
    status: 409,
    oci: 'DENIED',
    message:
      '{most} have a role on {what}, which is as many as there can be; take roles away that nobody needs, or grant them above it',
  },
  ROLES_OF_TOO_MANY: {
    status: 409,
    oci: 'DENIED',
    message:
      '{principal} has roles on {most} organizations and projects, which is as many as there can be; one on an organization holds for all of its projects',
  },
  LAST_OWNER: {
    status: 409,
    oci: 'DENIED',
    message: 'this would leave organization {organization} without an owner who can log in; make somebody else an owner first',
  },
  OWNER_CANNOT_LOG_IN: {
    status: 409,
    oci: 'DENIED',
    message: 'an organization is made with a user as owner who can log in, which {owner} is not; name such a user',
  },
  USER_UNKNOWN: { status: 404, oci: 'UNSUPPORTED', message: 'there is no user {user}' },
  USER_EXISTS: { status: 409, oci: 'DENIED', message: 'there is a user {user} already' },
  ACCOUNT_UNKNOWN: { status: 404, oci: 'UNSUPPORTED', message: 'there is no service account {account}' },
  ACCOUNT_EXISTS: { status: 409, oci: 'DENIED', message: 'there is a service account {account} already; choose another id' },
  KEY_UNKNOWN: {
    status: 404,
    oci: 'UNSUPPORTED',
    message: 'service account {account} has no key {key}; it was never made, or is revoked',
  },
  KEYS_TOO_MANY: {
    status: 409,
    oci: 'DENIED',
    message: 'service account {account} has {most} keys, which is as many as there can be; revoke those that nobody uses',
  },
  KEY_EXPIRED_ALREADY: {
    status: 400,
    oci: 'UNSUPPORTED',
    message: 'the key would be expired at once: {expires} is not in the future',
  },

  TAG_IMMUTABLE: {
    status: 403,
    oci: 'DENIED',
    message:
      "tag {tag} of {name} is immutable: it is neither moved nor deleted; push under another tag, or change the repository's settings",
  },
  REPOSITORY_IMMUTABLE: {
    status: 403,
    oci: 'DENIED',
    message: 'repository {name} has immutable tags, {tag} for one, which are not deleted; switch immutable tags off first',
  },
  IMMUTABLE_TAGS_UNREAD: {
    status: 403,
    oci: 'DENIED',
    message:
      'immutable tags are on in {name}, and {most} tags that would go were looked at, but not all; switch immutable tags off first',
  },
  CONTENT_ERASED: {
    status: 403,
    oci: 'DENIED',
    message: 'the content {digest} was erased by an administrator, and is not accepted again',
  },
  CONTENT_GONE: {
    status: 404,
    oci: 'MANIFEST_UNKNOWN',
    message: 'the content {digest} of {name} was erased by an administrator',
  },
  CONTENT_UNKNOWN: { status: 404, oci: 'UNSUPPORTED', message: 'there is no content {digest}' },

  REFERENCE_INVALID: { status: 400, oci: 'MANIFEST_INVALID', message: '{reason}' },
  MANIFEST_UNKNOWN: { status: 404, oci: 'MANIFEST_UNKNOWN', message: '{name} has no manifest {reference}' },
  TAG_NEVER_BEFORE: { status: 404, oci: 'MANIFEST_UNKNOWN', message: '{name} had no tag {tag} at {time}' },
  TAG_DELETED_BEFORE: {
    status: 404,
    oci: 'MANIFEST_UNKNOWN',
    message: '{name} had no tag {tag} at {time}: it was deleted at {deleted} by {actor}',
  },
  MANIFEST_DELETED_SINCE: {
    status: 404,
    oci: 'MANIFEST_UNKNOWN',
    message: "{name}:{tag} was {digest} at {time}, but that was deleted at {deleted} by {actor}, and is nobody's to pull",
  },
  REPOSITORY_CREATED_SINCE: {
    status: 404,
    oci: 'MANIFEST_UNKNOWN',
    message: '{name} had no tag {tag} at {time}: the repository that bears this name now was created at {created}',
  },
  TIME_NOT_COME: { status: 404, oci: 'MANIFEST_UNKNOWN', message: '{name} has no tag {reference} yet: {reason}' },
  TIME_INVALID: {
    status: 404,
    oci: 'MANIFEST_UNKNOWN',
    message: '{name} has no tag {reference}: {reason}; {tag} at a time is {form}, in UTC',
  },
  TAG_OF_THE_PAST: {
    status: 405,
    oci: 'UNSUPPORTED',
    message: '{reference} stands for what {tag} was at a time, which nobody can change; choose a tag that does not end in a time',
  },
  MANIFEST_INVALID: { status: 400, oci: 'MANIFEST_INVALID', message: '{reason}' },
  MANIFEST_TOO_LARGE: {
    status: 413,
    oci: 'SIZE_INVALID',
    message: 'the manifest has more than {limit} bytes (4 MiB), the most that is accepted',
  },
  MANIFEST_EMPTY: { status: 400, oci: 'MANIFEST_INVALID', message: 'the body is empty; a manifest is expected' },
  MANIFEST_BLOB_UNKNOWN: {
    status: 404,
    oci: 'MANIFEST_BLOB_UNKNOWN',
    message: '{path} refers to {what} {digest}, which {name} does not have; push it first',
  },
  MANIFEST_SIZE_WRONG: {
    status: 400,
    oci: 'MANIFEST_INVALID',
    message: '{path} says that {digest} has {said} bytes; it has {actual}',
  },
  MANIFEST_IN_USE: {
    status: 405,
    oci: 'DENIED',
    message: 'manifest {digest} is listed by {holders}; delete what lists it first',
  },

  DIGEST_INVALID: { status: 400, oci: 'DIGEST_INVALID', message: '{reason}' },
  DIGEST_MISSING: {
    status: 400,
    oci: 'DIGEST_INVALID',
    message: 'the digest parameter is missing; the last PUT of an upload is {form}',
  },
  DIGEST_MISMATCH: {
    status: 400,
    oci: 'DIGEST_INVALID',
    message: 'the digest given is {given}, but the {what} received has {actual}',
  },
  DIGEST_ALGORITHM_UNSUPPORTED: {
    status: 400,
    oci: 'UNSUPPORTED',
    message: 'digest algorithm {algorithm} is not supported; accepted are sha256 and sha512',
  },

  BLOB_UNKNOWN: { status: 404, oci: 'BLOB_UNKNOWN', message: '{name} has no blob {digest}' },
  BLOB_IN_USE: {
    status: 405,
    oci: 'DENIED',
    message: 'blob {digest} is referenced by {holders}; delete what references it first',
  },
  UPLOAD_UNKNOWN: {
    status: 404,
    oci: 'BLOB_UPLOAD_UNKNOWN',
    message: '{name} has no upload {upload}; it was finished, cancelled or expired',
  },
  UPLOAD_INVALID: { status: 400, oci: 'BLOB_UPLOAD_INVALID', message: '{reason}' },
  UPLOAD_WRONG_OFFSET: {
    status: 416,
    oci: 'BLOB_UPLOAD_INVALID',
    message: 'the chunk begins at byte {offset}, but the upload stands at {expected}; go on from there',
  },
  UPLOAD_TAKEN_OVER: {
    status: 409,
    oci: 'BLOB_UPLOAD_INVALID',
    message: 'another request went on with this upload, here or at another server; ask for its status and go on from there',
  },
  RANGE_INVALID: { status: 416, oci: 'UNSUPPORTED', message: 'the range {range} does not lie in the {size} bytes of the blob' },
  SIZE_INVALID: { status: 400, oci: 'SIZE_INVALID', message: '{reason}' },
  BODY_TRUNCATED: {
    status: 400,
    oci: 'SIZE_INVALID',
    message: 'the body ended after {received} bytes, before what its headers announced',
  },

  UNAUTHORIZED: { status: 401, oci: 'UNAUTHORIZED', message: 'authentication is required' },
  CREDENTIALS_WRONG: { status: 401, oci: 'UNAUTHORIZED', message: 'the user name or the password is wrong' },
  KEY_FILE_INVALID: {
    status: 401,
    oci: 'UNAUTHORIZED',
    message: 'the password is no key file of a service account: {reason}; with the user name _json_key it is the whole JSON file',
  },
  TOKEN_INVALID: { status: 401, oci: 'UNAUTHORIZED', message: 'the token is not valid here or has expired' },
  SCOPE_INSUFFICIENT: { status: 401, oci: 'UNAUTHORIZED', message: 'the token was not given for {scope}' },
  MANAGED_BY_TOKEN: {
    status: 401,
    oci: 'UNAUTHORIZED',
    message: 'no token is good for managing; send a user name and a password, or a key file, by Basic authentication',
  },
  DENIED: { status: 403, oci: 'DENIED', message: 'you may not {verb} {name}' },
  TOO_MANY_REQUESTS: { status: 429, oci: 'TOOMANYREQUESTS', message: 'too many requests; try again in {seconds} s' },

  PAGE_INVALID: { status: 400, oci: 'UNSUPPORTED', message: '{reason}' },
  ROUTE_UNKNOWN: { status: 404, oci: 'UNSUPPORTED', message: '{method} {path} is nothing that this registry serves' },
  METHOD_UNSUPPORTED: { status: 405, oci: 'UNSUPPORTED', message: '{method} is not supported here; accepted: {allowed}' },
  REQUEST_INVALID: { status: 400, oci: 'UNSUPPORTED', message: '{reason}' },

  CROSS_SITE: {
    status: 403,
    oci: 'DENIED',
    message: "a page of another site had a browser send this ({sent}); send it from this registry's own page, or by a program",
  },
  BODY_INVALID: { status: 400, oci: 'UNSUPPORTED', message: '{reason}' },
  MEDIA_TYPE_UNSUPPORTED: {
    status: 415,
    oci: 'UNSUPPORTED',
    message: 'the body is {given}; accepted is application/json in UTF-8',
  },
  CHANGED_SINCE: {
    status: 412,
    oci: 'DENIED',
    message: 'it is not what If-Match says any more; get it again, and decide anew',
  },
  IDEMPOTENCY_KEY_REUSED: {
    status: 422,
    oci: 'UNSUPPORTED',
    message: 'this Idempotency-Key came with another body before; a key is for one request and its repetitions',
  },
  KEY_SHOWN_BEFORE: {
    status: 409,
    oci: 'DENIED',
    message: 'key {key} was made by this very request before, and its file is shown once only; revoke it and make another',
  },
  PASSWORD_SHOWN_BEFORE: {
    status: 409,
    oci: 'DENIED',
    message: 'user {user} was made by this very request before, and the password that was made up is shown once only; reset it',
  },

  SIGNING_KEY_YOUNG: {
    status: 409,
    oci: 'DENIED',
    message: 'a key that was made less than {seconds} s ago does not sign yet; make another when it does',
  },

  STORAGE_FULL: { status: 507, oci: 'DENIED', message: "the registry's disk is full; nothing of this request was kept" },
  UNAVAILABLE: { status: 503, oci: 'UNKNOWN', message: '{reason}' },
  INTERNAL: { status: 500, oci: 'UNKNOWN', message: 'the registry failed; its log has the request {request}' },
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof table;
export const errorTable: Readonly<Record<ErrorCode, ErrorRow>> = table;

export type ErrorDetails = Readonly<Record<string, string | number>>;

/** A decision's "no", with what its message needs. A value, not an exception. */
export interface Refusal {
  readonly refused: ErrorCode;
  readonly details: ErrorDetails;
}

export function refuse(refused: ErrorCode, details: ErrorDetails = {}): Refusal {
  return { refused, details };
}

/** Template and details put together; a detail that a template does not name is left out of the sentence. */
export function messageOf(refusal: Refusal): string {
  return errorTable[refusal.refused].message.replace(/\{(\w+)\}/g, (hole, name: string) => String(refusal.details[name] ?? hole));
}

/** A refusal on its way to the client, from wherever there is no decision to return it from. */
export class RefusalError extends Error {
  override readonly name = 'RefusalError';
  constructor(readonly refusal: Refusal) {
    // An answer, not a fault: nobody reads its stack, which would cost more than the rest of a HEAD for what is not there.
    const limit = Error.stackTraceLimit;
    Error.stackTraceLimit = 0;
    super(messageOf(refusal));
    Error.stackTraceLimit = limit;
  }
}

/** Throws a refusal: for parsing and authentication, where nothing has been decided yet. */
export function reject(refused: ErrorCode, details: ErrorDetails = {}): never {
  throw new RefusalError(refuse(refused, details));
}
