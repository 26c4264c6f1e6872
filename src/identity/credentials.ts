/** What a request's Authorization header says, not yet believed. */
export type Credentials =
  | { readonly kind: 'none' }
  | { readonly kind: 'basic'; readonly user: string; readonly password: string }
  | { readonly kind: 'bearer'; readonly token: string }
  | { readonly kind: 'unreadable'; readonly reason: string };

export const AUTHORIZATION_MAX_LENGTH = 16_384;

const none: Credentials = { kind: 'none' };
const unreadable = (reason: string): Credentials => ({ kind: 'unreadable', reason });

// RFC 9110, section 11.2: a scheme is a token, compared without case; what follows it comes after spaces.
const headerGrammar = /^([!#$%&'*+.^_`|~0-9A-Za-z-]+)(?: +(.*))?$/s;
const base64 = /^[A-Za-z0-9+/_-]*={0,2}$/;
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The one spelling of a login name that all of its spellings share: however a keyboard composes its letters, in whichever case. */
export function foldLoginName(name: string): string {
  // In this order: some capitals with an accent have no composed form, while their small letters do.
  return name.toLowerCase().normalize('NFC');
}

/** Parses an Authorization header. Never throws; the reasons never repeat what might be a secret. */
export function parseAuthorization(header: string | undefined): Credentials {
  if (header === undefined) return none;
  if (header.length > AUTHORIZATION_MAX_LENGTH) {
    return unreadable(`the Authorization header has more than ${AUTHORIZATION_MAX_LENGTH} characters`);
  }
  const text = header.trim();
  if (text === '') return none;
  const [, scheme = '', rest = ''] = headerGrammar.exec(text) ?? [];
  switch (scheme.toLowerCase()) {
    case 'basic':
      return parseBasic(rest);
    case 'bearer':
      return { kind: 'bearer', token: rest };
    default:
      return unreadable('the Authorization header has another scheme than Basic and Bearer');
  }
}

// RFC 7617: the name ends at the first colon. Clients without credentials send an empty name and password; that is nobody.
function parseBasic(encoded: string): Credentials {
  if (!base64.test(encoded)) return unreadable('the Basic credentials are not base64');
  let text: string;
  try {
    text = utf8.decode(Buffer.from(encoded, 'base64'));
  } catch {
    return unreadable('the Basic credentials are not UTF-8');
  }
  if (text === '' || text === ':') return none;
  const colon = text.indexOf(':');
  if (colon < 0) return unreadable('the Basic credentials have no colon between user name and password');
  return { kind: 'basic', user: text.slice(0, colon), password: text.slice(colon + 1) };
}
