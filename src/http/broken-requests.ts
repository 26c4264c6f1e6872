import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Logger } from 'pino';

import { answerBeforeBody, endConnection } from './leftover.js';
import { loggedPath } from './request-log.js';

/** Of Node's: the response whose turn it is on a connection. */
interface AnsweringSocket extends Socket {
  readonly _httpMessage?: ServerResponse | null;
}

interface ParseError extends NodeJS.ErrnoException {
  /** One of llhttp's own sentences; nothing of what the client sent. */
  readonly reason?: string;
}

/** What never reaches a route: bytes that are no HTTP, and expectations that are not met. */
export class BrokenRequests {
  readonly #logger: Logger;
  readonly #answered = new WeakSet<Socket>();

  constructor(logger: Logger) {
    this.#logger = logger;
  }

  /** For Node's `clientError`. */
  readonly answer = (error: ParseError, socket: AnsweringSocket): void => {
    const broken = error.code?.startsWith('HPE_') === true || error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
    if (!broken || !socket.writable) {
      // The rest of what was answered already is an error with every packet, and is let run off.
      if (!broken || !this.#answered.has(socket)) socket.destroy();
      return;
    }
    if (this.#answered.has(socket)) return;
    const running = socket._httpMessage;
    // Behind a head, an error would be read as bytes of that answer's body.
    if (running?.headersSent === true && !running.writableEnded) {
      socket.destroy();
      return;
    }
    this.#answered.add(socket);
    if (running?.headersSent === true) {
      endConnection(socket);
      return;
    }
    const { status, phrase, message } = verdict(error);
    // A client that ends in the middle of a body: the line of that request says it.
    const told = error.code === 'HPE_INVALID_EOF_STATE' && running != null;
    if (!told) this.#logger.info({ status, code: error.code, address: socket.remoteAddress }, 'request');
    const body = errorBody(message);
    const headers = Object.entries(headersFor(body)).map(([name, value]) => `${name}: ${value}\r\n`);
    endConnection(socket, `HTTP/1.1 ${status} ${phrase}\r\n${headers.join('')}\r\n${body}`);
  };

  /** For Node's `checkExpectation`. */
  readonly refuseExpectation = (request: IncomingMessage, response: ServerResponse): void => {
    const { method, socket } = request;
    const line = { method, path: loggedPath(request), status: 417, code: 'EXPECTATION', address: socket.remoteAddress };
    this.#logger.info(line, 'request');
    this.#answered.add(socket);
    answerBeforeBody(request, response);
    const body = errorBody('the only expectation that is met is 100-continue');
    response.writeHead(417, headersFor(body)).end(body);
  };
}

function verdict({ code, reason }: ParseError): { status: number; phrase: string; message: string } {
  switch (code) {
    case 'HPE_HEADER_OVERFLOW':
      return { status: 431, phrase: 'Request Header Fields Too Large', message: 'the headers are too large' };
    case 'ERR_HTTP_REQUEST_TIMEOUT':
      return { status: 408, phrase: 'Request Timeout', message: 'the headers did not come in time' };
    default: {
      const message = reason === undefined ? 'the request is not HTTP/1.1' : `the request is not understood: ${reason}`;
      return { status: 400, phrase: 'Bad Request', message };
    }
  }
}

function errorBody(message: string): string {
  return JSON.stringify({ errors: [{ code: 'UNSUPPORTED', message, detail: {} }] });
}

function headersFor(body: string) {
  return {
    connection: 'close',
    'docker-distribution-api-version': 'registry/2.0',
    'content-type': 'application/json',
    'content-length': Buffer.byteLength(body),
  };
}
