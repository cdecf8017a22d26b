import type { Command } from 'commander'
import { facts } from '../output.ts'
import { formatBytes } from '../render/units.ts'
import type { Run } from '../run.ts'

export function registerStats(program: Command, run: Run): void {
  program
    .command('stats')
    .description('show the whole installation in figures')
    .addHelpText('after', '\nExample: chantal stats --json\n')
    .action((_: object, command: Command) =>
      run(command, async (session) => {
        const { stats } = await import('../../app/stats.ts')
        const result = await stats(await session.context(), {}, session.signal)
        session.output.one(result, () => [
          ...facts([
            [
              'repositories',
              `${result.configuredRepositories} configured, ${result.syncedRepositories} synced`,
            ],
            ['revisions', result.revisions],
            ['snapshots', result.snapshots],
            ['publications', result.publications],
            ['packages', result.packages],
            [
              'pool',
              `${result.pool.blobs} blobs, ${formatBytes(result.pool.sizeBytes)}, ${formatBytes(result.pool.freeBytes)} free`,
            ],
            ['dedupe ratio', result.pool.dedupeRatio === null ? null : result.pool.dedupeRatio.toFixed(2)],
          ]),
          '',
          ...result.repositories.map(
            ({ id, packages, sizeBytes }) => `${id}: ${packages} packages, ${formatBytes(sizeBytes)}`,
          ),
        ])
      }),
    )
}
