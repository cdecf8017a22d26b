import type { Command } from 'commander'
import type { DamagedBlob, Repair } from '../../app/pool/repair-blobs.ts'
import { ChantalError } from '../../core/errors.ts'
import { facts } from '../output.ts'
import { firstOf } from '../render/first-of.ts'
import { count, formatBytes, formatTime } from '../render/units.ts'
import { type Run, ShownFailure } from '../run.ts'
import { registerInventory } from './pool-inventory.ts'

export function registerPool(program: Command, run: Run): void {
  const pool = program.command('pool').description('the pool: every byte, stored once')

  pool
    .command('stats')
    .description('show what the pool holds, and how much is shared')
    .addHelpText('after', '\nExample: chantal pool stats --json\n')
    .action((_: object, command: Command) =>
      run(command, async (session) => {
        const { poolStats } = await import('../../app/pool/pool-stats.ts')
        const stats = await poolStats(await session.context(), {}, session.signal)
        session.output.one(stats, () =>
          facts([
            ['path', stats.path],
            ['blobs', stats.blobs],
            ['size', formatBytes(stats.sizeBytes)],
            ['free', formatBytes(stats.freeBytes)],
            ['referenced', formatBytes(stats.referencedBytes)],
            ['dedupe ratio', stats.dedupeRatio === null ? null : stats.dedupeRatio.toFixed(2)],
          ]),
        )
      }),
    )

  pool
    .command('verify')
    .description('read every blob and check its SHA-256; goes on where an interrupted run stopped')
    .option(
      '--repair',
      'set corrupt blobs aside, and get them and missing ones back from published trees or upstream',
    )
    .option('--rate <bytes>', 'read at most so much a second: 50MB/s')
    .option('--restart', 'begin anew, although an earlier run stopped midway')
    .addHelpText('after', '\nExample: chantal pool verify --repair --rate 100MB/s\n')
    .action((options: { repair?: boolean; rate?: string; restart?: boolean }, command: Command) =>
      run(command, async (session) => {
        const { parseBandwidth, parseSize } = await import('../../config/values.ts')
        const parseRate = (text: string) => (parseBandwidth(text) ?? parseSize(text)) || null
        const rate =
          options.rate === undefined
            ? null
            : parseValue('--rate', options.rate, parseRate, 'a rate, such as 50MB/s')
        const { verifyPool, damageError } = await import('../../app/pool/verify-pool.ts')
        const input = { repair: options.repair ?? false, rate, resume: !options.restart }
        const result = await verifyPool(await session.context(), input, session.signal)
        session.output.one(result, () => [
          ...(result.resumed
            ? [
                `went on after ${count(result.resumed.checked, 'blob')} (${formatBytes(result.resumed.checkedBytes)}) of the run that began ${formatTime(result.resumed.startedAt)}`,
              ]
            : []),
          `checked ${count(result.checked, 'blob')} (${formatBytes(result.checkedBytes)}): ${result.damaged.length} damaged, ${result.repaired} repaired`,
          ...firstOf(result.damaged.map(damageLines)).flat(),
          ...firstOf(result.unreplaced.map(unreplacedLines)).flat(),
        ])
        const error = damageError(result)
        if (!error) return
        session.showError(error)
        throw new ShownFailure(error)
      }),
    )

  pool
    .command('gc')
    .description('remove blobs that no latest revision, snapshot or publication needs')
    .option('--dry-run', 'only show what would be removed')
    .option('--grace <duration>', 'leave alone what was wanted so recently', '24h')
    .addHelpText('after', '\nExample: chantal pool gc --dry-run\n')
    .action((options: { dryRun?: boolean; grace: string }, command: Command) =>
      run(command, async (session) => {
        const { parseDuration } = await import('../../config/values.ts')
        const graceMs = parseValue('--grace', options.grace, parseDuration, 'a duration, such as 24h')
        const { collectGarbage } = await import('../../app/pool/collect-garbage.ts')
        const input = { graceMs, dryRun: options.dryRun ?? false }
        const result = await collectGarbage(await session.context(), input, session.signal)
        session.output.one(result, () => [
          `${result.dryRun ? 'would remove' : 'removed'} ${count(result.removed, 'blob')} (${formatBytes(result.freedBytes)}) and the content of ${count(result.prunedRevisions, 'old revision')}; kept ${count(result.kept, 'blob')}`,
        ])
      }),
    )

  registerInventory(pool, run)
}

export function damageLines(damage: DamagedBlob): readonly string[] {
  const { digest, state, repaired, reason, files, snapshots, publications } = damage
  const outcome = repaired ? ' (repaired)' : reason === null ? '' : ` (${reason})`
  return [
    `${state}: ${digest}${outcome}`,
    ...firstOf(files.map((file) => [`  ${file}`])).flat(),
    ...(snapshots.length > 0 ? [`  in snapshots: ${snapshots.join(', ')}`] : []),
    ...(publications.length > 0 ? [`  published: ${publications.join(', ')}`] : []),
  ]
}

export function unreplacedLines({ path, reason }: Repair['unreplaced'][number]): readonly string[] {
  return [`not replaced: ${path} (${reason})`]
}

/** Parsed here and not by commander: what parses is loaded with the command that needs it. @throws ChantalError `USAGE_INVALID` */
function parseValue(
  option: string,
  text: string,
  parse: (text: string) => number | null,
  expected: string,
): number {
  const value = parse(text)
  if (value !== null) return value
  throw new ChantalError('USAGE_INVALID', `${option} ${JSON.stringify(text)} is not ${expected}`, {
    hint: 'See --help.',
  })
}
