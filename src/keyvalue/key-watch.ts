import type { Watch } from './database.js';

/** The port's watch, whatever an engine does to fire it. */
export class KeyWatch implements Watch {
  readonly changed: Promise<void>;
  #resolve: () => void = () => undefined;
  #release: (() => void) | undefined;
  #ended = false;

  constructor(readonly key: Buffer) {
    this.changed = new Promise((resolve) => (this.#resolve = resolve));
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Called once, at the end of the watch: here an engine forgets it. */
  onEnd(release: () => void): void {
    if (this.#ended) release();
    else this.#release = release;
  }

  fire(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#resolve();
    this.#release?.();
  }

  cancel(): void {
    this.fire();
  }
}
