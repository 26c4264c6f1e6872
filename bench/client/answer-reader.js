const HEAD = 0;
const SIZED = 1;
const CHUNK_SIZE = 2;
const CHUNK = 3;
const TRAILER = 4;

/**
 * @typedef {object} Answer
 * @property {number} status
 * @property {string} head the status line and the headers, as they came
 * @property {number} length bytes of the body
 * @property {string} text the body, where it was asked for or the status is an error; else empty
 */

/** The header's value, or undefined. @param {Answer} answer @param {string} name */
export function headerOf(answer, name) {
  return new RegExp(`\\r\\n${name}:[ \\t]*([^\\r]*)`, 'i').exec(answer.head)?.[1];
}

/** Reads HTTP/1.1 answers off a connection, one at a time. Bodies are counted, and kept only when somebody wants them. */
export class AnswerReader {
  #state = HEAD;
  #line = '';
  #left = 0;
  #bodyless = false;
  #keep = false;
  /** @type {Buffer[]} */
  #kept = [];
  /** @type {Answer} */
  #answer = { status: 0, head: '', length: 0, text: '' };

  /** @param {string} method @param {boolean} keep */
  expect(method, keep) {
    this.#state = HEAD;
    this.#line = '';
    this.#bodyless = method === 'HEAD';
    this.#keep = keep;
    this.#kept = [];
  }

  /**
   * Takes what has come; the answer once its last byte is there.
   * @param {Buffer} bytes reused by the connection for its next read
   * @returns {Answer | undefined}
   */
  take(bytes) {
    let at = 0;
    while (at < bytes.length) {
      if (this.#state === HEAD) at = this.#takeHead(bytes, at);
      else if (this.#state === SIZED || this.#state === CHUNK) at = this.#takeBody(bytes, at);
      else at = this.#takeLine(bytes, at);
      if (this.#state === HEAD && this.#answer.head !== '') return this.#finish();
    }
    return undefined;
  }

  /** @param {Buffer} bytes @param {number} at */
  #takeHead(bytes, at) {
    const before = this.#line.length;
    this.#line += bytes.toString('latin1', at, Math.min(bytes.length, at + 16_384));
    const end = this.#line.indexOf('\r\n\r\n');
    if (end < 0) {
      if (this.#line.length > 65_536) throw new Error('an answer whose head does not end');
      return Math.min(bytes.length, at + 16_384);
    }
    const head = this.#line.slice(0, end + 2);
    this.#line = '';
    const status = Number(head.slice(9, 12));
    if (status >= 200) this.#beginBody(status, head);
    return at + end + 4 - before;
  }

  /** @param {number} status @param {string} head */
  #beginBody(status, head) {
    this.#answer = { status, head, length: 0, text: '' };
    if (this.#bodyless || status === 204 || status === 304) return;
    if (/\r\ntransfer-encoding:[ \t]*chunked/i.test(head)) {
      this.#state = CHUNK_SIZE;
      return;
    }
    this.#left = Number(headerOf(this.#answer, 'content-length') ?? NaN);
    if (Number.isNaN(this.#left)) throw new Error(`an answer of unknown length: ${head.split('\r\n')[0]}`);
    if (this.#left > 0) this.#state = SIZED;
  }

  /** @param {Buffer} bytes @param {number} at */
  #takeBody(bytes, at) {
    const taken = Math.min(this.#left, bytes.length - at);
    // The buffer is read into again: what is kept is copied.
    if (this.#keep || this.#answer.status >= 400) this.#kept.push(Buffer.from(bytes.subarray(at, at + taken)));
    this.#left -= taken;
    this.#answer.length += taken;
    if (this.#left === 0) this.#state = this.#state === CHUNK ? CHUNK_SIZE : HEAD;
    return at + taken;
  }

  /** The line of a chunk's size, the empty one before it, or a trailer's. @param {Buffer} bytes @param {number} at */
  #takeLine(bytes, at) {
    const end = bytes.indexOf(10, at);
    if (end < 0) {
      this.#line += bytes.toString('latin1', at);
      return bytes.length;
    }
    const line = (this.#line + bytes.toString('latin1', at, end)).trim();
    this.#line = '';
    if (this.#state === TRAILER) {
      if (line === '') this.#state = HEAD;
    } else if (line !== '') {
      this.#left = parseInt(line, 16);
      this.#state = this.#left === 0 ? TRAILER : CHUNK;
    }
    return end + 1;
  }

  #finish() {
    const answer = this.#answer;
    if (this.#kept.length > 0) answer.text = Buffer.concat(this.#kept).toString();
    this.#answer = { status: 0, head: '', length: 0, text: '' };
    this.#kept = [];
    return answer;
  }
}
