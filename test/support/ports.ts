import { randomInt } from 'node:crypto';
import { createServer } from 'node:net';

/** A port below the range that outgoing connections are given, or one of those could hold it when the server starts again. */
export async function freePort(host = '127.0.0.1'): Promise<number> {
  for (let tries = 0; tries < 100; tries += 1) {
    const port = randomInt(10_000, 32_000);
    if (await isFree(port, host)) return port;
  }
  throw new Error(`${host} has no port that is free`);
}

function isFree(port: number, host: string): Promise<boolean> {
  const listener = createServer();
  return new Promise((resolve) => {
    listener.once('error', () => resolve(false));
    listener.listen(port, host, () => listener.close(() => resolve(true)));
  });
}
