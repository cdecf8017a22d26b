import { defineConfig } from 'vitest/config'

/** With real clients and servers: slow, and one file after another, since each wants the machine's processors for itself. */
export default defineConfig({
  test: {
    include: ['src/**/*.e2e.ts', 'tests/**/*.e2e.ts'],
    globalSetup: ['tests/temporary-folder.ts'],
    fileParallelism: false,
    testTimeout: 300_000,
    hookTimeout: 300_000,
  },
})
