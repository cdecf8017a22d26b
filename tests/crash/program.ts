/**
 * A process for tests to kill, or to let work beside others. `program.ts FOLDER WORK [MOMENT NTH]` does WORK, steps apart by commas, with
 * the configuration in FOLDER, and kills itself at the NTH time that MOMENT comes. Says `ready` once everything is open; what is
 * done ends it with 0, an error with its exit status. With `--seconds N` it does WORK again and again for so long, and prints as JSON how often
 * it did each step and how often somebody else held what that needs; `%` in a step is the number of the
 * round, counted from `--from`.
 */
import { setTimeout as pause } from 'node:timers/promises'
import { parseArgs } from 'node:util'
import { loadConfiguration } from '../../src/config/load.ts'
import { isChantalError } from '../../src/core/errors.ts'
import { ecosystems } from '../../src/ecosystems/registry.ts'
import { openContext } from '../../src/open-context.ts'
import type { StepCounts } from './process.ts'
import { take } from './steps.ts'

const { positionals, values } = parseArgs({
  allowPositionals: true,
  options: { seconds: { type: 'string' }, from: { type: 'string', default: '1' } },
})
const [folder = '', work = '', moment = '', nth = '1'] = positionals
const steps = work.split(',')
let times = 0

const { settings } = await loadConfiguration({
  file: 'config.yaml',
  environment: {},
  home: null,
  workingFolder: folder,
  ecosystems,
  now: new Date(),
})

const counts = Object.fromEntries(steps.map((step) => [step, { done: 0, held: 0 }]))
try {
  await using context = await openContext(settings, {
    reporter: { report: () => {} },
    now: () => new Date(),
    version: 'test',
    reached: (name) => {
      if (name === moment && ++times === Number(nth)) process.kill(process.pid, 'SIGKILL')
    },
  })
  process.stdout.write('ready\n')
  if (values.seconds === undefined) for (const step of steps) await take(context, step)
  else await repeat(context, performance.now() + 1000 * Number(values.seconds))
} catch (error) {
  if (!isChantalError(error)) throw error
  process.stderr.write(`${error.code}: ${error.message}\n`)
  process.exitCode = error.traits.exit
}

/** A step that cannot be done now ends its round: those after it build on it. */
async function repeat(context: Parameters<typeof take>[0], end: number): Promise<void> {
  for (let round = Number(values.from); performance.now() < end; round++) {
    for (const step of steps) {
      if (!steps.includes('collect')) await rest()
      const done = await tryStep(context, step, round)
      count(step, done ? 'done' : 'held')
      if (!done) break
    }
  }
  process.stdout.write(`${JSON.stringify(counts)}\n`)
}

/**
 * All processes but one that collects garbage rest at the same time, one second in three: garbage collection spares what anybody who is at work may rely on, and would
 * have little to take from those who always are.
 */
async function rest(): Promise<void> {
  const leftMs = 3000 - (Date.now() % 3000)
  if (leftMs < 1000) await pause(leftMs)
}

async function tryStep(context: Parameters<typeof take>[0], step: string, round: number): Promise<boolean> {
  try {
    await take(context, step.replaceAll('%', String(round)))
    return true
  } catch (error) {
    if (isChantalError(error, 'LEASE_HELD')) return false
    process.stderr.write(`${step}, round ${round}: `)
    throw error
  }
}

function count(step: string, outcome: keyof StepCounts[string]): void {
  const counted = counts[step]
  if (counted) counted[outcome] += 1
}
