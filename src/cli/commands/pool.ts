import { type Command, Option } from 'commander'
import { parseDuration, parseSize } from '../../config/values.ts'
import { optionValue } from '../option-value.ts'
import { facts } from '../output.ts'
import { count, formatBytes } from '../render/units.ts'
import { type Run, ShownFailure } from '../run.ts'

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
    .description('read every blob and check its SHA-256')
    .option('--repair', 'set corrupt blobs aside, and fetch them and missing ones anew from upstream')
    .addOption(
      new Option('--rate <bytes>', 'read at most so much a second: 50MB').argParser(
        optionValue(parseSize, 'a size, such as 50MB'),
      ),
    )
    .addHelpText('after', '\nExample: chantal pool verify --repair --rate 100MB\n')
    .action((options: { repair?: boolean; rate?: number }, command: Command) =>
      run(command, async (session) => {
        const { verifyPool, damageError } = await import('../../app/pool/verify-pool.ts')
        const input = { repair: options.repair ?? false, rate: options.rate ?? null }
        const result = await verifyPool(await session.context(), input, session.signal)
        session.output.one(result, () => [
          `checked ${count(result.checked, 'blob')} (${formatBytes(result.checkedBytes)}): ${result.damaged.length} damaged, ${result.repaired} repaired`,
          ...result.damaged.flatMap(({ digest, state, repaired, reason, files, snapshots, publications }) => [
            `${state}: ${digest}${repaired ? ' (repaired)' : reason === null ? '' : ` (${reason})`}`,
            ...files.map((file) => `  ${file}`),
            ...(snapshots.length > 0 ? [`  in snapshots: ${snapshots.join(', ')}`] : []),
            ...(publications.length > 0 ? [`  published: ${publications.join(', ')}`] : []),
          ]),
        ])
        const error = damageError(result)
        if (error) throw new ShownFailure(error)
      }),
    )

  pool
    .command('gc')
    .description('remove blobs that no latest revision, snapshot or publication needs')
    .option('--dry-run', 'only show what would be removed')
    .addOption(
      new Option('--grace <duration>', 'leave alone what was wanted so recently')
        .argParser(optionValue(parseDuration, 'a duration, such as 24h'))
        .default(86_400_000, '24h'),
    )
    .addHelpText('after', '\nExample: chantal pool gc --dry-run\n')
    .action((options: { dryRun?: boolean; grace: number }, command: Command) =>
      run(command, async (session) => {
        const { collectGarbage } = await import('../../app/pool/collect-garbage.ts')
        const input = { graceMs: options.grace, dryRun: options.dryRun ?? false }
        const result = await collectGarbage(await session.context(), input, session.signal)
        session.output.one(result, () => [
          `${result.dryRun ? 'would remove' : 'removed'} ${count(result.removed, 'blob')} (${formatBytes(result.freedBytes)}) and the content of ${count(result.prunedRevisions, 'old revision')}; kept ${count(result.kept, 'blob')}`,
        ])
      }),
    )
}
