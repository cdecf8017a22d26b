import type { Command } from 'commander'
import { facts } from '../output.ts'
import { count, formatBytes, formatDuration } from '../render/units.ts'
import type { Run } from '../run.ts'
import { registerDatabaseChecks } from './db-checks.ts'
import { registerDatabaseFigures } from './db-figures.ts'
import { registerTransfer } from './db-transfer.ts'

export function registerDb(program: Command, run: Run): void {
  const db = program.command('db').description("the catalog's database")
  registerDatabaseFigures(db, run)
  registerUpkeep(db, run)
  registerTransfer(db, run)
  registerDatabaseChecks(db, run)
}

function registerUpkeep(db: Command, run: Run): void {
  db.command('upgrade')
    .description("bring the catalog's schema up to date; any other command does so when it opens the catalog")
    .addHelpText('after', '\nExample: chantal db upgrade\n')
    .action((_: object, command: Command) =>
      run(command, async (session) => {
        const { from, to, applied } = await (await session.database()).upgrade()
        session.output.one({ from, to, applied }, () =>
          applied.length === 0
            ? [`schema ${to} is up to date`]
            : [
                from === 0 ? `made, with schema ${to}` : `upgraded from schema ${from} to ${to}`,
                ...applied.map(({ number, name }) => `${number}: ${name}`),
              ],
        )
      }),
    )

  db.command('vacuum')
    .description('give back what deleted rows took, while nobody else is at work')
    .addHelpText('after', '\nExample: chantal db vacuum\n')
    .action((_: object, command: Command) =>
      run(command, async (session) => {
        const { vacuumDatabase } = await import('../../app/database/vacuum-database.ts')
        const result = await vacuumDatabase(await session.catalogContext(), {}, session.signal)
        session.output.one(result, () => [
          `${formatBytes(result.beforeBytes)} before, ${formatBytes(result.afterBytes)} now (${formatDuration(result.durationMs)})`,
        ])
      }),
    )

  db.command('backup')
    .description('copy the catalog into a file while others work')
    .argument('<file>', 'where to: an SQLite database file, or what pg_restore reads')
    .option('--force', 'replace the file where it is there already')
    .addHelpText('after', '\nExample: chantal db backup /var/backups/chantal.db\n')
    .action((file: string, options: { force?: boolean }, command: Command) =>
      run(command, async (session) => {
        const { backUpDatabase } = await import('../../app/database/back-up-database.ts')
        const context = { database: await session.database(), now: session.services.now }
        const input = { file, force: options.force ?? false }
        const result = await backUpDatabase(context, input, session.signal)
        session.output.one(result, () => [
          `${result.file}: ${formatBytes(result.sizeBytes)} (${formatDuration(result.durationMs)})`,
        ])
        if (result.format === 'pg_dump') session.suggest(`Load it with \`pg_restore --dbname URL ${file}\`.`)
      }),
    )

  db.command('cleanup')
    .description('remove repositories that are gone from the configuration')
    .option('--dry-run', 'only show what would be removed')
    .option('--snapshots', 'remove also those that have snapshots, with these')
    .option('--yes', 'agree, without being asked')
    .addHelpText('after', '\nExample: chantal db cleanup --dry-run\n')
    .action((options: { dryRun?: boolean; snapshots?: boolean; yes?: boolean }, command: Command) =>
      run(command, async (session) => {
        const { findGoneRepositories, removeGoneRepositories } = await import(
          '../../app/database/clean-up-database.ts'
        )
        const context = options.dryRun ? await session.catalogContext() : await session.context()
        const input = { snapshots: options.snapshots ?? false }
        let repositories = await findGoneRepositories(context, input, session.signal)
        const leaving = repositories.filter(({ outcome }) => outcome === 'removable')
        if (!options.dryRun && leaving.length > 0) {
          const names = leaving.map(({ repository }) => repository).join(', ')
          await session.confirm(`remove ${names} from the catalog`, options.yes)
          repositories = await removeGoneRepositories(context, { repositories }, session.signal)
        }
        const result = { repositories, dryRun: options.dryRun ?? false }
        session.output.one(
          result,
          () =>
            result.repositories.length === 0
              ? ['every repository of the catalog is configured']
              : result.repositories.flatMap((each) => [
                  `${each.repository}: ${outcomes[each.outcome]}${each.reason === null ? '' : `: ${each.reason}`}`,
                  ...facts([
                    ['  revisions', each.revisions],
                    ['  snapshots', each.snapshots.length],
                    ['  publications', each.publications.join(', ') || null],
                    ['  packages', each.packages],
                    ['  only here', formatBytes(each.bytes)],
                  ]),
                ]),
          result.repositories,
        )
        const removed = result.repositories.filter(({ outcome }) => outcome === 'removed')
        if (removed.length > 0)
          session.suggest(`Free the pool of ${count(removed.length, 'repository')} with \`chantal pool gc\`.`)
      }),
    )
}

const outcomes = { removed: 'removed', removable: 'would be removed', kept: 'kept' } as const
