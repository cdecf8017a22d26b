// suites.ts SUITE... [-- FILTER...]   - runs suites one after another, all of them even where one fails, and sums them up.
//
// A filter is for the tests: part of a file's name, or an option of vitest such as -t. With CHANTAL_TEST_REPORTS=FOLDER the
// reports stay there.
import { spawnSync } from 'node:child_process'
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { TestReport } from './test-report.ts'

const root = join(import.meta.dirname, '..')
const tests = [
  'vitest',
  'run',
  '--passWithNoTests',
  '--reporter=default',
  '--reporter=./scripts/test-report.ts',
]

const suites: Readonly<Record<string, readonly string[]>> = {
  types: ['tsc', '-p', '.'],
  lint: ['biome', 'check', '--error-on-warnings'],
  unused: ['knip'],
  unit: tests,
  failure: [...tests, '--config', 'vitest.failure.config.ts'],
  e2e: [...tests, '--config', 'vitest.e2e.config.ts'],
}

const separator = process.argv.indexOf('--')
const names = process.argv.slice(2, separator === -1 ? undefined : separator)
const filters = separator === -1 ? [] : process.argv.slice(separator + 1)
const kept = process.env['CHANTAL_TEST_REPORTS']
const folder = kept ?? mkdtempSync(join(tmpdir(), 'chantal-reports-'))
const reports = names.map((name) => run(name))
const { status } = spawnSync(process.execPath, [join(root, 'scripts', 'summarize.js'), ...reports], {
  stdio: 'inherit',
})
if (kept === undefined) rmSync(folder, { recursive: true })
process.exitCode = status ?? 1

/** @returns the file of its report */
function run(suite: string): string {
  const [program, ...args] = suites[suite] ?? []
  if (program === undefined)
    throw new Error(`no such suite: ${suite}; there are ${Object.keys(suites).join(', ')}`)
  const isTests = program === 'vitest'
  const report = join(folder, `${suite}.json`)
  mkdirSync(folder, { recursive: true })
  rmSync(report, { force: true })
  console.log(`\n== ${suite}`)
  const started = performance.now()
  const { status } = spawnSync(program, isTests ? [...args, ...filters] : args, {
    cwd: root,
    stdio: 'inherit',
    env: { ...process.env, CHANTAL_TEST_REPORT: report, CHANTAL_TEST_SUITE: suite },
  })
  console.log(
    `== ${suite}: ${status === 0 ? 'ok' : 'FAILED'} (${((performance.now() - started) / 1000).toFixed(1)} s)`,
  )
  if (!isTests)
    writeReport(report, { suite, passed: status === 0 ? 1 : 0, failed: status === 0 ? 0 : 1, skipped: [] })
  else if (status !== 0) admitFailure(report)
  return report
}

/** Vitest may fail after its report: at a teardown that hangs, say. */
function admitFailure(file: string): void {
  if (!existsSync(file)) return
  const report: TestReport = JSON.parse(readFileSync(file, 'utf8'))
  if (report.failed === 0) writeReport(file, { ...report, failed: 1 })
}

function writeReport(file: string, report: TestReport): void {
  writeFileSync(file, `${JSON.stringify(report, null, 2)}\n`)
}
