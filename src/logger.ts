import { destination, pino, type Logger } from 'pino';
import { build } from 'pino-pretty';

import { LiveMismatchError } from './projections/live.js';

/** JSON lines on stdout; on a terminal, lines for people. */
export function createLogger(debug: boolean): Logger {
  const options = {
    level: debug ? 'debug' : 'info',
    base: null,
    timestamp: timeField,
    formatters: { level: (label: string) => ({ level: label }) },
  };
  if (process.stdout.isTTY) return pino(options, build({ singleLine: true, translateTime: 'SYS:HH:MM:ss.l', ignore: 'agent' }));
  return pino(options, destination({ fd: 1, sync: false }));
}

let lastTime = 0;
let lastField = '';

/** Many lines share a millisecond, and making a date's text is dearer than the rest of a line. */
function timeField(): string {
  const now = Date.now();
  if (now !== lastTime) {
    lastTime = now;
    lastField = `,"time":"${new Date(now).toISOString()}"`;
  }
  return lastField;
}

/** An error as a line has it: what a store's own state explains in words, all else with where it came from. */
export function faultOf(error: unknown): { readonly err: unknown } | { readonly reason: string } {
  return error instanceof LiveMismatchError ? { reason: error.message } : { err: error };
}
