// summarize.js REPORT...   - adds up the reports of suites: why tests were skipped, then one last line `N passed, N failed, N skipped`.
//
// A report that is not there is a suite that broke off: one failure. Exit status 1 where anything failed, or nothing ran.
import { readFileSync } from 'node:fs'
import { basename } from 'node:path'

const reports = process.argv.slice(2).map(read)
const skipped = reports.flatMap((report) => report.skipped)
for (const { test, reason } of skipped) {
  // Where a whole group is skipped its title says why.
  process.stdout.write(`skipped: ${test}${reason === null ? '' : ` (${reason})`}\n`)
}
for (const { suite, failed } of reports.filter((report) => report.failed > 0)) {
  process.stdout.write(`failed: ${suite} (${failed})\n`)
}
const passed = sum((report) => report.passed)
const failed = sum((report) => report.failed)
if (passed + failed === 0) process.stdout.write('error: no test ran\n')
process.stdout.write(`${passed} passed, ${failed} failed, ${skipped.length} skipped\n`)
process.exitCode = failed > 0 || passed === 0 ? 1 : 0

function read(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'))
  } catch {
    return { suite: `${basename(file, '.json')} left no report`, passed: 0, failed: 1, skipped: [] }
  }
}

function sum(count) {
  return reports.reduce((total, report) => total + count(report), 0)
}
