import type { WriteStream } from 'node:tty';

/** Standard output of a command that may print without end: told when nobody reads any more, and when it is interrupted. */
export class Output {
  /** Resolves when there is no use in going on. */
  readonly whenEnded: Promise<void>;
  ended = false;
  interrupted = false;
  /** Why it can't be written to, where that is a fault. */
  failure: Error | undefined;
  readonly #stream: NodeJS.WriteStream;
  #end: () => void = () => undefined;

  constructor(stream: NodeJS.WriteStream) {
    this.#stream = stream;
    this.whenEnded = new Promise((resolve) => (this.#end = resolve));
    stream.on('error', this.#failed);
    process.on('SIGINT', this.#interrupt).on('SIGTERM', this.#interrupt);
  }

  /** On a terminal, unless NO_COLOR (no-color.org) or the terminal says no. */
  get colors(): boolean {
    const { NO_COLOR, TERM } = process.env;
    return (this.#stream as Partial<WriteStream>).isTTY === true && (NO_COLOR ?? '') === '' && TERM !== 'dumb';
  }

  /** Resolves when the reader has kept up. */
  async write(text: string): Promise<void> {
    if (this.ended || this.#stream.write(text)) return;
    let drained: () => void = () => undefined;
    const drain = new Promise<void>((resolve) => this.#stream.once('drain', (drained = resolve)));
    await Promise.race([drain, this.whenEnded]);
    this.#stream.off('drain', drained);
  }

  close(): void {
    process.off('SIGINT', this.#interrupt).off('SIGTERM', this.#interrupt);
  }

  readonly #failed = (error: NodeJS.ErrnoException): void => {
    // `| head` has read enough.
    if (error.code !== 'EPIPE') this.failure ??= error;
    this.#stop();
  };

  readonly #interrupt = (): void => {
    // Whoever asks twice does not want to wait.
    if (this.interrupted) process.exit(130);
    this.interrupted = true;
    this.#stop();
  };

  #stop(): void {
    this.ended = true;
    this.#end();
  }
}
