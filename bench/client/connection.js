import net from 'node:net';
import { AnswerReader } from './answer-reader.js';

/** @typedef {import('./answer-reader.js').Answer} Answer */

const SILENCE_MS = 120_000;

// All connections read into it: a read is consumed before the next one starts, and a small working set stays in the cache.
const received = Buffer.allocUnsafe(256 * 1024);

/**
 * A keep-alive HTTP/1.1 connection to 127.0.0.1, one request at a time. Thinner than node:http, so that the client is not what is
 * measured. It sends no more and no less than a registry's client does: Host, Authorization, and the request's own headers.
 */
export class Connection {
  authorization = '';
  #reader = new AnswerReader();
  /** @type {net.Socket} */
  #socket;
  /** @type {((answer: Answer) => void) | undefined} */
  #resolve;
  /** @type {((error: Error) => void) | undefined} */
  #reject;
  /** @type {(() => void) | undefined} */
  #drained;
  #doing = 'connecting';
  /** @type {Error | undefined} */
  #broken;
  #host;

  /** @param {number} port @param {string} authorization the header's value, or empty */
  static open(port, authorization = '') {
    const connection = new Connection(port);
    connection.authorization = authorization;
    return new Promise((resolve, reject) => {
      connection.#reject = reject;
      connection.#socket.once('connect', () => resolve(connection));
    });
  }

  /** @param {number} port */
  constructor(port) {
    this.#host = `127.0.0.1:${port}`;
    this.#socket = net.connect({
      host: '127.0.0.1',
      port,
      noDelay: true,
      onread: { buffer: received, callback: (length, buffer) => this.#take(/** @type {Buffer} */ (buffer).subarray(0, length)) },
    });
    this.#socket.setTimeout(SILENCE_MS, () => this.#fail(new Error(`no byte within ${SILENCE_MS / 1000} s`)));
    this.#socket.on('drain', () => this.#drained?.());
    this.#socket.on('error', (error) => this.#fail(error));
    this.#socket.on('close', () => this.#fail(new Error('the server closed the connection')));
  }

  /**
   * @param {string} method
   * @param {string} path
   * @param {{ headers?: string, body?: Iterable<Buffer>, keep?: boolean }} [options] headers: whole lines, each with its CRLF;
   *   body: as it goes over the wire, chunk frames included
   * @returns {Promise<Answer>}
   */
  request(method, path, { headers = '', body, keep = false } = {}) {
    if (this.#broken) return Promise.reject(this.#broken);
    const authorization = this.authorization === '' ? '' : `Authorization: ${this.authorization}\r\n`;
    this.#doing = `${method} ${path}`;
    this.#reader.expect(method, keep);
    return new Promise((resolve, reject) => {
      this.#resolve = resolve;
      this.#reject = reject;
      this.#send(`${method} ${path} HTTP/1.1\r\nHost: ${this.#host}\r\n${authorization}${headers}\r\n`, body);
    });
  }

  close() {
    this.#broken ??= new Error('closed');
    this.#socket.destroy();
  }

  /** @param {string} head @param {Iterable<Buffer> | undefined} body */
  async #send(head, body) {
    // Corked until the end of this turn, so that a small body travels with its head.
    this.#socket.cork();
    process.nextTick(() => this.#socket.uncork());
    this.#socket.write(head, 'latin1');
    if (body === undefined) return;
    for (const part of body) {
      if (this.#broken) return;
      if (this.#socket.write(part)) continue;
      await new Promise((resolve) => (this.#drained = () => resolve(undefined)));
    }
  }

  /** @param {Buffer} bytes */
  #take(bytes) {
    try {
      const answer = this.#reader.take(bytes);
      if (answer !== undefined) this.#resolve?.(answer);
      return true;
    } catch (error) {
      this.#fail(/** @type {Error} */ (error));
      return false;
    }
  }

  /** @param {Error} error */
  #fail(error) {
    if (this.#broken) return;
    this.#broken = new Error(`${this.#doing}: ${error.message}`);
    this.#socket.destroy();
    this.#drained?.();
    this.#reject?.(this.#broken);
  }
}
