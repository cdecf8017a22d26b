import type { Command } from 'commander'
import { firstOf } from '../render/first-of.ts'
import { count, formatDuration } from '../render/units.ts'
import { type Run, ShownFailure } from '../run.ts'
import { damageLines, unreplacedLines } from './pool.ts'

export function registerDatabaseChecks(db: Command, run: Run): void {
  db.command('verify')
    .description('check the catalog against itself, the pool and what is published')
    .option('--deep', 'also read every blob and check its SHA-256, and compare published packages with it')
    .option(
      '--repair',
      'get corrupt and missing blobs back from published trees or upstream, link published packages anew that are not theirs, and note what is published as it is',
    )
    .addHelpText('after', '\nExample: chantal db verify --deep --repair\n')
    .action((options: { deep?: boolean; repair?: boolean }, command: Command) =>
      run(command, async (session) => {
        const { flawError, verifyDatabase } = await import('../../app/database/verify-database.ts')
        const input = { deep: options.deep ?? false, repair: options.repair ?? false }
        const result = await verifyDatabase(await session.context(), input, session.signal)
        session.output.one(
          result,
          () => [
            `checked ${count(result.repositories, 'repository')}, ${count(result.revisions, 'revision')}, ${count(result.packages, 'package')}, ${count(result.blobs, 'blob')}, ${count(result.publications, 'publication')} (${formatDuration(result.durationMs)})`,
            `${count(result.flaws.length, 'flaw')}, ${count(result.damaged.length, 'damaged blob')}, ${result.repaired} repaired`,
            ...firstOf(
              result.flaws.map((flaw) => {
                const { check, repository, subject, message } = flaw
                const after = flaw.check === 'publication' && flaw.repaired ? ' (put right)' : ''
                return [
                  `${check}: ${repository === null ? '' : `${repository}: `}${subject} ${message}${after}`,
                ]
              }),
            ).flat(),
            ...firstOf(result.damaged.map(damageLines)).flat(),
            ...firstOf(result.unreplaced.map(unreplacedLines)).flat(),
          ],
          [...result.flaws, ...result.damaged, ...result.unreplaced],
        )
        const error = flawError(result)
        if (!error) return
        session.showError(error)
        throw new ShownFailure(error)
      }),
    )
}
