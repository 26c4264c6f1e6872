/** What tokens and assertions have in common: three parts of a JWT (RFC 7519), taken apart strictly. */

export type JsonObject = Readonly<Record<string, unknown>>;

// Node accepts 16 kB of headers, so that a longer token can't arrive in one.
export const JWT_MAX_LENGTH = 16_384;
export const SIGNATURE_BYTES = 64;

export interface ParsedJwt {
  readonly header: JsonObject;
  readonly kid: string;
  readonly payload: JsonObject;
  /** What the signature is of. */
  readonly signed: Buffer;
  readonly signature: Buffer;
}

/** Nothing of it is believed yet. Undefined for what is no JWT signed with Ed25519's 64 bytes. */
export function parseJwt(token: string): ParsedJwt | undefined {
  if (token.length > JWT_MAX_LENGTH) return undefined;
  const [header, payload, signature, ...more] = token.split('.');
  if (header === undefined || payload === undefined || signature === undefined || more.length > 0) return undefined;
  const parts = { header: decodePart(header), payload: decodePart(payload), signature: decodeBase64Url(signature) };
  if (parts.header === undefined || parts.payload === undefined || parts.signature?.length !== SIGNATURE_BYTES) return undefined;
  // RFC 8725, sections 3.1 and 3.2: the verifier decides on the algorithm, the header only says the same. RFC 7515, section 4.1.11: an extension
  // in `crit` that is not understood refuses the token, and none is.
  const { alg, kid } = parts.header;
  if (alg !== 'EdDSA' || typeof kid !== 'string' || 'crit' in parts.header) return undefined;
  return {
    header: parts.header,
    kid,
    payload: parts.payload,
    signed: Buffer.from(`${header}.${payload}`),
    signature: parts.signature,
  };
}

export function encodePart(part: JsonObject): string {
  return Buffer.from(JSON.stringify(part)).toString('base64url');
}

function decodePart(part: string): JsonObject | undefined {
  const bytes = decodeBase64Url(part);
  if (bytes === undefined) return undefined;
  try {
    const value: unknown = JSON.parse(bytes.toString());
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? (value as JsonObject) : undefined;
  } catch {
    return undefined;
  }
}

// Node's decoder passes over what it does not know; RFC 7515 wants the one right spelling.
function decodeBase64Url(text: string): Buffer | undefined {
  const bytes = Buffer.from(text, 'base64url');
  return bytes.toString('base64url') === text ? bytes : undefined;
}
