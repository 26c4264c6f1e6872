import { destination, pino, type Logger } from 'pino';
import { build } from 'pino-pretty';

/** JSON lines on stdout; on a terminal, lines for people. */
export function createLogger(debug: boolean): Logger {
  const options = {
    level: debug ? 'debug' : 'info',
    base: null,
    timestamp: () => `,"time":"${new Date().toISOString()}"`,
    formatters: { level: (label: string) => ({ level: label }) },
    // Nothing puts a header into a log line; should somebody, these are not in it.
    redact: { paths: ['*.authorization', '*.headers', '*.password', '*.token'], censor: '(hidden)' },
  };
  if (process.stdout.isTTY)
    return pino(options, build({ singleLine: true, translateTime: 'SYS:HH:MM:ss.l', ignore: 'agent,request' }));
  return pino(options, destination({ fd: 1, sync: false }));
}
