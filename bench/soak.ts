import { parseArgs } from 'node:util'
import { soak } from '../tests/support/soak.ts'

/**
 * Seven processes at once on one catalog and one pool, and then a look at everything: does nothing get lost, does nothing hang?
 *
 *     node bench/soak.ts [--minutes N] [--kills] [--database postgresql://USER:PASSWORD@HOST/EMPTY]
 */
const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '2' },
    database: { type: 'string' },
    kills: { type: 'boolean', default: false },
  },
})
const database = values.database === undefined ? null : new URL(values.database)

const { processes, broken } = await soak(database, {
  seconds: 60 * Number(values.minutes),
  kills: values.kills,
})

for (const { work, ended, counts, kills } of processes) {
  process.stdout.write(`${work}${kills > 0 ? ` (killed ${kills} times, figures of the last start)` : ''}\n`)
  for (const [step, { done, held }] of Object.entries(counts))
    process.stdout.write(`  ${String(done).padStart(6)} done ${String(held).padStart(5)} held  ${step}\n`)
  if (ended.status !== 0)
    process.stdout.write(`  ended with ${ended.status ?? ended.signal}: ${ended.stderr}\n`)
}
for (const each of broken) process.stdout.write(`broken: ${each}\n`)
const isSound = broken.length === 0 && processes.every(({ ended }) => ended.status === 0)
process.stdout.write(isSound ? 'sound\n' : 'NOT sound\n')
process.exitCode = isSound ? 0 : 1
