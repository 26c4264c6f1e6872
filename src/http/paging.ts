import type { FastifyReply } from 'fastify';

import { reject } from '../errors.js';
import { sendBytes } from './answers.js';
import type { Exchange } from './exchange.js';

/** `n`: at most so many, and `most` for more. Undefined when it is not given. */
export function pageSize({ query }: Exchange, most: number): number | undefined {
  const text = query.get('n');
  if (text === null) return undefined;
  const size = /^\d{1,15}$/.test(text) ? Number(text) : NaN;
  return Number.isNaN(size)
    ? reject('PAGE_INVALID', { reason: `n=${JSON.stringify(text)} is not a whole number from 0 up` })
    : Math.min(size, most);
}

/** The value of a Link header. */
export function linkToNext(path: string, parameters: Readonly<Record<string, string>>): string {
  return `<${path}?${new URLSearchParams(parameters).toString()}>; rel="next"`;
}

/** An answer as it is sent, and the link to the next page. */
export interface List {
  /** JSON as Latin-1 text. */
  readonly body: string;
  readonly link: string | undefined;
}

/** Makes the body, once for all who are sent it. */
export function listOf(body: object, link: string | undefined): List {
  return { body: Buffer.from(JSON.stringify(body)).toString('latin1'), link };
}

/** About how much memory a list takes. */
export function listBytes({ list }: { readonly list: List }): number {
  return list.body.length + 1_000;
}

/** Of a HEAD, the headers alone. */
export function sendList({ request, reply }: Exchange, { body, link }: List): FastifyReply {
  const headers = [
    'content-type',
    'application/json',
    'content-length',
    body.length,
    ...(link === undefined ? [] : ['link', link]),
  ];
  request.told.bytes = body.length;
  return sendBytes(reply, 200, headers, request.method === 'HEAD' ? undefined : body);
}
