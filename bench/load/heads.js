import net from 'node:net';

const received = Buffer.allocUnsafe(64 * 1024);

/**
 * HEAD requests a second that got answered with 200. wrk cannot: it waits for the body that a HEAD's Content-Length tells of. So a loop
 * with nothing to spare: the request's bytes are made once, of an answer only the status and its end are looked at.
 * @param {object} load
 * @param {number} load.port
 * @param {string} load.path
 * @param {Record<string, string>} load.headers an empty value leaves the header out
 * @param {number} load.connections
 * @param {number} load.seconds
 */
export async function heads({ port, path, headers, connections, seconds }) {
  const lines = Object.entries({ Host: `127.0.0.1:${port}`, ...headers }).filter(([, value]) => value !== '');
  const request = Buffer.from(`HEAD ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}\r\n`).join('')}\r\n`);
  const state = { answered: 0, over: false };
  const started = performance.now();
  const ends = Array.from({ length: connections }, () => headAgain(port, request, state));
  const timer = setTimeout(() => (state.over = true), seconds * 1000);
  try {
    await Promise.all(ends);
    return state.answered / ((performance.now() - started) / 1000);
  } finally {
    state.over = true;
    clearTimeout(timer);
  }
}

/** @param {number} port @param {Buffer} request @param {{ answered: number, over: boolean }} state @returns {Promise<void>} */
function headAgain(port, request, state) {
  return new Promise((resolve, reject) => {
    let start = '';
    const socket = net.connect({ host: '127.0.0.1', port, noDelay: true, onread: { buffer: received, callback: take } });
    socket.once('connect', () => socket.write(request)).setTimeout(30_000, () => fail('no answer within 30 s'));
    socket.once('error', reject).once('close', () => reject(new Error('HEAD: the server closed the connection')));

    /** @param {string} problem */
    function fail(problem) {
      reject(new Error(`HEAD: ${problem}`));
      socket.destroy();
    }

    /** @param {number} length */
    function take(length) {
      if (start === '') start = received.toString('latin1', 0, Math.min(12, length));
      if (!start.startsWith('HTTP/1.1 200')) fail(`answered with ${start}`);
      // An answer ends its last read: no second request is under way on a connection.
      else if (received[length - 1] === 10 && received[length - 3] === 10) again();
      return true;
    }

    function again() {
      start = '';
      state.answered++;
      if (!state.over) return void socket.write(request);
      resolve();
      socket.destroy();
    }
  });
}
