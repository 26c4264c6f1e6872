// A map's entry, two strings, about.
const ENTRY_OVERHEAD_BYTES = 250;

/** Bytes that never change under their key, as Latin-1 text (`sendBytes`), the least recently used forgotten first. */
export class BytesCache {
  readonly #entries = new Map<string, string>();
  #bytes = 0;

  constructor(
    /** Of keys, bytes and what keeping them takes. */
    readonly maxBytes: number,
    /** Larger ones are not kept. */
    readonly maxEntryBytes: number,
  ) {}

  get(key: string): string | undefined {
    const entry = this.#entries.get(key);
    if (entry !== undefined) {
      // A map keeps the order of insertion: what is used goes to the end.
      this.#entries.delete(key);
      this.#entries.set(key, entry);
    }
    return entry;
  }

  set(key: string, bytes: string): void {
    if (bytes.length > this.maxEntryBytes || this.#entries.has(key)) return;
    this.#entries.set(key, bytes);
    this.#bytes += weight(key, bytes);
    for (const [oldest, its] of this.#entries) {
      if (this.#bytes <= this.maxBytes) break;
      this.#entries.delete(oldest);
      this.#bytes -= weight(oldest, its);
    }
  }
}

function weight(key: string, bytes: string): number {
  return key.length + bytes.length + ENTRY_OVERHEAD_BYTES;
}
