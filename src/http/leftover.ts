import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';

// A request that is refused while its body still comes: how long the rest may take before the connection is cut.
const LEFTOVER_MS = 5_000;

/**
 * Lets an answer reach a client that is still sending: where the connection is not kept, Node would close it with bytes unread, and the reset that follows
 * from that overtakes the answer. Here the sending side is ended, what still comes runs off for a while, and then the connection is closed.
 */
export function answerBeforeBody(request: IncomingMessage, response: ServerResponse): void {
  const { socket, headers } = request;
  if (headers['transfer-encoding'] === undefined && (headers['content-length'] ?? '0') === '0') return;
  response.once('prefinish', () => {
    if (request.complete) return;
    socket.destroySoon = () => {
      Reflect.deleteProperty(socket, 'destroySoon');
      if (request.complete) socket.destroySoon();
      else socket.end();
    };
    request.once('end', () => Reflect.deleteProperty(socket, 'destroySoon'));
  });
  response.once('close', () => {
    if (request.complete || request.destroyed) return;
    request.resume();
    const timer = setTimeout(() => request.destroy(), LEFTOVER_MS);
    timer.unref();
    request.once('close', () => {
      clearTimeout(timer);
      if (socket.writableEnded) socket.destroySoon();
    });
  });
}

/** Ends a connection whose bytes nobody understands any more, behind `answer`. */
export function endConnection(socket: Socket, answer = ''): void {
  const timer = setTimeout(() => socket.destroy(), LEFTOVER_MS);
  timer.unref();
  socket.once('close', () => clearTimeout(timer));
  socket.end(answer);
}
