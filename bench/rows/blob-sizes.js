/** What is pushed and pulled: so many connections at once, each `times` blobs of this size in a turn of pushing. */
export const blobSizes = /** @type {const} */ ([
  { label: '1mb', title: '1 MB x8', size: 1_000_000, connections: 8, times: 8 },
  { label: '10mb', title: '10 MB x4', size: 10_000_000, connections: 4, times: 4 },
  { label: '100mb', title: '100 MB x2', size: 100_000_000, connections: 2, times: 1 },
]);
