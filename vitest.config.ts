import { defineConfig } from 'vitest/config';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    testTimeout: 60_000,
    hookTimeout: 60_000,
    // Two cores, and several suites start servers of their own.
    maxWorkers: 2,
    minWorkers: 1,
  },
});
