import { execFileSync } from 'node:child_process'
import path from 'node:path'
import { parseArgs } from 'node:util'

/**
 * Times publishing one synced repository: made from the catalog alone, repeated at a second path, and with what `--before` did (a command that
 * has upstream change and syncs). `node bench/publish.ts --config FILE --repository ID [--rounds N] [--before COMMAND]`
 */
const { values } = parseArgs({
  options: {
    config: { type: 'string' },
    repository: { type: 'string' },
    rounds: { type: 'string', default: '3' },
    before: { type: 'string' },
  },
})
const { config, repository, before } = values
if (config === undefined || repository === undefined) throw new Error('--config and --repository are needed')

/** Started as a user starts it. */
const program = path.join(import.meta.dirname, '../bin/chantal.js')

function seconds(...words: readonly string[]): number {
  const started = performance.now()
  execFileSync(program, ['--config', config ?? '', ...words], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  return (performance.now() - started) / 1000
}

function median(figures: readonly number[]): number {
  return figures.toSorted((a, b) => a - b)[Math.floor(figures.length / 2)] ?? Number.NaN
}

const figures = { 'from the catalog': [] as number[], repeated: [] as number[], changed: [] as number[] }
for (let round = 0; round < Number(values.rounds); round++) {
  figures['from the catalog'].push(seconds('publish', 'repo', repository, '--force'))
  const snapshot = `${repository}@bench-${Date.now()}`
  seconds('snapshot', 'create', snapshot)
  figures.repeated.push(seconds('publish', 'snapshot', snapshot))
  if (before === undefined) continue
  execFileSync('sh', ['-c', before], { stdio: ['ignore', 'ignore', 'inherit'] })
  figures.changed.push(seconds('publish', 'repo', repository))
}
for (const [what, all] of Object.entries(figures)) {
  if (all.length > 0) process.stdout.write(`${what.padEnd(20)} ${median(all).toFixed(2)} s\n`)
}
