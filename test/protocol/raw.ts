import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { connect, type Socket } from 'node:net';

export interface RawAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  readonly body: Buffer;
}

export interface RawOptions {
  /** Of the requests in their order, for answers without a body; GET where there is no other. */
  readonly methods?: readonly string[];
  /** Closes the sending side behind the bytes: the client that goes away. */
  readonly end?: boolean;
  /** Answers to wait for; 1 unless told. The connection is closed behind them. */
  readonly answers?: number;
  readonly timeoutMs?: number;
}

/** Sends bytes as they are and gives the answers that came until there were enough of them, the server closed, or the time was over. */
export function exchange(port: number, bytes: Buffer | string, options: RawOptions = {}): Promise<readonly RawAnswer[]> {
  const { methods = [], end = false, answers = 1, timeoutMs = 10_000 } = options;
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    const parts: Buffer[] = [];
    const finish = () => {
      clearTimeout(timer);
      socket.destroy();
      resolve(parseAnswers(Buffer.concat(parts), methods));
    };
    const timer = setTimeout(finish, timeoutMs);
    socket.on('data', (part) => {
      parts.push(part);
      if (parseAnswers(Buffer.concat(parts), methods).filter(({ status }) => status !== 100).length >= answers) finish();
    });
    // A server that answers and closes may reset what is still being sent.
    socket.on('error', () => undefined);
    socket.on('close', finish);
    if (end) socket.end(bytes);
    else socket.write(bytes);
  });
}

/** The answers that are there as a whole. */
export function parseAnswers(bytes: Buffer, methods: readonly string[] = []): readonly RawAnswer[] {
  const found: RawAnswer[] = [];
  let at = 0;
  let final = 0;
  for (;;) {
    const headEnd = bytes.indexOf('\r\n\r\n', at);
    if (headEnd < 0) return found;
    const [first = '', ...lines] = bytes.toString('latin1', at, headEnd).split('\r\n');
    const status = Number(/^HTTP\/1\.1 (\d{3})/.exec(first)?.[1] ?? NaN);
    if (Number.isNaN(status)) throw new Error(`no HTTP: ${first}`);
    const headers = new Map(
      lines.map((line) => [line.slice(0, line.indexOf(':')).toLowerCase(), line.slice(line.indexOf(':') + 1).trim()] as const),
    );
    const bare = status < 200 || status === 204 || status === 304 || methods[final] === 'HEAD';
    if (status >= 200) final += 1;
    const length = bare ? 0 : Number(headers.get('content-length') ?? 0);
    if (headEnd + 4 + length > bytes.length) return found;
    found.push({ status, headers, body: bytes.subarray(headEnd + 4, headEnd + 4 + length) });
    at = headEnd + 4 + length;
  }
}

export function openSocket(port: number): Promise<Socket> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => resolve(socket));
    socket.once('error', reject);
    socket.on('error', () => undefined);
  });
}

/** What a process has open: sockets counted, files by name. */
export function openFiles(pid: number): { readonly sockets: number; readonly files: readonly string[] } {
  const names = readdirSync(`/proc/${pid}/fd`).flatMap((fd) => {
    try {
      return [readlinkSync(`/proc/${pid}/fd/${fd}`)];
    } catch {
      return [];
    }
  });
  return {
    sockets: names.filter((name) => name.startsWith('socket:')).length,
    files: names.filter((name) => name.startsWith('/')).sort(),
  };
}

/** Resident memory in bytes. */
export function residentMemory(pid: number): number {
  return Number(/VmRSS:\s+(\d+) kB/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1] ?? NaN) * 1_024;
}
