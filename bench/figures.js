/** What was measured: by row and target, one figure a turn; what could not be measured; what is to be said of a figure. */
export class Figures {
  /** @type {Map<string, number[]>} */
  #figures = new Map();
  /** @type {Map<string, string>} */
  failures = new Map();
  /** @type {Map<string, string>} */
  remarks = new Map();

  /** @param {string} row @param {string} target @param {number} figure */
  add(row, target, figure) {
    const key = `${row} ${target}`;
    this.#figures.set(key, [...(this.#figures.get(key) ?? []), figure]);
  }

  /** @param {string} row @param {string} target @param {unknown} error */
  fail(row, target, error) {
    this.failures.set(`${row} ${target}`, messageOf(error));
  }

  /** @param {string} row @param {string} target @param {string} text */
  remark(row, target, text) {
    this.remarks.set(`${row} ${target}`, text);
  }

  /** @param {string} row @param {string} target */
  hasFailed(row, target) {
    return this.failures.has(`${row} ${target}`);
  }

  /** @param {string} row @param {string} target */
  hasRemark(row, target) {
    return this.remarks.has(`${row} ${target}`);
  }

  /** The median of the turns; undefined if there was none, or one failed. @param {string} row @param {string} target */
  median(row, target) {
    const figures = (this.hasFailed(row, target) ? undefined : this.#figures.get(`${row} ${target}`)) ?? [];
    const sorted = figures.toSorted((a, b) => a - b);
    const low = sorted[Math.ceil(sorted.length / 2) - 1];
    const high = sorted[Math.floor(sorted.length / 2)];
    return low === undefined || high === undefined ? undefined : (low + high) / 2;
  }
}

/** With the cause's message: fetch says what happened only there. @param {unknown} error @returns {string} */
function messageOf(error) {
  if (!(error instanceof Error)) return String(error);
  return error.cause === undefined ? error.message : `${error.message}: ${messageOf(error.cause)}`;
}
