import type { FastifyRequest } from 'fastify';

import { refuse, type Refusal } from '../errors.js';
import { publicOriginOf } from './challenge.js';

const reading = ['GET', 'HEAD', 'OPTIONS'];

/**
 * The refusal of a change that a page of another site has a browser send. What needs no body needs no Content-Type, and so a browser asks nobody before it sends it,
 * with the Basic credentials that it remembers. Clients that are no browsers send neither header. Fetch Metadata, "Sec-Fetch-Site"; RFC 6454, section 7.
 */
export function refuseCrossSite(request: FastifyRequest, publicUrl: string | undefined): Refusal | undefined {
  if (reading.includes(request.method)) return undefined;
  const { origin, 'sec-fetch-site': site } = request.headers;
  // The browser knows its own page by its own name for the registry, which a proxy in front may have changed on the way.
  if (site === 'same-origin' || site === 'none') return undefined;
  if (site !== undefined) return refuse('CROSS_SITE', { sent: `Sec-Fetch-Site: ${quotedHeader(site)}` });
  if (origin === undefined || isOwn(origin, request, publicUrl)) return undefined;
  return refuse('CROSS_SITE', { sent: `Origin: ${quotedHeader(origin)}` });
}

/** What the browser has the registry by, or the name that it has for everybody; which port a scheme has by itself is left out. An opaque origin is `null`: nobody's. */
function isOwn(origin: string, { raw }: FastifyRequest, publicUrl: string | undefined): boolean {
  const page = parseUrl(origin);
  if (page === undefined) return false;
  const own = [publicOriginOf(raw, publicUrl).host, raw.headers.host];
  return own.some((host) => host !== undefined && parseUrl(`${page.protocol}//${host}`)?.host === page.host);
}

function parseUrl(text: string): URL | undefined {
  return /^https?:/.test(text) && URL.canParse(text) ? new URL(text) : undefined;
}

const quotedHeader = (value: string | readonly string[]): string => JSON.stringify(String(value).slice(0, 200));
