import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname } from 'node:path'
import type { Reporter, TestModule, TestRunEndReason } from 'vitest/node'

/** What one run of tests came to; `summarize.js` adds them up. */
export interface TestReport {
  readonly suite: string
  readonly passed: number
  readonly failed: number
  readonly skipped: readonly { readonly test: string; readonly reason: string | null }[]
}

/**
 * Writes a {@link TestReport} to the file that CHANTAL_TEST_REPORT names. Vitest's own JSON report knows neither why a test was
 * skipped nor of files that failed before their first test; here such a file is one failed test.
 */
export default class TestReportWriter implements Reporter {
  onTestRunEnd(
    modules: readonly TestModule[],
    unhandled: readonly unknown[],
    reason: TestRunEndReason,
  ): void {
    const file = process.env['CHANTAL_TEST_REPORT']
    if (file === undefined) return
    const tests = modules.flatMap((module) => [...module.children.allTests()])
    const broken = modules.filter((module) => module.errors().length > 0).length
    const report: TestReport = {
      suite: process.env['CHANTAL_TEST_SUITE'] ?? 'tests',
      passed: tests.filter((test) => test.result().state === 'passed').length,
      failed:
        tests.filter((test) => ['failed', 'pending'].includes(test.result().state)).length +
        broken +
        unhandled.length +
        (reason === 'interrupted' ? 1 : 0),
      skipped: tests.flatMap((test) => {
        const result = test.result()
        if (result.state !== 'skipped') return []
        return [{ test: `${test.module.relativeModuleId}: ${test.fullName}`, reason: result.note ?? null }]
      }),
    }
    mkdirSync(dirname(file), { recursive: true })
    writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`)
  }
}
