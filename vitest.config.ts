import { configDefaults, defineConfig } from 'vitest/config'

/** The suite `failure` has these; they would take most of the time of `npm run check`. */
export const failureTests = [
  'tests/crash/**/*.test.ts',
  'tests/concurrency.test.ts',
  'tests/disk-full.test.ts',
  'tests/failure-matrix*.test.ts',
]

export default defineConfig({
  test: {
    include: ['src/**/*.test.ts', 'tests/**/*.test.ts'],
    exclude: [...configDefaults.exclude, ...failureTests],
    globalSetup: ['tests/temporary-folder.ts', 'tests/global-setup.ts'],
    isolate: false,
    // By itself vitest leaves one processor of two alone, which has nothing else to do.
    maxWorkers: '100%',
    testTimeout: 30_000,
    hookTimeout: 60_000,
  },
})
