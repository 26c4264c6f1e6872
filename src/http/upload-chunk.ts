import { reject } from '../errors.js';
import type { RepositoryName, Uid } from '../identifiers.js';
import { parseContentRange } from './byte-range.js';
import type { Exchange } from './exchange.js';
import { announcedLength } from './request-body.js';
import { uploadAt } from './upload-session.js';

interface Chunk {
  readonly offset: number;
  /** Bytes, as a Content-Range has them. */
  readonly announced: number | undefined;
}

/** Where the request's bytes belong: at the end of the `size` that are there, which a Content-Range has to agree with. */
export function chunkOf(
  exchange: Exchange,
  { name, upload }: { readonly name: RepositoryName; readonly upload: Uid },
  size: number,
): Chunk {
  const { request } = exchange;
  const header = request.headers['content-range'];
  if (header === undefined) return { offset: size, announced: undefined };
  const range = parseContentRange(header);
  if (range === undefined) {
    return reject('UPLOAD_INVALID', { reason: `Content-Range ${JSON.stringify(header)} is not <first byte>-<last byte>` });
  }
  const length = announcedLength(request.raw);
  const announced = range.last - range.first + 1;
  if (length !== undefined && length !== announced) {
    return reject('SIZE_INVALID', { reason: `Content-Range ${header} has ${announced} bytes, Content-Length says ${length}` });
  }
  if (range.first !== size) {
    uploadAt(exchange, name, upload, size);
    return reject('UPLOAD_WRONG_OFFSET', { offset: range.first, expected: size });
  }
  return { offset: size, announced };
}
