interface Claim {
  readonly abort: AbortController;
  readonly ended: Promise<void>;
}

/** One request's hold on an upload. */
export interface UploadClaim {
  /** Aborted when a newer request took the upload over. */
  readonly signal: AbortSignal;
  /** It waited for an older request's end: what was read of the upload before is no longer so. */
  readonly tookOver: boolean;
  release(): void;
}

/**
 * The requests that are writing to uploads in this process. A newer request takes an upload over from an older one, whose client has most likely given up
 * on it: so no vanished client holds an upload.
 */
export class RunningUploads {
  readonly #claims = new Map<string, Claim>();

  async claim(upload: string): Promise<UploadClaim> {
    const tookOver = this.#claims.has(upload);
    for (let before = this.#claims.get(upload); before !== undefined; before = this.#claims.get(upload)) {
      before.abort.abort();
      await before.ended;
    }
    const abort = new AbortController();
    let end = (): void => undefined;
    const mine: Claim = { abort, ended: new Promise((resolve) => (end = resolve)) };
    this.#claims.set(upload, mine);
    return {
      signal: abort.signal,
      tookOver,
      release: () => {
        if (this.#claims.get(upload) === mine) this.#claims.delete(upload);
        end();
      },
    };
  }
}
