import { defineConfig } from 'vitest/config'
import { failureTests } from './vitest.config.ts'

/** What happens when things go wrong: upstreams that misbehave, processes that are killed or race, disks that are full. Minutes, not seconds. */
export default defineConfig({
  test: {
    include: failureTests,
    globalSetup: ['tests/temporary-folder.ts', 'tests/global-setup.ts'],
    testTimeout: 120_000,
    hookTimeout: 120_000,
  },
})
