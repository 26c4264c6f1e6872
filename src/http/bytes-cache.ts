/** Bytes that never change under their key, the least recently used forgotten first. */
export class BytesCache {
  readonly #entries = new Map<string, Buffer>();
  #bytes = 0;

  constructor(
    readonly maxBytes: number,
    /** Larger ones are not kept. */
    readonly maxEntryBytes: number,
  ) {}

  get(key: string): Buffer | undefined {
    const entry = this.#entries.get(key);
    if (entry !== undefined) {
      // A map keeps the order of insertion: what is used goes to the end.
      this.#entries.delete(key);
      this.#entries.set(key, entry);
    }
    return entry;
  }

  set(key: string, bytes: Buffer): void {
    if (bytes.length > this.maxEntryBytes || this.#entries.has(key)) return;
    this.#entries.set(key, bytes);
    this.#bytes += bytes.length;
    for (const [oldest, { length }] of this.#entries) {
      if (this.#bytes <= this.maxBytes) break;
      this.#entries.delete(oldest);
      this.#bytes -= length;
    }
  }
}
